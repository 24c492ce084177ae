"""Cases as their viewers see them: each part is there, or it is None."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Deed, Part, Standing, may, may_read, parts_seen
from clearhouse.office.blobs import store
from clearhouse.office.cases import next_steps as steps
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    CaseEvent,
    CaseFile,
    Message,
    Participant,
    Patch,
    Proposal,
    Suggestion,
    Task,
)
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.queries import Finding
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.case_state import CaseEvent as Letter
from clearhouse.protocol.case_state import CaseState
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp

PAGE: Final = 50
_MISSING: Final = "there is no such case here"
_EMBARGOED: Final = (EmbargoState.PROPOSED, EmbargoState.ACTIVE, EmbargoState.REVISE)
#: Of several parts in one case the one that shows most counts.
_RANK: Final = (Role.SUPPLIER, Role.FINDER, Role.AUTHORITY, Role.DEPLOYER, Role.OBSERVER)


def is_embargoed(case: Case) -> bool:
    """Whether an embargo is proposed or in force."""
    return EmbargoState(case.embargo) in _EMBARGOED


def cases_of(viewer: Viewer) -> QuerySet[Case]:
    """The cases that exist for the viewer: all for the office, else those it takes part in.

    Who declined an invitation has nothing more to do with the case.
    """
    viewer.needs(Scope.CASES_READ)
    if viewer.coordinates:
        return Case.objects.all()
    mine = Participant.objects.filter(
        case=OuterRef("pk"), organisation=viewer.acting_for()
    ).exclude(consent=Consent.DECLINED)
    return Case.objects.filter(Exists(mine))


def standing_of(viewer: Viewer, case: Case) -> Standing | None:
    """What the viewer's organisation is in a case; None where it is nothing there."""
    if viewer.organisation is None:
        return None
    mine = list(case.participants.filter(organisation=viewer.organisation))
    if not mine:
        return None
    best = min(mine, key=lambda one: _RANK.index(Role(one.role)))
    return Standing(Role(best.role), Consent(best.consent), is_embargoed(case))


def standing_in(viewer: Viewer, name: str) -> Standing | None:
    """The same by the case's name; None for no case."""
    case = Case.objects.filter(name=name).first() if name else None
    return standing_of(viewer, case) if case is not None else None


def case_for(viewer: Viewer, name: str) -> tuple[Case, Standing | None, frozenset[Part]]:
    """A case, the viewer's standing in it and the parts that it sees.

    Raises :class:`NotFound`, in the same words whether it is hidden or not there.
    """
    case = Case.objects.filter(name=name).first()
    if case is None:
        raise NotFound(_MISSING)
    standing = standing_of(viewer, case)
    seen = parts_seen(viewer, standing)
    if not seen:
        raise NotFound(_MISSING)
    viewer.needs(Scope.CASES_READ)
    return case, standing, seen


def finding_for(viewer: Viewer, name: str) -> findings.Finding:
    """A finding that the viewer sees as its finder, or through its case.

    Raises :class:`NotFound`.
    """
    return findings.finding(viewer, name, standing_in(viewer, findings.case_of(name)))


@dataclass(frozen=True, slots=True)
class Shared:
    """Messages or files with the names of those they are addressed to."""

    item: Message | CaseFile
    addressed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """What one viewer sees of a case.  A part that it does not see is None, never empty."""

    case: Case
    standing: Standing | None
    parts: frozenset[Part]
    deeds: frozenset[Deed]
    title: str
    letters: str | None
    participants: Sequence[Participant] | None
    findings: Sequence[Finding] | None
    own_findings: Sequence[Finding]
    history: dict[str, Any] | None
    assessments: Sequence[Assessment] | None
    leading: Assessment | None
    patches: Sequence[Patch] | None
    remedy: Patch | None
    proposals: Sequence[Proposal] | None
    messages: Sequence[Shared] | None
    files: Sequence[Shared] | None
    tasks: Sequence[Task] | None
    timeline: Sequence[CaseEvent] | None
    suggestions: Sequence[Suggestion] | None
    steps: Sequence[steps.Step]

    def sees(self, part: str) -> bool:
        """Whether a part is seen, for templates."""
        return Part(part) in self.parts

    def may(self, deed: str) -> bool:
        """Whether something may be done, for templates."""
        return Deed(deed) in self.deeds


def view(viewer: Viewer, name: str, *, now: datetime) -> CaseView:
    """Everything of a case that the viewer sees.  Raises :class:`NotFound`."""
    case, standing, seen = case_for(viewer, name)

    def has(part: Part) -> bool:
        return part in seen

    participants = list(case.participants.select_related("organisation").order_by("id"))
    own = viewer.organisation
    joined = findings.in_case(case.name)
    assessments = list(case.assessments.order_by("-at"))
    patches = list(case.patches.order_by("-at"))
    return CaseView(
        case=case,
        standing=standing,
        parts=seen,
        deeds=frozenset(deed for deed in Deed if may(viewer, deed, standing)),
        title=case.title if has(Part.SUMMARY) else f"A vulnerability in {case.package}",
        letters=str(state_of(case, participants)) if has(Part.SUMMARY) else None,
        participants=participants if has(Part.PARTICIPANTS) else None,
        findings=joined if has(Part.REPORT) else None,
        own_findings=[one for one in joined if one.organisation_id == own],
        history=history_of(case) if has(Part.VERSIONS) else None,
        assessments=assessments if has(Part.SEVERITY) else None,
        leading=leading_of(assessments) if has(Part.SEVERITY) else None,
        patches=patches if has(Part.PATCHES) else None,
        remedy=_remedy(patches) if has(Part.REMEDY) or has(Part.PATCHES) else None,
        proposals=list(case.proposals.order_by("-at")) if has(Part.TIMELINE) else None,
        messages=_shared(viewer, case.messages, seen) if has(Part.DISCUSSION) else None,
        files=_shared(viewer, case.files, seen) if has(Part.DISCUSSION) else None,
        tasks=_tasks(viewer, case) if has(Part.TASKS) else None,
        timeline=_timeline(case, seen) if has(Part.TIMELINE) else None,
        suggestions=_suggestions(case) if has(Part.TRIAGE) else None,
        steps=_steps(viewer, standing, case, participants, patches, assessments, now),
    )


def state_of(case: Case, participants: Iterable[Participant]) -> CaseState:
    """The case's state in the model, for the supplier that is least far."""
    suppliers = [one for one in participants if one.role == Role.SUPPLIER]
    happened: set[Letter] = set()
    for letter, done in (
        (Letter.VENDOR_AWARE, [one.aware_at for one in suppliers]),
        (Letter.FIX_READY, [one.fix_ready_at for one in suppliers]),
        (Letter.FIX_DEPLOYED, [one.fix_deployed_at for one in suppliers]),
    ):
        if done and all(done):
            happened.add(letter)
    if case.public_at is not None:
        happened.add(Letter.VENDOR_AWARE)  # what is public makes every vendor aware
    for letter, at in (
        (Letter.PUBLIC, case.public_at),
        (Letter.EXPLOIT_PUBLIC, case.exploit_public_at),
        (Letter.ATTACKS, case.attacks_at),
    ):
        if at is not None:
            happened.add(letter)
    return CaseState(frozenset(happened))


def leading_of(assessments: Sequence[Assessment]) -> Assessment | None:
    """The assessment that counts: the supplier's latest, else the office's, else any."""
    for role in (Role.SUPPLIER, Role.COORDINATOR):
        for one in assessments:
            if one.role == role:
                return one
    return next(iter(assessments), None)


def history_of(case: Case) -> dict[str, Any] | None:
    """The history document of a case; None before its versions were run."""
    if not case.history:
        return None
    document = json.loads(store.read(case.history))
    assert isinstance(document, dict)
    return document


def _remedy(patches: Sequence[Patch]) -> Patch | None:
    return next((one for one in patches if one.distributed_at is not None), None)


def _shared(viewer: Viewer, items: Any, seen: frozenset[Part]) -> list[Shared]:  # noqa: ANN401 - managers of two models
    found = []
    for item in items.prefetch_related("addressed").order_by("at", "id"):
        addressed = list(item.addressed.all())
        if may_read(
            viewer,
            Tlp.parse(item.tlp),
            author=item.organisation_id,
            addressed=frozenset(one.pk for one in addressed),
            is_participant=Part.DISCUSSION in seen,
        ):
            found.append(Shared(item, tuple(one.name for one in addressed)))
    return found


def _tasks(viewer: Viewer, case: Case) -> list[Task]:
    """Tasks without an assignee are the office's own."""
    found = case.tasks.select_related("assignee").order_by(
        F("done_at").asc(nulls_first=True), F("due_at").asc(nulls_last=True), "id"
    )
    if not viewer.coordinates:
        found = found.filter(assignee=viewer.organisation)
    return list(found)


def _timeline(case: Case, seen: frozenset[Part]) -> list[CaseEvent]:
    parts = [part.value for part in seen]
    return list(case.events.filter(part__in=parts).order_by("at", "id"))


def _suggestions(case: Case) -> list[Suggestion]:
    return list(case.suggestions.filter(state=Suggestion.State.OPEN).order_by("-score"))


def facts_of(
    case: Case,
    participants: Sequence[Participant],
    patches: Sequence[Patch],
    assessments: Sequence[Assessment],
) -> steps.Facts:
    """A case as the rules of what comes next see it."""
    return steps.Facts(
        case=case.name,
        is_open=case.state == Case.State.OPEN,
        is_proven=case.signature is not None,
        embargo=EmbargoState(case.embargo),
        ends_at=case.embargo_ends_at,
        parts=tuple(
            steps.Part(
                name=one.organisation.name,
                role=Role(one.role),
                consent=Consent(one.consent),
                report=ReportState(one.report),
                silent=one.silent_since is not None,
                fix_ready=one.fix_ready_at is not None,
                fix_deployed=one.fix_deployed_at is not None,
            )
            for one in participants
        ),
        has_severity=bool(assessments),
        has_versions=bool(case.history),
        patches_accepted=sum(one.state == Patch.State.ACCEPTED for one in patches),
        patch_chosen=any(one.chosen_at for one in patches),
        patch_distributed=any(one.distributed_at for one in patches),
        open_proposals=sum(one.state == Proposal.State.OPEN for one in case.proposals.all()),
        open_suggestions=sum(one.state == Suggestion.State.OPEN for one in case.suggestions.all()),
        has_draft=False,
        is_public=case.public_at is not None,
        is_attacked=case.attacks_at is not None,
    )


def _steps(
    viewer: Viewer,
    standing: Standing | None,
    case: Case,
    participants: Sequence[Participant],
    patches: Sequence[Patch],
    assessments: Sequence[Assessment],
    now: datetime,
) -> list[steps.Step]:
    """The viewer's own next steps; a supplier's are judged by its own part alone."""
    if viewer.coordinates:
        facts = facts_of(case, participants, patches, assessments)
        return steps.next_steps(facts, now=now, who=Role.COORDINATOR)
    if standing is None:
        return []
    own = [one for one in participants if one.organisation_id == viewer.organisation]
    facts = facts_of(case, own, patches, assessments)
    return steps.next_steps(facts, now=now, who=standing.role)


@dataclass(frozen=True, slots=True)
class Listed:
    """A case in a list, with what its viewer may know of it there."""

    case: Case
    title: str
    standing: Standing | None
    letters: str | None


def page_of(
    viewer: Viewer, *, before: int | None = None, state: str = "", text: str = ""
) -> tuple[list[Listed], int | None]:
    """A page of the viewer's cases, newest first, and where the next begins."""
    found = cases_of(viewer)
    if state:
        found = found.filter(state=state)
    if text:
        # A title is searched only by those who see all titles: a search must not tell it.
        named = Q(package__startswith=text) | Q(name=text)
        found = found.filter(named | Q(title__icontains=text) if viewer.coordinates else named)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk").prefetch_related("participants")[: PAGE + 1])
    listed = [_listed(viewer, one) for one in rows[:PAGE]]
    return listed, (rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _listed(viewer: Viewer, case: Case) -> Listed:
    participants = list(case.participants.all())
    mine = [one for one in participants if one.organisation_id == viewer.organisation]
    standing = None
    if mine and viewer.organisation is not None:
        best = min(mine, key=lambda one: _RANK.index(Role(one.role)))
        standing = Standing(Role(best.role), Consent(best.consent), is_embargoed(case))
    seen = parts_seen(viewer, standing)
    is_shown = Part.SUMMARY in seen
    return Listed(
        case=case,
        title=case.title if is_shown else f"A vulnerability in {case.package}",
        standing=standing,
        letters=str(state_of(case, participants)) if is_shown else None,
    )


@dataclass(frozen=True, slots=True)
class Queued:
    """A line of the coordinator's queue."""

    case: Case
    step: steps.Step


#: How many cases are looked at for the queue: those that end first, and those that matter most.
_LOOKED_AT: Final = 300


def queue(viewer: Viewer, *, now: datetime, most: int = 50) -> list[Queued]:
    """What the office does next, most pressing first: the first step of each case.

    Raises :class:`NotFound` for who does not run the office.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    open_cases = Case.objects.filter(state=Case.State.OPEN)
    soon = open_cases.filter(public_at=None).order_by("embargo_ends_at", "id")[:_LOOKED_AT]
    grave = open_cases.order_by("-impact", "id")[:_LOOKED_AT]
    wanted = {one.pk for one in soon} | {one.pk for one in grave}
    found: list[tuple[Case, steps.Step]] = []
    for case in Case.objects.filter(pk__in=wanted).prefetch_related(
        "participants__organisation", "patches", "assessments", "proposals", "suggestions"
    ):
        facts = facts_of(
            case, list(case.participants.all()), list(case.patches.all()),
            list(case.assessments.all()),
        )  # fmt: skip
        first = next(iter(steps.next_steps(facts, now=now, who=Role.COORDINATOR)), None)
        if first is not None:
            found.append((case, first))
    ranked = steps.order([(step, case.impact) for case, step in found], now=now)
    return [Queued(*found[place]) for place in ranked[:most]]


def suggestions_open(viewer: Viewer, *, most: int = 50) -> list[Suggestion]:
    """Suggestions that wait for a decision, the likeliest first."""
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    waiting = Suggestion.objects.filter(state=Suggestion.State.OPEN).select_related("case")
    return list(waiting.order_by("-score", "id")[:most])


def untriaged(viewer: Viewer) -> QuerySet[findings.Finding]:
    """Findings without proof that belong to no case yet, the gravest first."""
    viewer.must_coordinate()
    return (
        findings.findings_of(viewer)
        .filter(state=findings.Finding.State.UNPROVEN, case="")
        .order_by("-impact", "pk")
    )


def file_for(viewer: Viewer, case_name: str, name: str) -> CaseFile:
    """A file of a case that the viewer may read.  Raises :class:`NotFound`."""
    case, _, seen = case_for(viewer, case_name)
    if Part.DISCUSSION in seen:
        for one in _shared(viewer, case.files, seen):
            if one.item.name == name and isinstance(one.item, CaseFile):
                return one.item
    raise NotFound("there is no such file here")


def patch_for(viewer: Viewer, case_name: str, name: str) -> Patch:
    """A patch of a case: any for who sees candidates, else the one that was distributed.

    Raises :class:`NotFound`.
    """
    case, _, seen = case_for(viewer, case_name)
    found = case.patches.filter(name=name).first()
    if found is not None:
        if Part.PATCHES in seen:
            return found
        if Part.REMEDY in seen and found.distributed_at is not None:
            return found
    raise NotFound("there is no such patch here")


def patch_verdict(patch: Patch) -> dict[str, Any] | None:
    """The verdict on a patch that its viewer may see; None before it was run."""
    if not patch.verdict:
        return None
    document = json.loads(store.read(patch.verdict))
    assert isinstance(document, dict)
    return document


def tasks_of(viewer: Viewer, *, most: int = 50) -> list[Task]:
    """Open tasks of the viewer's organisation, those due first."""
    viewer.needs(Scope.CASES_READ)
    assigned = Q(assignee=viewer.acting_for())
    if viewer.coordinates:
        assigned |= Q(assignee=None)
    due = Task.objects.filter(assigned, done_at=None, case__in=cases_of(viewer))
    return list(due.select_related("case").order_by(F("due_at").asc(nulls_last=True), "id")[:most])
