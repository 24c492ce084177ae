"""Who takes part: invited, bound by the embargo, told by its own route."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.actions.turns import end_embargo, propose_end, wind
from clearhouse.office.cases.models import Case, Participant
from clearhouse.office.cases.queries import case_for, is_embargoed
from clearhouse.office.orgs.queries import organisation, policy_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import CONSENT, Consent, ConsentEvent, opening
from clearhouse.protocol.report_management import REPORT, ReportEvent, ReportState
from clearhouse.protocol.roles import Role, Scope

_WEEK: Final = timedelta(days=7)
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
    if is_embargoed(case):
        part.consent = CONSENT.after(Consent(part.consent), ConsentEvent.INVITE)
    part.invited_at = now
    part.save()
    note(
        case, "invited", f"{guest.name} was invited as {role.value}.", by=viewer.name, now=now,
        part=Part.PARTICIPANTS, facts={"organisation": guest.slug, "role": role.value},
    )  # fmt: skip
    return part


def tell(viewer: Viewer, name: str, slug: str, *, now: datetime) -> Participant:
    """Tell a supplier, after its own policy has been applied.

    1. It takes proofs only, and there is none: not sent.  2. It takes so many cases in a week, and
    has them: not sent before the day that is named.  3. It wants everything public at once: there
    is no embargo from now on.  4. Else the shorter of its embargo and the office's is in force,
    and the longer is proposed.  5. It is invited; the clock starts with the first that is told.
    """
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        supplier = organisation(slug)
        policy = policy_of(supplier.pk)
        if policy.proof_required and case.signature is None:  # 1
            raise Refused(f"{supplier.name} takes reports with a proof only, and this has none")
        if policy.pace is not None:  # 2
            _keeps_pace(case, supplier.pk, supplier.name, policy.pace, now=now)
        wanted = None if policy.embargo_days is None else timedelta(days=policy.embargo_days)
        if policy.route == policy.Route.PUBLIC:
            wanted = timedelta(0)
        usual = case.embargo_ends_at - now if case.embargo_ends_at and is_embargoed(case) else None
        terms = opening(usual, wanted)
        if wanted is not None and wanted <= timedelta(0):  # 3
            end_embargo(
                case, reason=f"{supplier.name} wants reports public at once.", by=viewer.name,
                now=now,
            )  # fmt: skip
        part = _invited(viewer, case, slug, Role.SUPPLIER, now=now)  # 5
        part.told_at = now
        part.save(update_fields=["told_at"])
        is_first = case.told_at is None
        if is_first:
            case.told_at = now
            case.save(update_fields=["told_at"])
        note(
            case, "supplier-told", f"{supplier.name} was told, by its route: {policy.route}.",
            by=viewer.name, now=now, facts={"organisation": supplier.slug, "route": policy.route},
        )  # fmt: skip
        if part.consent == Consent.NONE:
            _receives(part, now=now)
        wind(case, by=viewer.name, now=now)
        if wanted is not None and terms.active is not None:  # 4
            _apply(viewer, case, now + terms.active, supplier.name, now=now)
        if terms.proposed is not None and is_embargoed(case):
            propose_end(
                viewer, case.name, now + terms.proposed,
                f"The longer of the office's period and {supplier.name}'s.", now=now,
            )  # fmt: skip
        return part


def _apply(viewer: Viewer, case: Case, ends_at: datetime, supplier: str, *, now: datetime) -> None:
    if case.embargo_ends_at is None or ends_at >= case.embargo_ends_at:
        return
    case.embargo_ends_at, case.embargo_because = ends_at, f"as {supplier} asks"
    case.save(update_fields=["embargo_ends_at", "embargo_because"])
    note(
        case, "embargo-moved", f"The embargo ends on {ends_at:%Y-%m-%d %H:%M} UTC, as {supplier}"
        " asks.", by=viewer.name, now=now, part=Part.CLOCK,
        facts={"ends_at": ends_at.isoformat()},
    )  # fmt: skip


def _keeps_pace(case: Case, supplier: int, name: str, pace: int, *, now: datetime) -> None:
    told = (
        Participant.objects.filter(
            organisation=supplier, role=Role.SUPPLIER, told_at__gt=now - _WEEK
        )
        .exclude(case=case)
        .order_by("told_at")
        .values_list("told_at", flat=True)
    )
    if len(told) >= pace:
        oldest = told[len(told) - pace] if pace else now
        assert oldest is not None, "only those told are asked for"
        again = oldest + _WEEK
        when = f"{again:%Y-%m-%d %H:%M} UTC"
        raise Refused(f"{name} takes {pace} cases in a week and has them; the next from {when} on")


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
        case, _, _ = case_for(viewer, name)
        case = Case.objects.select_for_update().get(pk=case.pk)
        mine = case.participants.filter(
            organisation=viewer.acting_for(), consent__in=(Consent.INVITED, Consent.LAPSED)
        ).select_related("organisation")
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
            by=viewer.name, now=now, part=Part.PARTICIPANTS,
            facts={"organisation": part.organisation.slug},
        )  # fmt: skip
        is_new = ReportState(part.report) is ReportState.START
        if said == "accepted" and is_new and part.role in (Role.SUPPLIER, Role.DEPLOYER):
            _receives(part, now=now)
            if part.role == Role.SUPPLIER:
                note(
                    case, "vendor-aware", f"{part.organisation.name} has the report.",
                    by=viewer.name, now=now, facts={"organisation": part.organisation.slug},
                )  # fmt: skip
        return part
