"""Committed plans, the assessments by them, and their attempts."""

from __future__ import annotations

from django.db import models

from clearhouse.benchmark.deciding import Verdict
from clearhouse.benchmark.outcomes import Ending
from clearhouse.protocol.assessment import AssessmentState

_NAME = 20
_DIGEST = 80
_BLOB = 64
#: Of an item: a plan with a longer one is not committed to.
MOST_ITEM_NAME = 200


class CommittedPlan(models.Model):
    """A plan that the ledger holds the digest of, at ``entry``.

    ``document`` and ``bank`` are sealed blobs: a plan names its items.  ``set_root`` is the public
    commitment to the items' contents, where there is one.
    """

    name = models.CharField(max_length=_NAME, unique=True)
    digest = models.CharField(max_length=_DIGEST, unique=True)
    bank_digest = models.CharField(max_length=_DIGEST)
    set_root = models.CharField(max_length=_DIGEST, blank=True)
    construct = models.TextField()
    items = models.PositiveIntegerField()
    document = models.CharField(max_length=_BLOB)
    bank = models.CharField(max_length=_BLOB)
    committed_at = models.DateTimeField()
    committed_by = models.CharField(max_length=200)
    retired_at = models.DateTimeField(null=True)
    entry = models.BigIntegerField()


class SetOpening(models.Model):
    """That the sealed set of a plan was opened: the keepers' own record, as it is in the ledger.

    ``line`` is the digest of the record, by which the next one follows.
    """

    plan = models.ForeignKey(CommittedPlan, on_delete=models.PROTECT, related_name="openings")
    set_digest = models.CharField(max_length=_DIGEST)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=400)
    why = models.CharField(max_length=400)
    keepers = models.PositiveSmallIntegerField()
    line = models.CharField(max_length=_DIGEST)
    noted_at = models.DateTimeField()
    entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set_digest", "number"], name="opening_once")
        ]


class Assessment(models.Model):
    """The measurement of a review's model by a plan.

    ``slot`` is the submission's slot of the plan's seeds, ``system`` what is measured: model and
    scaffold.  ``evidence`` is a sealed blob.  ``counted_at`` is when it went into the figures.
    """

    name = models.CharField(max_length=_NAME, unique=True)
    review = models.ForeignKey(
        "reviews.Review", on_delete=models.CASCADE, related_name="assessments"
    )
    plan = models.ForeignKey(CommittedPlan, on_delete=models.PROTECT, related_name="assessments")
    slot = models.PositiveIntegerField()
    state = models.CharField(
        max_length=12,
        choices=[(one.value, one.value) for one in AssessmentState],
        default=AssessmentState.RUNNING,
    )
    system = models.CharField(max_length=300)
    by = models.CharField(max_length=200)
    begun_at = models.DateTimeField()
    abandoned_at = models.DateTimeField(null=True)
    abandoned_because = models.CharField(max_length=1000, blank=True)
    assessed_at = models.DateTimeField(null=True)
    verdict = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in Verdict], blank=True
    )
    is_lower_bound = models.BooleanField(default=False)
    determination = models.CharField(max_length=_DIGEST, blank=True)
    evidence = models.CharField(max_length=_BLOB, blank=True)
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True)
    replied_by = models.CharField(max_length=200, blank=True)
    determined_at = models.DateTimeField(null=True)
    determined_by = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "slot"], name="slot_once"),
            models.UniqueConstraint(
                fields=["review"], condition=~models.Q(state="abandoned"), name="one_measures_it"
            ),
        ]


class Attempt(models.Model):
    """One finished attempt, as it was reported: tokens, millionths of a dollar, seconds."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    item = models.CharField(max_length=MOST_ITEM_NAME)
    ending = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Ending])
    verdict = models.CharField(max_length=_DIGEST, blank=True)
    tokens = models.BigIntegerField()
    micros = models.BigIntegerField()
    seconds = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "number"], name="attempt_once")
        ]
