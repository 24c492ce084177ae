"""What moves the end of an embargo: the clock's rules applied to a case, and its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.models import Case, Participant, Proposal, Turn
from clearhouse.office.cases.queries import PERIODS, proposals_of, reckoned, state_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.disclosure_clock import Turn as Kind
from clearhouse.protocol.embargo import (
    CONSENT,
    EMBARGO,
    Consent,
    ConsentEvent,
    EmbargoEvent,
    EmbargoState,
)

__all__ = [
    "PERIODS", "decide_proposal", "end_embargo", "propose_end", "take_turn", "terminate", "wind",
]  # fmt: skip

#: No case is kept quiet for longer than that from the day on which it is proposed.
LONGEST: Final = timedelta(days=2 * 365)


def take_turn(
    case: Case, kind: Kind, *, reason: str, by: str, now: datetime, part: Part = Part.CLOCK
) -> None:
    """Record what moves the deadline, with its reason, and move it.

    In the caller's transaction, with the case locked.
    """
    Turn.objects.create(case=case, kind=kind.value, at=now, reason=reason[:1000])
    note(
        case, f"turn-{kind.value}", reason, by=by, now=now, part=part,
        facts={"turn": kind.value},
    )  # fmt: skip
    wind(case, by=by, now=now)


def wind(case: Case, *, by: str, now: datetime) -> None:
    """Set the end of the embargo to what the rules make of what happened."""
    if not EmbargoState(case.embargo).in_force:
        return
    found = reckoned(case, case.told_at)
    if found.at == case.embargo_ends_at:
        return
    case.embargo_ends_at, case.embargo_because = found.at, found.because
    case.save(update_fields=["embargo_ends_at", "embargo_because"])
    note(
        case, "embargo-moved", f"The embargo ends on {found.at:%Y-%m-%d %H:%M} UTC:"
        f" {found.because}.", by=by, now=now, part=Part.CLOCK,
        facts={"ends_at": found.at.isoformat()},
    )  # fmt: skip


def end_embargo(case: Case, *, reason: str, by: str, now: datetime) -> None:
    """End it for everybody at this instant, in the caller's transaction, with the case locked."""
    state = EmbargoState(case.embargo)
    if state in (EmbargoState.NONE, EmbargoState.EXITED):
        return
    if state is EmbargoState.PROPOSED:
        case.embargo = EMBARGO.after(state, EmbargoEvent.REJECT)
    else:
        case.embargo = EMBARGO.after(state, EmbargoEvent.TERMINATE)
    case.embargo_ends_at, case.embargo_because = now, reason[:300]
    case.save(update_fields=["embargo", "embargo_ends_at", "embargo_because"])
    case.proposals.filter(state=Proposal.State.OPEN).update(
        state=Proposal.State.REJECTED, decided_at=now, decided_because="the embargo has ended"
    )
    note(
        case, "embargo-ended", f"The embargo has ended: {reason}", by=by, now=now, part=Part.CLOCK,
    )  # fmt: skip


def terminate(viewer: Viewer, name: str, reason: str, *, now: datetime) -> Case:
    """End an embargo by the office's decision, with a reason."""
    if not reason.strip():
        raise Invalid("say why the embargo ends", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if not EmbargoState(case.embargo).in_force:
            raise Conflict("no embargo is in force")
        end_embargo(case, reason=reason.strip(), by=viewer.name, now=now)
        return case


def propose_end(
    viewer: Viewer, name: str, ends_at: datetime, reason: str, *, now: datetime
) -> Proposal:
    """Propose another end of the embargo, two years ahead at most."""
    if ends_at.tzinfo is None:
        raise Invalid("say in which zone, 2026-12-01T12:00+00:00 for example", key="ends_at")
    if ends_at <= now:
        raise Invalid("the end lies in the past", key="ends_at")
    if ends_at > now + LONGEST:
        raise Invalid(f"at most {LONGEST.days} days ahead", key="ends_at")
    ends_at = ends_at.astimezone(UTC)
    if not reason.strip():
        raise Invalid("say why", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.EMBARGO)
        parts = list(case.participants.all())
        is_none = EmbargoState(case.embargo) is EmbargoState.NONE
        if is_none and not state_of(case, parts).may_begin_embargo:
            raise Refused("no embargo can begin once the world knows, or the fix is out")
        case.embargo = EMBARGO.after(EmbargoState(case.embargo), EmbargoEvent.PROPOSE)
        case.save(update_fields=["embargo"])
        made = Proposal.objects.create(
            case=case, organisation_id=viewer.organisation, by=viewer.name, ends_at=ends_at,
            reason=reason.strip()[:1000], at=now,
        )  # fmt: skip
        note(
            case, "end-proposed",
            f"Another end is proposed, {ends_at:%Y-%m-%d %H:%M} UTC: {reason.strip()}",
            by=viewer.name, now=now, part=Part.PARTICIPANTS,
            facts={"ends_at": ends_at.isoformat()},
        )  # fmt: skip
        return made


def decide_proposal(
    viewer: Viewer, name: str, proposal: int, verdict: str, reason: str, *, now: datetime
) -> Case:
    """Accept or reject a proposed end; without consensus the office decides.

    A later end lapses the consent of everybody but who proposed it: each is asked again, under
    the old terms until then.  A shorter one binds nobody to more than was signed.  ``proposal`` is
    its number in the case, ``verdict`` is ``accepted`` or ``rejected``.
    """
    if verdict not in (Proposal.State.ACCEPTED, Proposal.State.REJECTED):
        raise Invalid("expected accepted or rejected", key="verdict")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        made = next((one for one in proposals_of(case) if one.number == proposal), None)
        if made is None:
            raise NotFound("there is no such proposal")
        if made.state != Proposal.State.OPEN:
            raise Conflict(f"it is {made.state} already")
        made.state, made.decided_at, made.decided_because = verdict, now, reason.strip()[:1000]
        made.save(update_fields=["state", "decided_at", "decided_because"])
        waits = case.proposals.filter(state=Proposal.State.OPEN).exists()
        if verdict == Proposal.State.ACCEPTED:
            case.embargo = EMBARGO.after(EmbargoState(case.embargo), EmbargoEvent.ACCEPT)
            if waits:  # what else is proposed is now a change of the one in force
                case.embargo = EMBARGO.after(EmbargoState(case.embargo), EmbargoEvent.PROPOSE)
            _agree(case, made, now=now)
        elif not waits:
            case.embargo = EMBARGO.after(EmbargoState(case.embargo), EmbargoEvent.REJECT)
        case.save()
        note(
            case, f"end-{verdict}",
            f"The end {made.ends_at:%Y-%m-%d %H:%M} UTC was {verdict}. {reason.strip()}".strip(),
            by=viewer.name, now=now, part=Part.CLOCK, facts={"ends_at": made.ends_at.isoformat()},
        )  # fmt: skip
        return case


def _agree(case: Case, made: Proposal, *, now: datetime) -> None:
    if made.ends_at <= now:
        raise Refused("that end lies in the past by now")
    is_later = case.embargo_ends_at is not None and made.ends_at > case.embargo_ends_at
    case.embargo_ends_at = made.ends_at
    case.embargo_because = "agreed by the participants"
    if not is_later:
        return
    for part in Participant.objects.filter(case=case, consent=Consent.SIGNATORY):
        if part.organisation_id == made.organisation_id:
            continue
        part.consent = CONSENT.after(Consent(part.consent), ConsentEvent.REVISE)
        part.save(update_fields=["consent"])
