"""Cases as their viewers see them: each part is there, or it is None."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Deed, Part, Standing, may, may_read, parts_seen
from clearhouse.office.blobs import store
from clearhouse.office.cases import next_steps as steps
from clearhouse.office.cases import routes
from clearhouse.office.cases.company import Company
from clearhouse.office.cases.facts import facts_of, participants_of, tallies_of, tally_of
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
from clearhouse.office.cases.routes import Telling
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.queries import Finding
from clearhouse.office.orgs.queries import organisation, policy_of, suppliers_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.case_state import CaseEvent as Letter
from clearhouse.protocol.case_state import CaseState
from clearhouse.protocol.disclosure_clock import (
    Deadline,
    Happening,
    Periods,
    Turn,
    deadline,
)
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp

PAGE: Final = 50
_VERDICTS: Final = 3
PERIODS: Final = Periods()
#: Why an end is agreed that nobody had to be asked for.
BY_POLICY: Final = "as a supplier asks in its policy"
_MISSING: Final = "there is no such case here"
#: Those who are asked whether they accept the embargo.
_ASKED: Final = (Consent.INVITED, Consent.LAPSED)
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
    return _standing(case, case.participants.filter(organisation=viewer.organisation))


def _standing(case: Case, mine: Iterable[Participant]) -> Standing | None:
    """Of several parts that one organisation has, the one that shows most.

    What it declined, or has not answered yet, takes nothing from what it is bound by already.
    """
    all_of_mine = [
        Standing(Role(one.role), Consent(one.consent), is_embargoed(case)) for one in mine
    ]
    return min(
        all_of_mine,
        key=lambda one: (
            one.consent is Consent.DECLINED, not one.is_bound, _RANK.index(one.role)
        ),
        default=None,
    )  # fmt: skip


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
        case=_blanked(case, seen),
        standing=standing,
        parts=seen,
        deeds=frozenset(deed for deed in Deed if may(viewer, deed, standing)),
        title=case.title if has(Part.SUMMARY) else f"A vulnerability in {case.package}",
        label=_label(case, joined),
        letters=_letters(standing, case, participants, own) if has(Part.SUMMARY) else None,
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
        proposals=company.signed(list(case.proposals.order_by("-at"))) if works_on_it else None,
        messages=_shared(viewer, company, case.messages, seen) if has(Part.DISCUSSION) else None,
        files=_shared(viewer, company, case.files, seen) if has(Part.DISCUSSION) else None,
        tasks=_tasks(viewer, case) if has(Part.TASKS) else None,
        timeline=company.lines(_events(case, seen)) if has(Part.TIMELINE) else None,
        suggestions=_suggestions(case) if has(Part.TRIAGE) else None,
        suppliers=_suppliers(case) if has(Part.TRIAGE) else None,
        steps=next_steps,
    )


def _blanked(case: Case, seen: frozenset[Part]) -> Case:
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


def _letters(
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


def state_of(case: Case, participants: Iterable[Participant]) -> CaseState:
    """The case's state in the model, for the supplier that is least far.

    One that declined is no vendor of this case.
    """
    suppliers = [
        one for one in participants if one.role == Role.SUPPLIER and one.consent != Consent.DECLINED
    ]
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
    if Letter.PUBLIC in happened:
        # What is public makes the vendor aware, with a vendor in the case or without.
        happened.add(Letter.VENDOR_AWARE)
    return CaseState(frozenset(happened))


def leading_of(assessments: Sequence[Assessment]) -> Assessment | None:
    """The assessment that counts: the supplier's latest, else the office's, else any."""
    for role in (Role.SUPPLIER, Role.COORDINATOR):
        for one in assessments:
            if one.role == role:
                return one
    return next(iter(assessments), None)


def reckoned(case: Case, told_at: datetime | None) -> Deadline:
    """When the embargo ends by what happened, had the first supplier been told at ``told_at``.

    1. Before anybody is told, the period runs from the opening.  2. An end that was agreed on takes
    the place of the usual one; what has happened since then moves it.
    """
    agreed = case.proposals.filter(state=Proposal.State.ACCEPTED).order_by("-decided_at").first()
    turns = case.turns.order_by("at", "id")
    since = ""
    begins = told_at or case.opened_at
    if told_at is None:  # 1
        since = f"{PERIODS.usual.days} days since the case was opened"
    if agreed is not None and agreed.decided_at is not None:  # 2
        begins = agreed.ends_at - PERIODS.usual
        since = BY_POLICY if agreed.reason == BY_POLICY else "agreed by the participants"
        turns = turns.filter(at__gt=agreed.decided_at)
    happened = [Happening(Turn(one.kind), one.at) for one in turns]
    return deadline(begins, happened, PERIODS, since=since)


def telling(viewer: Viewer, name: str, slug: str, *, now: datetime) -> Telling:
    """What telling a supplier of a case would do now.  For the office; raises otherwise."""
    viewer.must_coordinate()
    case, _, _ = case_for(viewer, name)
    return telling_of(case, organisation(slug).pk, now=now)


def telling_of(case: Case, supplier: int, *, now: datetime) -> Telling:
    """The same for an action that holds the case."""
    told = Participant.objects.filter(
        organisation=supplier, role=Role.SUPPLIER, told_at__gt=now - routes.WEEK
    ).exclude(case=case)
    lately = [one for one in told.values_list("told_at", flat=True) if one is not None]
    told_at = case.told_at or now
    return routes.telling(
        _policy(supplier),
        has_proof=case.signature is not None,
        told_lately=sorted(lately),
        ends_at=reckoned(case, told_at).at if is_embargoed(case) else None,
        now=now,
    )


def _policy(supplier: int) -> routes.Policy:
    said = policy_of(supplier)
    days = said.embargo_days
    return routes.Policy(
        slug=said.organisation.slug,
        name=said.organisation.name,
        route=said.get_route_display(),
        wants_public=said.route == said.Route.PUBLIC,
        embargo=None if days is None else timedelta(days=days),
        pace=said.pace,
        proof_required=said.proof_required,
        scale=said.get_scale_display(),
        scope=said.scope,
    )


def history_of(case: Case) -> dict[str, Any] | None:
    """The history document of a case; None before its versions were run."""
    if not case.history:
        return None
    document = json.loads(store.read(case.history))
    assert isinstance(document, dict)
    return document


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
    """A page of the viewer's cases, newest first, and where the next begins.

    Those are ids, which are shown to nobody: they would tell how many cases there are.
    """
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
    standing = _standing(case, mine)
    seen = parts_seen(viewer, standing)
    is_shown = Part.SUMMARY in seen
    return Listed(
        title=case.title if is_shown else f"A vulnerability in {case.package}",
        standing=standing,
        letters=_letters(standing, case, participants, mine) if is_shown else None,
        case=_blanked(case, seen),
    )


@dataclass(frozen=True, slots=True)
class Queued:
    """A line of the coordinator's queue."""

    case: Case
    step: steps.Step


#: How many cases are looked at for the queue: those that end first, and those that matter most.
#: A third of a millisecond each, measured on one core of two.
_LOOKED_AT: Final = 150
#: Columns that no list shows, and that take time to read.
_NOT_LISTED: Final = ("summary", "weaknesses", "affected", "declared", "ssvc")


def queue(viewer: Viewer, *, now: datetime, most: int = 50) -> list[Queued]:
    """What the office does next, most pressing first: the first step of each case.

    Raises :class:`NotFound` for who does not run the office.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    open_cases = Case.objects.filter(state=Case.State.OPEN).defer(*_NOT_LISTED)
    soon = open_cases.filter(public_at=None).order_by(
        F("embargo_ends_at").asc(nulls_last=True), "id"
    )[:_LOOKED_AT]
    grave = open_cases.order_by("-impact", "id")[:_LOOKED_AT]
    looked_at = {one.pk: one for some in (soon, grave) for one in some}
    parts = participants_of(looked_at)
    tallies = tallies_of(looked_at)
    found: list[tuple[Case, steps.Step]] = []
    for pk, case in looked_at.items():
        facts = facts_of(case, parts[pk], tallies[pk])
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


def tasks_of(viewer: Viewer, *, most: int = 50) -> list[Task]:
    """Open tasks of the viewer's organisation, those due first."""
    viewer.needs(Scope.CASES_READ)
    assigned = Q(assignee=viewer.acting_for())
    if viewer.coordinates:
        assigned |= Q(assignee=None)
    due = Task.objects.filter(assigned, done_at=None, case__in=cases_of(viewer))
    return list(due.select_related("case").order_by(F("due_at").asc(nulls_last=True), "id")[:most])
