"""Assessments as the API answers with them: what the viewer may not see is null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from ninja import Schema
from pydantic import Field

from clearhouse.office.assessments.models import Assessment, SetOpening
from clearhouse.office.assessments.queries import AssessmentView, Committed, Decided, Published
from clearhouse.office.assessments.queries.view import Live


class PlanOut(Schema):
    """A committed plan; ``entry`` is its place in the ledger."""

    name: str = Field(examples=["PL-7KQ2M9XD4T"])
    digest: str
    bank: str
    set_root: str
    items: int
    entry: int
    committed_at: datetime
    retired_at: datetime | None
    openings: int
    terms: Mapping[str, str]

    @classmethod
    def of(cls, one: Committed) -> PlanOut:
        """From a committed plan."""
        return cls(
            name=one.name, digest=one.digest, bank=one.bank, set_root=one.set_root,
            items=one.items, entry=one.entry, committed_at=one.committed_at,
            retired_at=one.retired_at, openings=one.openings, terms=one.terms,
        )  # fmt: skip


class SetOpeningOut(Schema):
    """An opening of a sealed set; ``entry`` is its place in the ledger."""

    set_digest: str
    number: int
    at: datetime
    by: str
    why: str
    keepers: int
    line: str
    entry: int

    @classmethod
    def of(cls, one: SetOpening) -> SetOpeningOut:
        """From its row."""
        return cls(
            set_digest=one.set_digest, number=one.number, at=one.at, by=one.by, why=one.why,
            keepers=one.keepers, line=one.line, entry=one.entry,
        )  # fmt: skip


class DecidedOut(Schema):
    """Determinations by one plan in a run of quarters; ``days`` is the median of their length."""

    plan: str
    first: str
    last: str
    days: int
    verdicts: Mapping[str, int]

    @classmethod
    def of(cls, one: Decided) -> DecidedOut:
        """From a block of the figures."""
        return cls(
            plan=one.plan, first=one.first, last=one.last, days=one.days,
            verdicts=dict(one.verdicts),
        )  # fmt: skip


class PublishedOut(Schema):
    """A determination that its developer made public."""

    name: str
    developer: str
    model: str
    verdict: str
    is_lower_bound: bool
    determined_at: datetime
    plan: str
    plan_digest: str
    entry: int
    determination: str
    reply: str

    @classmethod
    def of(cls, one: Published) -> PublishedOut:
        """From what is public of it."""
        return cls(**asdict(one))


class AssessmentListedOut(Schema):
    """An assessment in a list."""

    name: str = Field(examples=["A-7KQ2M9XD4T"])
    state: str
    plan: str
    begun_at: datetime
    verdict: str

    @classmethod
    def of(cls, row: Assessment) -> AssessmentListedOut:
        """From its row."""
        return cls(
            name=row.name, state=row.state, plan=row.plan.name, begun_at=row.begun_at,
            verdict=row.verdict,
        )  # fmt: skip


class CostOut(Schema):
    """What was used, and at most."""

    tokens: int
    dollars: float
    seconds: int
    most_tokens: int
    most_dollars: float
    most_seconds: int


class EstimateOut(Schema):
    """Ability in logits with its central 95 % interval; evidence in nano-nats."""

    ability: float
    low: float
    high: float
    items: int
    evidence: int
    standing: str


class AttemptOut(Schema):
    """An attempt, by item."""

    number: int
    item: str
    ending: str
    verdict: str
    tokens: int
    micros: int
    seconds: int


class ModelAssessmentOut(Schema):
    """An assessment; ``estimate`` and ``reported`` are for who may know the items."""

    name: str
    review: str
    state: str
    plan: str
    slot: int
    system: str
    begun_at: datetime
    begun_before: int
    attempts: int
    most: int
    endings: Mapping[str, int]
    cost: CostOut
    abandoned_because: str
    assessed_at: datetime | None
    verdict: str
    is_lower_bound: bool
    determination: str
    reply: str
    replied_at: datetime | None
    may_issue_from: datetime | None
    determined_at: datetime | None
    published_at: datetime | None
    estimate: EstimateOut | None
    reported: list[AttemptOut] | None

    @classmethod
    def of(cls, view: AssessmentView) -> ModelAssessmentOut:
        """From what the viewer sees."""
        row, cost, live = view.row, view.cost, view.live
        return cls(
            name=row.name, review=row.review.name, state=row.state, plan=row.plan.name,
            slot=row.slot, system=row.system, begun_at=row.begun_at, begun_before=view.before,
            attempts=view.attempts, most=view.most, endings=view.endings,
            cost=CostOut(
                tokens=cost.tokens, dollars=cost.dollars, seconds=cost.seconds,
                most_tokens=cost.most_tokens, most_dollars=cost.most_dollars,
                most_seconds=cost.most_seconds,
            ),
            abandoned_because=row.abandoned_because, assessed_at=row.assessed_at,
            verdict=row.verdict, is_lower_bound=row.is_lower_bound,
            determination=row.determination, reply=row.reply, replied_at=row.replied_at,
            may_issue_from=view.may_issue_from, determined_at=row.determined_at,
            published_at=row.published_at,
            estimate=_estimate(live) if live is not None else None,
            reported=_reported(live) if live is not None else None,
        )  # fmt: skip


def _estimate(live: Live) -> EstimateOut:
    own = live.estimate
    return EstimateOut(
        ability=own.ability, low=own.low, high=own.high, items=own.items,
        evidence=live.decision.evidence, standing=live.decision.verdict.value,
    )  # fmt: skip


def _reported(live: Live) -> list[AttemptOut]:
    return [
        AttemptOut(
            number=one.number, item=one.item, ending=one.ending, verdict=one.verdict,
            tokens=one.tokens, micros=one.micros, seconds=one.seconds,
        )
        for one in reversed(live.attempts)
    ]  # fmt: skip
