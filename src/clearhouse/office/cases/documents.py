"""Cases as JSON documents.  A part that the viewer does not see is null, never empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ninja import Schema
from pydantic import Field

from clearhouse.office.authorisation import Part
from clearhouse.office.cases.models import (
    Assessment,
    CaseEvent,
    CaseFile,
    Message,
    Participant,
    Patch,
    Proposal,
    Suggestion,
    Task,
)
from clearhouse.office.cases.next_steps import Step
from clearhouse.office.cases.queries import CaseView, Listed, Queued, Shared
from clearhouse.office.findings.documents import FindingOut

_Row = TypeVar("_Row")
_Document = TypeVar("_Document")


class ParticipantOut(Schema):
    """An organisation in a case."""

    organisation: str
    name: str
    role: str
    consent: str = Field(description="To the embargo: none, invited, signatory, lapsed, declined.")
    report: str = Field(description="Where it stands with the report (Vultron report management).")
    invited_at: datetime | None
    answered_at: datetime | None
    told_at: datetime | None
    heard_at: datetime | None
    silent_since: datetime | None
    aware_at: datetime | None
    fix_ready_at: datetime | None
    fix_deployed_at: datetime | None
    credit_at: datetime | None
    credit_name: str

    @classmethod
    def of(cls, one: Participant) -> ParticipantOut:
        """As its viewer sees it."""
        plain = {name: getattr(one, name) for name in cls.model_fields if hasattr(one, name)}
        return cls(**{**plain, "organisation": one.organisation.slug,
                      "name": one.organisation.name})  # fmt: skip


class AssessmentOut(Schema):
    """How severe somebody thinks it is."""

    by: str
    role: str
    vector: str
    score: float
    severity: str
    reason: str
    at: datetime

    @classmethod
    def of(cls, one: Assessment) -> AssessmentOut:
        """As its viewer sees it."""
        return cls(by=one.by, role=one.role, vector=one.vector, score=one.score,
                   severity=one.severity, reason=one.reason, at=one.at)  # fmt: skip


class PatchOut(Schema):
    """A candidate for a fix."""

    name: str = Field(examples=["P-7KQ2M9XD4T"])
    by: str
    role: str
    made_by: str = Field(description="The AI system that wrote it, where one did.")
    note: str
    at: datetime
    digest: str
    state: str
    reason: str
    levels: dict[str, Any] = Field(description="What running it showed, level by level.")
    verdict_digest: str
    chosen_at: datetime | None
    chosen_by: str
    distributed_at: datetime | None
    tlp: str
    note_signed: str = Field(description="The office's signed statement on the one handed on.")

    @classmethod
    def of(cls, one: Patch) -> PatchOut:
        """As its viewer sees it."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class ProposalOut(Schema):
    """Another end of the embargo that somebody wants."""

    number: int = Field(description="Its place among those of its case, from 1.")
    by: str
    ends_at: datetime
    reason: str
    at: datetime
    state: str
    decided_at: datetime | None
    decided_because: str

    @classmethod
    def of(cls, one: Proposal) -> ProposalOut:
        """As its viewer sees it."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class MessageOut(Schema):
    """Something said in a case."""

    name: str = Field(examples=["M-7KQ2M9XD4T"])
    by: str
    at: datetime
    text: str
    tlp: str
    addressed: list[str] = Field(description="Names of those it is said to; empty: to all.")

    @classmethod
    def of(cls, one: Message, addressed: Sequence[str] = ()) -> MessageOut:
        """As its viewer sees it."""
        return cls(name=one.name, by=one.by, at=one.at, text=one.text, tlp=one.tlp,
                   addressed=list(addressed))  # fmt: skip


class FileOut(Schema):
    """A file in a case; its content is at its own address."""

    name: str = Field(examples=["D-7KQ2M9XD4T"])
    filename: str
    size: int
    by: str
    at: datetime
    tlp: str
    addressed: list[str]

    @classmethod
    def of(cls, one: CaseFile, addressed: Sequence[str] = ()) -> FileOut:
        """As its viewer sees it."""
        return cls(name=one.name, filename=one.filename, size=one.size, by=one.by, at=one.at,
                   tlp=one.tlp, addressed=list(addressed))  # fmt: skip


class TaskOut(Schema):
    """Something to do in a case."""

    name: str = Field(examples=["T-7KQ2M9XD4T"])
    title: str
    assignee: str = Field(description="Short name of an organisation; empty for the office.")
    due_at: datetime | None
    made_by: str
    made_at: datetime
    done_at: datetime | None
    done_by: str

    @classmethod
    def of(cls, one: Task) -> TaskOut:
        """As its viewer sees it."""
        return cls(
            name=one.name, title=one.title, due_at=one.due_at, made_by=one.made_by,
            made_at=one.made_at, done_at=one.done_at, done_by=one.done_by,
            assignee=one.assignee.slug if one.assignee else "",
        )  # fmt: skip


class EventOut(Schema):
    """A line of a case's timeline."""

    at: datetime
    kind: str
    text: str
    by: str
    entry: int | None = Field(description="Index of the ledger entry.")

    @classmethod
    def of(cls, one: CaseEvent) -> EventOut:
        """As its viewer sees it."""
        return cls(at=one.at, kind=one.kind, text=one.text, by=one.by, entry=one.entry)


class SuggestionOut(Schema):
    """That a finding may belong to a case, or be about a public advisory."""

    name: str = Field(examples=["S-7KQ2M9XD4T"])
    finding: str
    case: str
    advisory: str
    score: float
    reasons: list[Any]
    made_at: datetime
    state: str
    decided_by: str

    @classmethod
    def of(cls, one: Suggestion) -> SuggestionOut:
        """As its viewer sees it."""
        return cls(
            name=one.name, finding=one.finding, case=one.case.name if one.case else "",
            advisory=one.advisory, score=one.score, reasons=one.reasons, made_at=one.made_at,
            state=one.state, decided_by=one.decided_by,
        )  # fmt: skip


class StepOut(Schema):
    """One thing to do next."""

    who: str
    what: str
    why: str
    due: datetime | None

    @classmethod
    def of(cls, one: Step) -> StepOut:
        """As the rules give it."""
        return cls(who=one.who.value, what=one.what, why=one.why, due=one.due)


class SummaryOut(Schema):
    """What a case is about."""

    state: str
    closed_because: str
    summary: str
    weaknesses: list[int]
    effect: str
    cve: str
    letters: str = Field(description="State of the case in six letters (Householder 2022).")
    public_at: datetime | None
    exploit_public_at: datetime | None
    attacks_at: datetime | None


class ClockOut(Schema):
    """The embargo."""

    embargo: str
    ends_at: datetime | None
    because: str
    told_at: datetime | None


class VersionsOut(Schema):
    """Which versions are affected."""

    affected: Any = Field(description="Ranges that running the proof showed; null before.")
    declared: list[dict[str, Any]] = Field(description="What participants say, by whom.")
    history: dict[str, Any] | None = Field(description="The run over every release.")


class SeverityOut(Schema):
    """How bad it is."""

    leading: AssessmentOut | None = Field(description="The one that counts.")
    assessments: list[AssessmentOut]
    ssvc: dict[str, Any]


class CaseOut(Schema):
    """A case as you see it; the parts that you do not see are null."""

    name: str = Field(examples=["CH-2026-7KQ2M9XD4T"])
    title: str
    package: str
    opened_at: datetime
    role: str = Field(description="Yours in this case; empty for the office.")
    consent: str = Field(description="Yours to the embargo.")
    parts: list[str] = Field(description="What you see.")
    deeds: list[str] = Field(description="What you may do.")
    steps: list[StepOut] = Field(description="What you do next, the most pressing first.")
    own_findings: list[FindingOut]
    summary: SummaryOut | None
    clock: ClockOut | None
    participants: list[ParticipantOut] | None
    findings: list[FindingOut] | None
    versions: VersionsOut | None
    severity: SeverityOut | None
    patches: list[PatchOut] | None
    remedy: PatchOut | None = Field(description="The patch that was chosen and handed on.")
    proposals: list[ProposalOut] | None
    messages: list[MessageOut] | None
    files: list[FileOut] | None
    tasks: list[TaskOut] | None
    timeline: list[EventOut] | None
    suggestions: list[SuggestionOut] | None

    @classmethod
    def of(cls, view: CaseView) -> CaseOut:
        """A case as its viewer sees it: nothing is taken from the case but what a part shows."""
        case, standing = view.case, view.standing
        return cls(
            name=case.name,
            title=view.title,
            package=case.package,
            opened_at=case.opened_at,
            role=standing.role.value if standing else "",
            consent=standing.consent.value if standing else "",
            parts=sorted(part.value for part in view.parts),
            deeds=sorted(deed.value for deed in view.deeds),
            steps=[StepOut.of(one) for one in view.steps],
            own_findings=[FindingOut.of(one) for one in view.own_findings],
            summary=_summary(view),
            clock=_clock(view),
            participants=_each(ParticipantOut.of, view.participants),
            findings=_each(FindingOut.of, view.findings),
            versions=_versions(view),
            severity=_severity(view),
            patches=_each(PatchOut.of, view.patches),
            remedy=PatchOut.of(view.remedy) if view.remedy else None,
            proposals=_each(ProposalOut.of, view.proposals),
            messages=_messages(view.messages),
            files=_files(view.files),
            tasks=_each(TaskOut.of, view.tasks),
            timeline=_each(EventOut.of, view.timeline),
            suggestions=_each(SuggestionOut.of, view.suggestions),
        )


def _each(of: Callable[[_Row], _Document], rows: Iterable[_Row] | None) -> list[_Document] | None:
    return None if rows is None else [of(one) for one in rows]


def _summary(view: CaseView) -> SummaryOut | None:
    if Part.SUMMARY not in view.parts:
        return None
    case = view.case
    return SummaryOut(
        state=case.state, closed_because=case.closed_because, summary=case.summary,
        weaknesses=case.weaknesses, effect=case.effect, cve=case.cve,
        letters=view.letters or "", public_at=case.public_at,
        exploit_public_at=case.exploit_public_at, attacks_at=case.attacks_at,
    )  # fmt: skip


def _clock(view: CaseView) -> ClockOut | None:
    if Part.CLOCK not in view.parts:
        return None
    case = view.case
    return ClockOut(embargo=case.embargo, ends_at=case.embargo_ends_at,
                    because=case.embargo_because, told_at=case.told_at)  # fmt: skip


def _versions(view: CaseView) -> VersionsOut | None:
    if Part.VERSIONS not in view.parts:
        return None
    case = view.case
    return VersionsOut(affected=case.affected, declared=case.declared, history=view.history)


def _severity(view: CaseView) -> SeverityOut | None:
    if view.assessments is None:
        return None
    return SeverityOut(
        leading=AssessmentOut.of(view.leading) if view.leading else None,
        assessments=[AssessmentOut.of(one) for one in view.assessments],
        ssvc=view.case.ssvc,
    )


def _messages(shared: Sequence[Shared] | None) -> list[MessageOut] | None:
    if shared is None:
        return None
    found = ((one.item, one.addressed) for one in shared)
    return [MessageOut.of(item, to) for item, to in found if isinstance(item, Message)]


def _files(shared: Sequence[Shared] | None) -> list[FileOut] | None:
    if shared is None:
        return None
    found = ((one.item, one.addressed) for one in shared)
    return [FileOut.of(item, to) for item, to in found if isinstance(item, CaseFile)]


class ListedOut(Schema):
    """A case in a list."""

    name: str
    title: str
    package: str
    opened_at: datetime
    role: str
    consent: str
    letters: str | None
    embargo_ends_at: datetime | None

    @classmethod
    def of(cls, one: Listed) -> ListedOut:
        """As its viewer sees it."""
        return cls(
            name=one.case.name, title=one.title, package=one.case.package,
            opened_at=one.case.opened_at, letters=one.letters,
            role=one.standing.role.value if one.standing else "",
            consent=one.standing.consent.value if one.standing else "",
            embargo_ends_at=one.case.embargo_ends_at,
        )  # fmt: skip


class CasePage(Schema):
    """A page of cases, newest first."""

    items: list[ListedOut]
    next: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


class QueuedOut(Schema):
    """A line of the coordinator's queue."""

    case: str
    title: str
    package: str
    impact: int
    step: StepOut

    @classmethod
    def of(cls, one: Queued) -> QueuedOut:
        """As the office sees it."""
        return cls(case=one.case.name, title=one.case.title, package=one.case.package,
                   impact=one.case.impact, step=StepOut.of(one.step))  # fmt: skip
