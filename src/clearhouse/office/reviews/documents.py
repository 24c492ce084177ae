"""Reviews as the API answers with them: what the viewer may not see is null or absent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypeVar

from ninja import Schema
from pydantic import Field

from clearhouse.office.authorisation import ReviewPart
from clearhouse.office.reviews.models import (
    LentThing,
    PublishedCriteria,
    Reviewer,
    ReviewLine,
    SealedOpening,
)
from clearhouse.office.reviews.queries import Listed, Published, ReviewView
from clearhouse.office.reviews.queries.view import Bound, Clock, SeenParty
from clearhouse.protocol.evenness import Block, Row

Seen = TypeVar("Seen")
Out = TypeVar("Out", bound=Schema)


def _each(make: Callable[[Seen], Out], rows: Sequence[Seen] | None) -> list[Out] | None:
    return None if rows is None else [make(one) for one in rows]


class ReviewListedOut(Schema):
    """A review in a list."""

    name: str = Field(examples=["R-7KQ2M9XD4T"])
    title: str
    state: str
    role: str
    ends_at: datetime | None

    @classmethod
    def of(cls, one: Listed) -> ReviewListedOut:
        """From a row of the list."""
        return cls(
            name=one.name, title=one.title, state=one.state, role=one.role.value,
            ends_at=one.ends_at,
        )  # fmt: skip


class SubmissionOut(Schema):
    """What was submitted."""

    organisation: str
    model: str
    purpose: str
    state: str
    planned_release: date | None
    about: str
    submitted_at: datetime | None
    over_at: datetime | None
    closed_because: str


class WindowOut(Schema):
    """The window, the same for all who see it; ``seconds_left`` is 0 once it is over."""

    state: str
    days: int
    starts_at: datetime | None
    ends_at: datetime | None
    seconds_left: int
    agreed_by: list[str]
    paused_by: list[str]
    government_has_access: bool

    @classmethod
    def of(cls, clock: Clock, *, government: bool) -> WindowOut:
        """From the clock as it is now."""
        return cls(
            state=clock.state.value, days=clock.days, starts_at=clock.starts_at,
            ends_at=clock.ends_at, seconds_left=int(clock.remaining.total_seconds()),
            agreed_by=list(clock.agreed_by), paused_by=list(clock.paused_by),
            government_has_access=government,
        )  # fmt: skip


class TextOut(Schema):
    """One text of the terms."""

    subject: str
    version: int
    text: str


class TermsOut(Schema):
    """The terms, their digest, and which side agreed to them as they are."""

    digest: str
    developer_agreed: bool
    office_agreed: bool
    texts: list[TextOut]

    @classmethod
    def of(cls, bound: Bound) -> TermsOut:
        """From the terms as they are."""
        texts = [
            TextOut(subject=one.subject.value, version=one.version, text=one.text)
            for one in bound.terms.texts
        ]
        return cls(
            digest=bound.digest, developer_agreed=bound.developer, office_agreed=bound.office,
            texts=texts,
        )  # fmt: skip


class ReasonOut(Schema):
    """Why a side said what it said."""

    side: str
    text: str
    at: datetime


class PartyOut(Schema):
    """A third party."""

    name: str = Field(examples=["TP-7KQ2M9XD4T"])
    organisation: str
    part: str
    state: str
    proposed_by: str
    agreed_by: list[str]
    conflicts: list[str]
    reasons: list[ReasonOut]
    criteria_version: int
    has_access: bool

    @classmethod
    def of(cls, seen: SeenParty) -> PartyOut:
        """From a third party and whether it has access."""
        row = seen.row
        return cls(
            name=row.name, organisation=row.organisation.slug, part=row.part, state=row.state,
            proposed_by=row.proposed_by, agreed_by=row.agreed_by, conflicts=row.conflicts,
            reasons=[ReasonOut(**one) for one in row.reasons],
            criteria_version=row.criteria.version, has_access=seen.has_access,
        )  # fmt: skip


class LoanOut(Schema):
    """Something that was lent; ``holder`` is null for the office."""

    name: str = Field(examples=["L-7KQ2M9XD4T"])
    kind: str
    what: str
    holder: str | None
    state: str
    lent_at: datetime
    returned_at: datetime | None
    attested_at: datetime | None
    attested_by: str
    statement: str

    @classmethod
    def of(cls, one: LentThing) -> LoanOut:
        """From a loan."""
        return cls(
            name=one.name, kind=one.kind, what=one.what,
            holder=one.holder.slug if one.holder is not None else None, state=one.state,
            lent_at=one.lent_at, returned_at=one.returned_at, attested_at=one.attested_at,
            attested_by=one.attested_by, statement=one.statement,
        )  # fmt: skip


class OpeningOut(Schema):
    """Something sealed that was to be opened, and the work roles of those who approved."""

    name: str
    what: str
    reason: str
    asked_at: datetime
    opened_at: datetime | None
    approved_by: list[str]

    @classmethod
    def of(cls, one: SealedOpening) -> OpeningOut:
        """From an opening."""
        return cls(
            name=one.name, what=one.what, reason=one.reason, asked_at=one.asked_at,
            opened_at=one.opened_at, approved_by=[each.role for each in one.approvals.all()],
        )  # fmt: skip


class LineOut(Schema):
    """A line of the timeline, and the index of its entry in the ledger."""

    at: datetime
    kind: str
    text: str
    by: str
    entry: int

    @classmethod
    def of(cls, one: ReviewLine) -> LineOut:
        """From a line."""
        return cls(at=one.at, kind=one.kind, text=one.text, by=one.by, entry=one.entry)


class ReviewOut(Schema):
    """A review as you see it."""

    name: str = Field(examples=["R-7KQ2M9XD4T"])
    role: str
    has_access: bool
    submission: SubmissionOut | None
    contacts: str | None
    clock: WindowOut | None
    terms: TermsOut | None
    parties: list[PartyOut] | None
    loans: list[LoanOut]
    openings: list[OpeningOut] | None
    timeline: list[LineOut] | None

    @classmethod
    def of(cls, view: ReviewView) -> ReviewOut:
        """From what the viewer sees."""
        review = view.review
        submission = SubmissionOut(
            organisation=review.organisation.slug, model=review.model, purpose=review.purpose,
            state=review.state, planned_release=review.planned_release, about=review.about,
            submitted_at=review.submitted_at, over_at=review.over_at,
            closed_because=review.closed_because,
        )  # fmt: skip
        return cls(
            name=review.name,
            role=view.standing.role.value,
            has_access=view.has_access,
            submission=submission if ReviewPart.SUMMARY in view.parts else None,
            contacts=review.contacts if ReviewPart.CONTACTS in view.parts else None,
            clock=(
                WindowOut.of(view.clock, government=view.government_has_access)
                if view.clock
                else None
            ),
            terms=TermsOut.of(view.bound) if view.bound else None,
            parties=_each(PartyOut.of, view.parties),
            loans=[LoanOut.of(one) for one in view.loans],
            openings=_each(OpeningOut.of, view.openings),
            timeline=_each(LineOut.of, view.lines),
        )


class CriteriaOut(Schema):
    """Published criteria."""

    version: int
    text: str
    digest: str
    published_at: datetime

    @classmethod
    def of(cls, one: PublishedCriteria) -> CriteriaOut:
        """From a row."""
        return cls(
            version=one.version, text=one.text, digest=one.digest, published_at=one.published_at
        )


class ReviewerOut(Schema):
    """Somebody on the roster; ``conflicts`` are the developers that it declared one with."""

    person: int
    name: str
    role: str
    available_from: date | None
    available_until: date | None
    conflicts: list[str]

    @classmethod
    def of(cls, one: Reviewer) -> ReviewerOut:
        """From a row."""
        return cls(
            person=one.person_id, name=one.person.name, role=one.role,
            available_from=one.available_from, available_until=one.available_until,
            conflicts=[each.organisation.slug for each in one.conflicts.all()],
        )  # fmt: skip


class RowOut(Schema):
    """How many of a group asked, and got it."""

    group: str
    asked: int
    got: int

    @classmethod
    def of(cls, one: Row) -> RowOut:
        """From a row."""
        return cls(group=one.group, asked=one.asked, got=one.got)


class BlockOut(Schema):
    """A run of quarters: how many, the median of how many days, by sector and by size."""

    first: str = Field(examples=["2026-Q1"])
    last: str
    count: int
    median_days: int
    sectors: list[RowOut]
    sizes: list[RowOut]

    @classmethod
    def of(cls, one: Block) -> BlockOut:
        """From a block."""
        return cls(
            first=one.first, last=one.last, count=one.count, median_days=one.days,
            sectors=[RowOut.of(row) for row in one.sectors],
            sizes=[RowOut.of(row) for row in one.sizes],
        )  # fmt: skip


class EvennessOut(Schema):
    """What everybody may see: reviews by their developers, third parties by themselves."""

    reviews: list[BlockOut]
    parties: list[BlockOut]

    @classmethod
    def of(cls, one: Published) -> EvennessOut:
        """From what is published."""
        return cls(
            reviews=[BlockOut.of(block) for block in one.reviews],
            parties=[BlockOut.of(block) for block in one.parties],
        )
