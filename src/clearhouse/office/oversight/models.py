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
