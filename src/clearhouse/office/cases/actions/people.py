"""Who takes part: invited, bound by the embargo, told by its own route."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import Deed, Part, part_about
from clearhouse.office.cases.actions import news
from clearhouse.office.cases.actions.journal import held, locked_case, note
from clearhouse.office.cases.actions.turns import end_embargo, propose_end, wind
from clearhouse.office.cases.models import Case, Participant, Proposal
from clearhouse.office.cases.queries import BY_POLICY, case_for, is_embargoed, telling_of
from clearhouse.office.orgs.queries import hold, organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import CONSENT, Consent, ConsentEvent
from clearhouse.protocol.report_management import REPORT, ReportEvent, ReportState
from clearhouse.protocol.roles import Role, Scope

#: Those that an office invites into a case.
INVITABLE: Final = (Role.SUPPLIER, Role.DEPLOYER, Role.OBSERVER, Role.AUTHORITY, Role.FINDER)


def invite(viewer: Viewer, name: str, slug: str, role: Role, *, now: datetime) -> Participant:
    """Invite an organisation into a case.

    It sees the package and the terms, and the rest once it has accepted the embargo; where there
    is none, it sees what its role sees at once.  A supplier is told (:func:`tell`).
    """
    if role not in INVITABLE:
        known = ", ".join(one.value for one in INVITABLE)
        raise Invalid(f"expected one of {known}", key="role")
    if role is Role.SUPPLIER:
        return tell(viewer, name, slug, now=now)
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        return _invited(viewer, case, slug, role, now=now)


def _invited(viewer: Viewer, case: Case, slug: str, role: Role, *, now: datetime) -> Participant:
    guest = organisation(slug)
    if role not in guest.role_set:
        raise Refused(f"{guest.name} is no {role.value} in this office")
    part = Participant.objects.filter(case=case, organisation=guest, role=role).first()
    if part is None:
        part = Participant(case=case, organisation=guest, role=role, report=ReportState.START)
    elif part.consent not in (Consent.DECLINED, Consent.LAPSED):
        raise Conflict(f"{guest.name} takes part as {role.value} already")
    # Where nothing is to be kept quiet there is nothing to answer, whatever was answered before.
    event = ConsentEvent.INVITE if is_embargoed(case) else ConsentEvent.RESET
    part.consent = CONSENT.after(Consent(part.consent), event)
    part.invited_at = now
    part.save()
    note(
        case, "invited", f"{guest.name} was invited as {role.value}.", by=viewer.name, now=now,
        part=part_about(role), facts={"organisation": guest.slug, "role": role.value},
    )  # fmt: skip
    news.invited(part, now=now)
    return part


def tell(viewer: Viewer, name: str, slug: str, *, now: datetime) -> Participant:
    """Tell a supplier, as its own policy has it (:func:`clearhouse.office.cases.routes.telling`).

    It is invited, the clock starts with the first that is told, and what its policy asks for is in
    force from then on.
    """
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        supplier = organisation(slug)
        hold(supplier.pk)  # its pace is counted over all cases
        move = telling_of(case, supplier.pk, now=now)
        if move.refusal:
            raise Refused(move.refusal)
        if move.ends_embargo:
            end_embargo(
                case, reason="a supplier wants reports public at once", by=viewer.name, now=now
            )
        part = _invited(viewer, case, slug, Role.SUPPLIER, now=now)
        part.told_at, part.heard_at, part.silent_since = now, None, None
        part.save(update_fields=["told_at", "heard_at", "silent_since"])
        if case.told_at is None:
            case.told_at = now
            case.save(update_fields=["told_at"])
        note(
            case, "supplier-told", f"{supplier.name} was told, {move.policy.route}.",
            by=viewer.name, now=now, part=Part.PARTICIPANTS,
            facts={"organisation": supplier.slug, "route": move.policy.route},
        )  # fmt: skip
        if part.consent == Consent.NONE and part.report == ReportState.START:
            _receives(part, now=now)
        if move.agreed is not None:
            case.proposals.create(
                organisation=supplier, by=supplier.name, ends_at=move.agreed, reason=BY_POLICY,
                at=now, state=Proposal.State.ACCEPTED, decided_at=now,
            )  # fmt: skip
        wind(case, by=viewer.name, now=now)
        if move.proposed is not None:
            propose_end(
                viewer, case.name, move.proposed,
                f"The longer of the office's period and {supplier.name}'s.", now=now,
            )  # fmt: skip
        return part


def _receives(part: Participant, *, now: datetime) -> None:
    part.report = REPORT.after(ReportState(part.report), ReportEvent.RECEIVE)
    part.aware_at = part.aware_at or now
    part.save(update_fields=["report", "aware_at"])


def answer(viewer: Viewer, name: str, verdict: str, *, now: datetime) -> Participant:
    """Accept or decline the embargo of a case that one was invited to.

    ``verdict`` is ``accept`` or ``decline``.  Accepting opens the case: a supplier has the report
    from that moment.  Declining closes it, without a mark that others could hold against it.
    """
    if verdict not in (ConsentEvent.ACCEPT, ConsentEvent.DECLINE):
        raise Invalid("expected accept or decline", key="verdict")
    viewer.needs(Scope.CASES_WRITE)
    with transaction.atomic():
        case = held(case_for(viewer, name)[0].pk)
        mine = (
            case.participants.filter(
                organisation=viewer.acting_for(), consent__in=(Consent.INVITED, Consent.LAPSED)
            )
            .select_related("organisation")
            .order_by("id")
        )
        part = mine.first()
        if part is None:
            raise NotFound("there is no invitation to answer")
        part.consent = CONSENT.after(Consent(part.consent), ConsentEvent(verdict))
        part.answered_at = part.heard_at = now
        part.silent_since = None
        part.save(update_fields=["consent", "answered_at", "heard_at", "silent_since"])
        said = "accepted" if verdict == ConsentEvent.ACCEPT else "declined"
        note(
            case, f"embargo-{said}", f"{part.organisation.name} has {said} the embargo.",
            by=viewer.name, now=now,
            # That one declined is no business of the others.
            part=part_about(Role(part.role)) if said == "accepted" else Part.TRIAGE,
            facts={"organisation": part.organisation.slug},
        )  # fmt: skip
        is_new = ReportState(part.report) is ReportState.START
        if said == "accepted" and is_new and part.role in (Role.SUPPLIER, Role.DEPLOYER):
            _receives(part, now=now)
            if part.role == Role.SUPPLIER:
                note(
                    case, "vendor-aware", f"{part.organisation.name} has the report.",
                    by=viewer.name, now=now, part=Part.PARTICIPANTS,
                    facts={"organisation": part.organisation.slug},
                )  # fmt: skip
        return part
