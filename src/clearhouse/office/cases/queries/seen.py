"""A case as one viewer sees it: each part is there, or it is None."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Deed, Part, Standing, may, may_read
from clearhouse.office.blobs import store
from clearhouse.office.cases import next_steps as steps
from clearhouse.office.cases.company import Company
from clearhouse.office.cases.facts import facts_of, tally_of
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
from clearhouse.office.cases.queries.access import case_for
from clearhouse.office.cases.queries.state import (
    history_of,
    leading_of,
    proposals_of,
    state_of,
)
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.queries import Finding
from clearhouse.office.orgs.queries import suppliers_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

_VERDICTS: Final = 3
#: Those who are asked whether they accept the embargo.
_ASKED: Final = (Consent.INVITED, Consent.LAPSED)


@dataclass(frozen=True, slots=True)
class Shared:
    """Messages or files with the names of those they are addressed to."""

    item: Message | CaseFile
    addressed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """What one viewer sees of a case.  A part that it does not see is None, never empty."""

    case: Case
    """The row, with the fields of parts that are not seen blank (``_BLANK``)."""
    standing: Standing | None
    parts: frozenset[Part]
    deeds: frozenset[Deed]
    title: str
    label: Tlp
    """How far what is shown may be passed on."""
    letters: str | None
    invitation: Participant | None
    own: Sequence[Participant]
    participants: Sequence[Participant] | None
    findings: Sequence[Finding] | None
    own_findings: Sequence[Finding]
    verdicts: Mapping[str, Mapping[str, Any]]
    """What running showed of the first findings that are seen, by their names."""
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
    suppliers: Sequence[tuple[str, str]] | None
    """Who maintains the package, by short name and name, told or not: for the office."""
    steps: Sequence[steps.Step]

    def sees(self, part: str) -> bool:
        """Whether a part is seen, for templates."""
        return Part(part) in self.parts

    def may(self, deed: str) -> bool:
        """Whether something may be done, for templates."""
        return Deed(deed) in self.deeds


#: Which fields of a case belong to which part, and what stands there where it is not seen.
_BLANK: Final[Mapping[Part, Mapping[str, Any]]] = {
    Part.SUMMARY: {
        "title": "", "summary": "", "weaknesses": [], "effect": "", "impact": 0, "cve": "",
        "closed_because": "", "told_at": None, "public_at": None, "exploit_public_at": None,
        "attacks_at": None,
    },
    Part.PROOF: {"signature": None},  # its facts can be guessed and checked against it
    Part.VERSIONS: {"history": "", "affected": None, "declared": []},
    Part.SEVERITY: {"ssvc": {}},
    Part.TRIAGE: {"lead": None},
}  # fmt: skip
#: What a history tells besides the versions: where the flaw is, how it shows, what it was run with.
_HISTORY_OPEN: Final = ("package", "versions", "ranges", "unknown", "digest")
_VERSION_OPEN: Final = ("version", "status", "run", "uploaded", "yanked", "ordered")


def view(viewer: Viewer, name: str, *, now: datetime) -> CaseView:
    """Everything of a case that the viewer sees.  Raises :class:`NotFound`."""
    case, standing, seen = case_for(viewer, name)

    def has(part: Part) -> bool:
        return part in seen

    participants = list(case.participants.select_related("organisation").order_by("id"))
    company = Company.of(viewer, standing, participants)
    own = [one for one in participants if one.organisation_id == viewer.organisation]
    joined = findings.in_case(case.name)
    assessments = list(case.assessments.order_by("-at"))
    patches = list(case.patches.order_by("-at"))
    next_steps = _steps(viewer, standing, case, participants, patches, assessments, now)
    company.signed(assessments)
    patches = [_patch_seen(one, company, seen) for one in patches]
    case.declared = company.declared(case.declared)
    works_on_it = has(Part.PARTICIPANTS)
    own_findings = [one for one in joined if one.organisation_id == viewer.organisation]
    return CaseView(
        case=blanked(case, seen),
        standing=standing,
        parts=seen,
        deeds=frozenset(deed for deed in Deed if may(viewer, deed, standing)),
        title=case.title if has(Part.SUMMARY) else f"A vulnerability in {case.package}",
        label=_label(case, joined),
        letters=letters_of(standing, case, participants, own) if has(Part.SUMMARY) else None,
        invitation=next((one for one in own if one.consent in _ASKED), None),
        own=own,
        participants=company.met if works_on_it else None,
        findings=joined if has(Part.REPORT) else None,
        own_findings=own_findings,
        verdicts=_verdicts(joined if has(Part.PROOF) else own_findings),
        history=_history(case, seen),
        assessments=assessments if has(Part.SEVERITY) else None,
        leading=leading_of(assessments) if has(Part.SEVERITY) else None,
        patches=patches if has(Part.PATCHES) else None,
        remedy=_remedy(patches) if has(Part.REMEDY) or has(Part.PATCHES) else None,
        proposals=company.signed(_newest_first(case)) if works_on_it else None,
        messages=_shared(viewer, company, case.messages, seen) if has(Part.DISCUSSION) else None,
        files=_shared(viewer, company, case.files, seen) if has(Part.DISCUSSION) else None,
        tasks=_tasks(viewer, case) if has(Part.TASKS) else None,
        timeline=company.lines(_events(case, seen)) if has(Part.TIMELINE) else None,
        suggestions=_suggestions(case) if has(Part.TRIAGE) else None,
        suppliers=_suppliers(case) if has(Part.TRIAGE) else None,
        steps=next_steps,
    )


def blanked(case: Case, seen: frozenset[Part]) -> Case:
    """The row without what belongs to parts that are not seen."""
    for part, fields in _BLANK.items():
        if part not in seen:
            for field, blank in fields.items():
                setattr(case, field, blank)
    return case


def _label(case: Case, joined: Sequence[Finding]) -> Tlp:
    """The narrowest label that a finder gave; what is public is for everybody."""
    if case.public_at is not None:
        return Tlp.CLEAR
    return Tlp.narrowest(tuple(Tlp.parse(one.tlp) for one in joined))


def letters_of(
    standing: Standing | None,
    case: Case,
    participants: Sequence[Participant],
    own: Sequence[Participant],
) -> str:
    """The case's state: a supplier's own, to others that of the supplier that is least far.

    Where another supplier stands is its own affair (Householder 2022, section 3).
    """
    is_supplier = standing is not None and standing.role is Role.SUPPLIER
    return str(state_of(case, own if is_supplier else participants))


def _verdicts(found: Sequence[Finding]) -> dict[str, Mapping[str, Any]]:
    # Findings of one case show the same: the first few say all, and each is a read of its own.
    verdicts = ((one.name, findings.verdict_of(one)) for one in found[:_VERDICTS])
    return {name: verdict for name, verdict in verdicts if verdict is not None}


def _history(case: Case, seen: frozenset[Part]) -> dict[str, Any] | None:
    """The history, whole for who sees the proof, else only which versions are affected."""
    if Part.VERSIONS not in seen:
        return None
    whole = history_of(case)
    if whole is None or Part.PROOF in seen:
        return whole
    shown: dict[str, Any] = {key: whole[key] for key in _HISTORY_OPEN if key in whole}
    shown["versions"] = [
        {key: one[key] for key in _VERSION_OPEN if key in one} for one in whole["versions"]
    ]
    return shown


def _patch_seen(patch: Patch, company: Company, seen: frozenset[Part]) -> Patch:
    """A patch for one viewer.

    Who sees no candidates sees its levels, not its verdict, which holds inputs that show the flaw.
    """
    company.signed([patch])
    if Part.PATCHES not in seen:
        patch.verdict = patch.chosen_by = ""
    return patch


def _company(viewer: Viewer, standing: Standing | None, case: Case) -> Company:
    return Company.of(viewer, standing, case.participants.select_related("organisation"))


def _remedy(patches: Sequence[Patch]) -> Patch | None:
    return next((one for one in patches if one.distributed_at is not None), None)


def _shared(
    viewer: Viewer,
    company: Company,
    items: Any,  # noqa: ANN401 - managers of two models
    seen: frozenset[Part],
) -> list[Shared]:
    """What reaches the viewer; of those it is addressed to, the ones that the viewer meets."""
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
            is_mine = viewer.coordinates or item.organisation_id == viewer.organisation
            named = [one.name for one in addressed if is_mine or company.names(one.pk)]
            company.signed([item])
            found.append(Shared(item, tuple(named)))
    return found


def _newest_first(case: Case) -> list[Proposal]:
    return sorted(proposals_of(case), key=lambda one: (one.at, one.number), reverse=True)


def _tasks(viewer: Viewer, case: Case) -> list[Task]:
    """Tasks without an assignee are the office's own."""
    found = case.tasks.select_related("assignee").order_by(
        F("done_at").asc(nulls_first=True), F("due_at").asc(nulls_last=True), "id"
    )
    if not viewer.coordinates:
        found = found.filter(assignee=viewer.organisation)
    return list(found)


def _events(case: Case, seen: frozenset[Part]) -> list[CaseEvent]:
    parts = [part.value for part in seen]
    return list(case.events.filter(part__in=parts).order_by("at", "id"))


def _suppliers(case: Case) -> list[tuple[str, str]]:
    return [(one.slug, one.name) for one in suppliers_of(case.package)]


def _suggestions(case: Case) -> list[Suggestion]:
    return list(case.suggestions.filter(state=Suggestion.State.OPEN).order_by("-score"))


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
        facts = facts_of(case, participants, tally_of(case, patches, assessments))
        return steps.next_steps(facts, now=now, who=Role.COORDINATOR)
    if standing is None:
        return []
    own = [one for one in participants if one.organisation_id == viewer.organisation]
    facts = facts_of(case, own, tally_of(case, patches, assessments))
    roles = {one.role for one in own}
    mine = [one for one in steps.next_steps(facts, now=now) if one.who in roles]
    # Steps tell what is in the case: who is not bound learns only that it is asked.
    return mine if standing.is_bound else [one for one in mine if one.anchor == "invitation"]


def file_for(viewer: Viewer, case_name: str, name: str) -> CaseFile:
    """A file of a case that the viewer may read.  Raises :class:`NotFound`."""
    case, standing, seen = case_for(viewer, case_name)
    if Part.DISCUSSION in seen:
        company = _company(viewer, standing, case)
        for one in _shared(viewer, company, case.files.filter(name=name), seen):
            if one.item.name == name and isinstance(one.item, CaseFile):
                return one.item
    raise NotFound("there is no such file here")


def patch_for(viewer: Viewer, case_name: str, name: str) -> Patch:
    """A patch of a case: any for who sees candidates, else the one that was distributed.

    Raises :class:`NotFound`.
    """
    case, standing, seen = case_for(viewer, case_name)
    found = case.patches.filter(name=name).first()
    if found is not None:
        is_handed_on = Part.REMEDY in seen and found.distributed_at is not None
        if Part.PATCHES in seen or is_handed_on:
            return _patch_seen(found, _company(viewer, standing, case), seen)
    raise NotFound("there is no such patch here")


def patch_verdict(patch: Patch) -> dict[str, Any] | None:
    """The verdict on a patch that its viewer got here; None where it is not run, or not seen."""
    if not patch.verdict:
        return None
    document = json.loads(store.read(patch.verdict))
    assert isinstance(document, dict)
    return document
