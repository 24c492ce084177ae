"""What the API keeps for itself: answers to requests that may be sent again, and allowances."""

from __future__ import annotations

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a request that came with an ``Idempotency-Key``.

    ``request`` is a digest of what was asked, ``attempt`` of the one who is writing the answer.
    ``scopes`` are those of the asker: who has less does not get it again.
    """

    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    attempt = models.CharField(max_length=32)
    scopes = models.JSONField(default=list)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    content_type = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=200, blank=True)
    body = models.BinaryField(default=bytes)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="answer_once")]
        indexes = [models.Index(fields=["at"], name="answer_by_age")]


class Allowance(models.Model):
    """A token bucket: how many requests somebody may still make.  ``who`` is a keyed digest."""

    who = models.CharField(max_length=64, primary_key=True)
    tokens = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="allowance_by_age")]
