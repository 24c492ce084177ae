"""What is done to a case in the API; each answers with the case as it is then."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import (
    naming,
    opening,
    people,
    severity,
    states,
    turns,
    versions,
)
from clearhouse.office.cases.demands import (
    AnswerIn,
    AssessmentIn,
    CollisionIn,
    CveIn,
    DescribeIn,
    EndIn,
    FixIn,
    InviteIn,
    LeadIn,
    ReasonIn,
    ReportStateIn,
    SsvcIn,
    TellIn,
    VerdictIn,
    VersionsIn,
    WorldIn,
)
from clearhouse.office.cases.documents import CaseOut, ProposalOut
from clearhouse.office.findings.documents import Name
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.disclosure_clock import Turn
from clearhouse.protocol.report_management import ReportEvent
from clearhouse.protocol.roles import Role, Scope

router = Router(tags=["cases"])


def _writer(request: HttpRequest) -> tuple[Viewer, datetime]:
    """Who does it, and when; what it answers has to be readable to it as well."""
    viewer = viewer_in(request)
    viewer.needs(Scope.CASES_WRITE)
    viewer.needs(Scope.CASES_READ)
    return viewer, timezone.now()


def _shown(viewer: Viewer, name: str, now: datetime) -> CaseOut:
    return CaseOut.of(queries.view(viewer, name, now=now))


@router.post("/{name}/answer", response={200: CaseOut, 204: None})
def answer(request: HttpRequest, name: Name, demand: AnswerIn) -> Status[CaseOut | None]:
    """Accept or decline the embargo.  Declining closes the case to you: 204."""
    viewer, now = _writer(request)
    people.answer(viewer, name, demand.verdict, now=now)
    if demand.verdict == "decline":
        return Status(204, None)
    return Status(200, _shown(viewer, name, now))


@router.post("/{name}/invite", response=CaseOut)
def invite(request: HttpRequest, name: Name, demand: InviteIn) -> CaseOut:
    """Invite an organisation.  For the office."""
    viewer, now = _writer(request)
    people.invite(viewer, name, demand.organisation, Role(demand.role), now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/tell", response=CaseOut)
def tell(request: HttpRequest, name: Name, demand: TellIn) -> CaseOut:
    """Tell a supplier, after its own policy has been applied.  For the office."""
    viewer, now = _writer(request)
    people.tell(viewer, name, demand.organisation, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/report-state", response=CaseOut)
def report_state(request: HttpRequest, name: Name, demand: ReportStateIn) -> CaseOut:
    """Say where your organisation stands with the report."""
    viewer, now = _writer(request)
    states.report_state(viewer, name, ReportEvent(demand.event), demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/fix", response=CaseOut)
def fix_progress(request: HttpRequest, name: Name, demand: FixIn) -> CaseOut:
    """Say that a fix is ready, or released."""
    viewer, now = _writer(request)
    states.fix_progress(viewer, name, CaseEvent(demand.event), now=now, supplier=demand.supplier)
    return _shown(viewer, name, now)


@router.post("/{name}/fix-date", response=CaseOut)
def name_fix_date(request: HttpRequest, name: Name, demand: ReasonIn) -> CaseOut:
    """Say when your fix comes: the grace is added, once."""
    viewer, now = _writer(request)
    states.name_fix_date(viewer, name, demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/world", response=CaseOut)
def world_event(request: HttpRequest, name: Name, demand: WorldIn) -> CaseOut:
    """Record that it became public, that an exploit did, or that attacks were seen."""
    viewer, now = _writer(request)
    states.world_event(viewer, name, CaseEvent(demand.event), demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/collision", response=CaseOut)
def collide(request: HttpRequest, name: Name, demand: CollisionIn) -> CaseOut:
    """Record that somebody else found it, that it leaked, or that a fix can be read."""
    viewer, now = _writer(request)
    states.collide(viewer, name, Turn(demand.turn), demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/embargo/proposals", response=ProposalOut)
def propose_end(request: HttpRequest, name: Name, demand: EndIn) -> ProposalOut:
    """Propose another end of the embargo."""
    viewer, now = _writer(request)
    made = turns.propose_end(viewer, name, demand.ends_at, demand.reason, now=now)
    return ProposalOut.of(made)


@router.post("/{name}/embargo/proposals/{proposal}", response=CaseOut)
def decide_proposal(request: HttpRequest, name: Name, proposal: int, demand: VerdictIn) -> CaseOut:
    """Accept or reject a proposed end.  For the office."""
    viewer, now = _writer(request)
    turns.decide_proposal(viewer, name, proposal, demand.verdict, demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/embargo/terminate", response=CaseOut)
def terminate(request: HttpRequest, name: Name, demand: ReasonIn) -> CaseOut:
    """End the embargo for everybody.  For the office."""
    viewer, now = _writer(request)
    turns.terminate(viewer, name, demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/assessments", response=CaseOut)
def assess(request: HttpRequest, name: Name, demand: AssessmentIn) -> CaseOut:
    """Say how severe it is, as a CVSS 4.0 or 3.1 vector."""
    viewer, now = _writer(request)
    severity.assess(viewer, name, demand.vector, demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/ssvc", response=CaseOut)
def choose_ssvc(request: HttpRequest, name: Name, demand: SsvcIn) -> CaseOut:
    """Note what the office knows for SSVC.  For the office."""
    viewer, now = _writer(request)
    severity.choose_ssvc(viewer, name, demand.inputs, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/versions", response=CaseOut)
def declare_versions(request: HttpRequest, name: Name, demand: VersionsIn) -> CaseOut:
    """Say which versions are affected, beside what running showed."""
    viewer, now = _writer(request)
    versions.declare(viewer, name, demand.introduced, demand.fixed, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/close", response=CaseOut)
def close(request: HttpRequest, name: Name, demand: ReasonIn) -> CaseOut:
    """End the work on a case.  For the office."""
    viewer, now = _writer(request)
    opening.close_case(viewer, name, demand.reason, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/describe", response=CaseOut)
def describe(request: HttpRequest, name: Name, demand: DescribeIn) -> CaseOut:
    """Give a case another title and summary.  For the office."""
    viewer, now = _writer(request)
    naming.describe(viewer, name, demand.title, demand.summary, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/cve", response=CaseOut)
def set_cve(request: HttpRequest, name: Name, demand: CveIn) -> CaseOut:
    """Note the CVE id of a case.  For the office."""
    viewer, now = _writer(request)
    naming.set_cve(viewer, name, demand.cve, now=now)
    return _shown(viewer, name, now)


@router.post("/{name}/lead", response=CaseOut)
def set_lead(request: HttpRequest, name: Name, demand: LeadIn) -> CaseOut:
    """Say who of the office looks after a case.  For the office."""
    viewer, now = _writer(request)
    naming.set_lead(viewer, name, demand.person, now=now)
    return _shown(viewer, name, now)
