"""Figures as they were published."""

from __future__ import annotations

from django.db import models


class Publication(models.Model):
    """The figures up to a period, from the first ``size`` entries of the ledger."""

    until = models.CharField(max_length=10, unique=True)
    at = models.DateTimeField()
    size = models.BigIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=80)


class Passed(models.Model):
    """When a finding first passed a milestone, as the ledger tells: read from it, never typed.

    ``at`` is in microseconds since 1970, so that any database subtracts one from another.
    """

    subject = models.CharField(max_length=20)
    milestone = models.CharField(max_length=12)
    at = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "milestone"], name="passed_once"),
        ]
        indexes = [models.Index(fields=["milestone", "subject", "at"], name="passed_milestone")]


class Opener(models.Model):
    """The finding that opened a case, as the ledger tells."""

    case = models.CharField(max_length=20, primary_key=True)
    finding = models.CharField(max_length=20)


class Followed(models.Model):
    """How far the ledger was read, and the exact figures up to there: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    figures = models.JSONField(default=dict)
