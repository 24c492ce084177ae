"""Voluntary reviews: what was submitted, agreed, opened, lent, and by whom."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import ChoiceState, Part
from clearhouse.protocol.returning import Lent, LoanState
from clearhouse.protocol.review import Purpose, ReviewState
from clearhouse.protocol.terms import Subject
from clearhouse.protocol.two_person import WorkRole
from clearhouse.protocol.window import WindowState

_NAME = 20
_DIGEST = 80
_STATE = 12
_SIDE = 10


def _choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(one.value, one.value) for one in values]


class Review(models.Model):
    """A developer's submission and the one window that it can have.

    ``agreed_by`` and ``paused_by`` are lists of :class:`clearhouse.protocol.review.Side`;
    ``days`` is the length of the window that was proposed last.
    """

    name = models.CharField(max_length=_NAME, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    state = models.CharField(
        max_length=_STATE, choices=_choices(ReviewState), default=ReviewState.DRAFTED
    )
    purpose = models.CharField(max_length=20, choices=_choices(Purpose))
    model = models.CharField(max_length=200)
    about = models.TextField(blank=True)
    planned_release = models.DateField(null=True)
    contacts = models.CharField(max_length=1000)
    size = models.CharField(max_length=10, choices=_choices(Size))
    drafted_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)
    closed_because = models.CharField(max_length=1000, blank=True)

    window = models.CharField(
        max_length=_STATE, choices=_choices(WindowState), default=WindowState.NONE
    )
    days = models.PositiveSmallIntegerField(default=30)
    agreed_by = models.JSONField(default=list)
    paused_by = models.JSONField(default=list)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "id"], name="review_of_organisation"),
            models.Index(fields=["window", "ends_at"], name="review_by_end"),
        ]


class TermsText(models.Model):
    """A version of one text of a review's terms; the last of each subject counts."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="texts")
    subject = models.CharField(max_length=24, choices=_choices(Subject))
    version = models.PositiveIntegerField()
    text = models.TextField()
    by = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "subject", "version"], name="text_once")
        ]


class Agreement(models.Model):
    """That a party agreed to the terms with that digest.

    ``party`` is developer, office, or the name of a third party's choice.
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="agreements")
    party = models.CharField(max_length=_NAME)
    digest = models.CharField(max_length=_DIGEST)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "party", "digest"], name="agreed_once")
        ]


class PublishedCriteria(models.Model):
    """By what third parties are chosen; published for everybody, never changed after."""

    version = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    digest = models.CharField(max_length=_DIGEST)
    published_at = models.DateTimeField()


class ThirdParty(models.Model):
    """The choice of a trusted partner or assessor for a review."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="parties")
    name = models.CharField(max_length=_NAME, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    part = models.CharField(max_length=20, choices=_choices(Part))
    criteria = models.ForeignKey(PublishedCriteria, on_delete=models.PROTECT)
    state = models.CharField(
        max_length=_STATE, choices=_choices(ChoiceState), default=ChoiceState.PROPOSED
    )
    proposed_by = models.CharField(max_length=_SIDE)
    agreed_by = models.JSONField(default=list)
    size = models.CharField(max_length=10, choices=_choices(Size))
    conflicts = models.JSONField(default=list)
    reasons = models.JSONField(default=list)  # of the sides, each with side, text and time
    proposed_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "organisation"], name="party_once")
        ]
        indexes = [models.Index(fields=["organisation", "state"], name="party_of_organisation")]


class LentThing(models.Model):
    """Something that the developer lent; without a ``holder`` the office has it."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="loans")
    name = models.CharField(max_length=_NAME, unique=True)
    kind = models.CharField(max_length=12, choices=_choices(Lent))
    what = models.CharField(max_length=300)
    holder = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    state = models.CharField(max_length=_STATE, choices=_choices(LoanState), default=LoanState.LENT)
    lent_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)
    attested_at = models.DateTimeField(null=True)
    attested_by = models.CharField(max_length=200, blank=True)
    statement = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["holder", "state"], name="loan_of_holder")]


class ReviewLine(models.Model):
    """A line of a review's timeline, with the index of its entry in the ledger."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    text = models.CharField(max_length=1000)
    by = models.CharField(max_length=200)
    entry = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["review", "id"], name="line_of_review")]


class Reviewer(models.Model):
    """A person of the office on the roster, with a NICE work role."""

    person = models.OneToOneField("orgs.User", on_delete=models.PROTECT)
    role = models.CharField(max_length=12, choices=_choices(WorkRole))
    available_from = models.DateField(null=True)
    available_until = models.DateField(null=True)
    noted_at = models.DateTimeField()

    @property
    def label(self) -> str:
        """The work role's name."""
        return WorkRole(self.role).label


class ReviewerConflict(models.Model):
    """A conflict of interest of a reviewer with a developer's organisation."""

    reviewer = models.ForeignKey(Reviewer, on_delete=models.CASCADE, related_name="conflicts")
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    reason = models.CharField(max_length=1000)
    declared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "organisation"], name="conflict_once")
        ]


class SealedOpening(models.Model):
    """That something sealed is to be opened, by two people; ``opened_at`` when both have agreed."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="openings")
    name = models.CharField(max_length=_NAME, unique=True)
    what = models.CharField(max_length=300)
    reason = models.CharField(max_length=1000)
    asked_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)


class OpeningApproval(models.Model):
    """One person's approval, with the work role and conflicts that it had then."""

    opening = models.ForeignKey(SealedOpening, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey("orgs.User", on_delete=models.PROTECT)
    role = models.CharField(max_length=12, choices=_choices(WorkRole))
    conflicts = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["opening", "person"], name="approved_once")]
