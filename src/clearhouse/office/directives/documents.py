"""What the API says of directives and obligations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from ninja import Schema
from pydantic import Field

from clearhouse.formats.directive import write
from clearhouse.office.authorisation import DirectivePart, ObligationPart
from clearhouse.office.directives.models import DirectiveRow, Evidence
from clearhouse.office.directives.queries import Compliance, Counts, Listed, Seen
from clearhouse.office.directives.shown import open_questions, packages_of, standing_of
from clearhouse.office.directives.shown_proofs import OnOne, Proofs, proofs_of
from clearhouse.protocol.directives.directive import Audience, Directive

Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
Word: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[a-z-]*$")]
Digest: TypeAlias = Annotated[str, Field(max_length=80, pattern=r"^[a-z0-9:]*$")]
Said: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class CountsOut(Schema):
    """How obligations stand; `overdue`, `examined` and `may_apply` are among those open."""

    open: int
    overdue: int
    examined: int
    done: int
    may_apply: int
    next_due: datetime | None

    @classmethod
    def of(cls, one: Counts) -> CountsOut:
        """Counts that their viewer may see."""
        return cls(
            open=one.open, overdue=one.overdue, examined=one.examined, done=one.done,
            may_apply=one.may_apply, next_due=one.next_due,
        )  # fmt: skip


class DirectiveOut(Schema):
    """A directive that you may read, with how your own obligations stand."""

    name: str = Field(examples=["D-7KQ2M9XD4T"])
    key: str
    title: str
    issuer: str
    state: str = Field(description="draft, issued or ended")
    tlp: str
    issued_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    mine: CountsOut

    @classmethod
    def of(cls, one: Listed) -> DirectiveOut:
        """A directive that its viewer sees."""
        return cls(**_columns(one.row, one.directive), mine=CountsOut.of(one.mine))


class WholeDirectiveOut(DirectiveOut):
    """The same with its text; organisations that it names are told to those alone who may know."""

    document: dict[str, Any]

    @classmethod
    def whole(
        cls, row: DirectiveRow, value: Directive, parts: frozenset[DirectivePart], mine: Counts
    ) -> WholeDirectiveOut:
        """A directive as its viewer sees it."""
        if DirectivePart.AUDIENCE not in parts:
            told = Audience(frozenset(), value.audience.sectors, value.audience.everybody)
            value = value.addressed_to(told)
        return cls(**_columns(row, value), mine=CountsOut.of(mine), document=write(value))


class ComplianceOut(Schema):
    """How the obligations of one organisation stand."""

    organisation: str
    counts: CountsOut

    @classmethod
    def of(cls, one: Compliance) -> ComplianceOut:
        """For who issued the directive, and the office."""
        return cls(organisation=one.organisation, counts=CountsOut.of(one.counts))


class EvidenceIn(Schema):
    """What you state: that it was taken off the network, or that you ask to leave it."""

    way: Word = Field(examples=["removed"], description="removed or accepted")
    text: Said


class EvidenceOut(Schema):
    """What was handed in, and what came of it."""

    way: str
    at: datetime
    by: str
    text: str
    reference: str
    verdict: str = Field(description="waiting, accepted, refused or overtaken")
    reason: str
    answered_at: datetime | None

    @classmethod
    def of(cls, one: Evidence) -> EvidenceOut:
        """Evidence that its viewer may see."""
        return cls(
            way=one.way, at=one.at, by=one.by, text=one.text, reference=one.reference,
            verdict=one.verdict, reason=one.reason, answered_at=one.answered_at,
        )  # fmt: skip


class ObligationOut(Schema):
    """An obligation; what you may not see of it is empty."""

    name: str = Field(examples=["O-7KQ2M9XD4T"])
    directive: str
    organisation: str
    flaw: str
    system: str = Field(description="What its owner calls it.")
    exposure: str
    packages: str
    state: str
    standing: str = Field(
        description="open, overdue, being-examined, being-examined-late, completed, "
        "completed-late, lifted or withdrawn"
    )
    applies: str = Field(description="yes or maybe")
    start: datetime
    due: datetime | None
    because: str
    unanswered: list[str]
    would_change_it: list[str]
    forensic: bool
    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, one: Seen, now: datetime) -> ObligationOut:
        """An obligation as its viewer sees it."""
        row, works = one.row, ObligationPart.WORK in one.parts
        return cls(
            name=row.name, directive=row.directive.name, organisation=row.organisation.name,
            flaw=one.flaw, system=one.system, exposure=row.exposure.name if works else "",
            packages=packages_of(one), state=row.state, standing=standing_of(one, now).value,
            applies=row.applies, start=row.start, due=row.due, because=row.because,
            unanswered=row.unanswered if works else [],
            would_change_it=[text for text, _ in open_questions(one)] if works else [],
            forensic=row.forensic, evidence=[EvidenceOut.of(each) for each in one.evidence],
        )  # fmt: skip


class OnOneOut(Schema):
    """What proofs show on one version that is installed."""

    ecosystem: str
    package: str
    version: str
    outcome: str = Field(
        description="shows, does-not-show; or why it cannot be told: not-listed, unrunnable,"
        " inconclusive, proof-fails or no-release"
    )
    text: str

    @classmethod
    def of(cls, one: OnOne) -> OnOneOut:
        """For whose it is."""
        return cls(
            ecosystem=one.ecosystem, package=one.package, version=one.version,
            outcome=one.outcome.value, text=one.text,
        )  # fmt: skip


class ProofsOut(Schema):
    """Proofs of the flaw that this office can run on what you have, and what came of it last."""

    cases: list[str]
    may_ask: bool
    refusal: str
    state: str = Field(description="empty, waiting, put-off, not-run, shown, not-shown or untold")
    said: str
    asked_at: datetime | None
    ended_at: datetime | None
    is_of_now: bool = Field(description="Whether it was run on just what is installed now.")
    outcomes: list[OnOneOut]
    digest: str = Field(description="Of the document that says what was run.")

    @classmethod
    def of(cls, one: Proofs) -> ProofsOut:
        """For whose it is."""
        last = one.last
        return cls(
            cases=list(one.cases), may_ask=one.may_ask, refusal=one.refusal, state=one.state,
            said=one.said, asked_at=last.asked_at if last is not None else None,
            ended_at=one.ended_at, is_of_now=one.is_of_now,
            outcomes=[OnOneOut.of(each) for each in one.outcomes],
            digest=last.digest if last is not None else "",
        )  # fmt: skip


class WholeObligationOut(ObligationOut):
    """An obligation, with the proofs that this office can run on what is installed."""

    proofs: ProofsOut | None

    @classmethod
    def whole(cls, one: Seen, now: datetime) -> WholeObligationOut:
        """An obligation as its viewer sees it."""
        found = proofs_of(one)
        return cls(
            **ObligationOut.of(one, now).model_dump(),
            proofs=ProofsOut.of(found) if found is not None else None,
        )


class ObligationPage(Schema):
    """Some obligations, by due date."""

    obligations: list[ObligationOut]
    next: str | None = Field(description="Send it as `after` for what follows.")


def _columns(row: DirectiveRow, value: Directive) -> dict[str, Any]:
    return {
        "name": row.name, "key": value.key, "title": value.title, "issuer": value.issuer,
        "state": row.state, "tlp": row.tlp, "issued_at": row.issued_at, "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }  # fmt: skip
