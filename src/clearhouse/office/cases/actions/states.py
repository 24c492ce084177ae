"""What happens to a report at each participant, and to the vulnerability in the world."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.authorisation import Deed, Part, part_about
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.actions.turns import end_embargo, take_turn
from clearhouse.office.cases.models import Case, Participant
from clearhouse.office.cases.queries import state_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.case_state import CaseEvent as Letter
from clearhouse.protocol.case_state import CaseState
from clearhouse.protocol.disclosure_clock import Turn as Kind
from clearhouse.protocol.embargo import Consent, EmbargoState, End, must_end
from clearhouse.protocol.report_management import REPORT, ReportEvent, ReportState
from clearhouse.protocol.roles import Role

_SAID: Final = {
    ReportEvent.VALIDATE: "says that the report is valid",
    ReportEvent.INVALIDATE: "says that the report is not valid",
    ReportEvent.ACCEPT: "takes the report on",
    ReportEvent.DEFER: "defers the report",
    ReportEvent.CLOSE: "has closed the report",
}
#: The things that a supplier does, and where the time of each is kept.
_OF_SUPPLIER: Final = {Letter.FIX_READY: "fix_ready_at", Letter.FIX_DEPLOYED: "fix_deployed_at"}
_OF_WORLD: Final = {
    Letter.PUBLIC: "public_at",
    Letter.EXPLOIT_PUBLIC: "exploit_public_at",
    Letter.ATTACKS: "attacks_at",
}
_TURNS: Final = {
    Letter.PUBLIC: Kind.PUBLISHED,
    Letter.EXPLOIT_PUBLIC: Kind.LEAKED,
    Letter.ATTACKS: Kind.ATTACKED,
}
_SENTENCES: Final = {
    Letter.FIX_READY: "has a fix ready",
    Letter.FIX_DEPLOYED: "has released the fix",
    Letter.PUBLIC: "The vulnerability is public.",
    Letter.EXPLOIT_PUBLIC: "An exploit is public.",
    Letter.ATTACKS: "Attacks have been seen.",
}


def report_state(
    viewer: Viewer, name: str, event: ReportEvent, reason: str = "", *, now: datetime
) -> Participant:
    """Say where one's own organisation stands with the report (Vultron report management)."""
    if event is ReportEvent.RECEIVE:
        raise Refused("a report is received by accepting the invitation")
    if event in (ReportEvent.INVALIDATE, ReportEvent.DEFER) and not reason.strip():
        raise Invalid("say why", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.REPORT_STATE)
        part = _own(viewer, case)
        part.report = REPORT.after(ReportState(part.report), event)
        part.heard_at, part.silent_since = now, None
        part.save(update_fields=["report", "heard_at", "silent_since"])
        text = f"{part.organisation.name} {_SAID[event]}. {reason.strip()}".strip()
        note(
            case, f"report-{event.value}", text, by=viewer.name, now=now,
            part=part_about(Role(part.role)),
            facts={"organisation": part.organisation.slug, "state": part.report},
        )  # fmt: skip
        return part


def _own(viewer: Viewer, case: Case) -> Participant:
    mine = case.participants.filter(
        organisation=viewer.acting_for(), role__in=(Role.SUPPLIER, Role.DEPLOYER)
    ).select_related("organisation")
    # As supplier before as deployer, where it is both.
    part = mine.order_by("-role").first()
    if part is None:
        raise NotFound("your organisation has no report to answer in this case")
    return part


def fix_progress(
    viewer: Viewer, name: str, letter: Letter, *, now: datetime, supplier: str = ""
) -> Participant:
    """Say that a fix is ready, or released: a supplier for itself, the office for any."""
    if letter not in _OF_SUPPLIER:
        raise Invalid("expected F (ready) or D (released)", key="event")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.REPORT_STATE)
        suppliers = case.participants.filter(role=Role.SUPPLIER).select_related("organisation")
        if viewer.coordinates:
            part = suppliers.filter(organisation__slug=supplier).first()
        else:
            part = suppliers.filter(organisation=viewer.acting_for()).first()
        if part is None:
            raise NotFound("there is no such supplier in this case")
        state_of_one(case, part).after(letter)  # refuses what the model does not allow
        setattr(part, _OF_SUPPLIER[letter], now)
        part.heard_at, part.silent_since = now, None
        part.save()
        note(
            case, f"supplier-{letter.name.lower()}",
            f"{part.organisation.name} {_SENTENCES[letter]}.", by=viewer.name, now=now,
            part=Part.PARTICIPANTS,
            facts={"organisation": part.organisation.slug, "event": letter.value},
        )  # fmt: skip
        return part


def state_of_one(case: Case, supplier: Participant) -> CaseState:
    """The case's state for one supplier."""
    return state_of(case, [supplier])


def name_fix_date(viewer: Viewer, name: str, reason: str, *, now: datetime) -> Case:
    """A supplier, or the office for it, says that its fix is coming: the grace is added, once.

    Raises :class:`Refused` where it would move nothing: the grace was given, or the time is over.
    """
    if not reason.strip():
        raise Invalid("say when the fix comes", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.REPORT_STATE)
        mine = case.participants.filter(role=Role.SUPPLIER).exclude(consent=Consent.DECLINED)
        if not viewer.coordinates:
            mine = mine.filter(organisation=viewer.acting_for())
        if not mine.exists():
            raise NotFound("your organisation mends nothing in this case")
        if case.told_at is None or not EmbargoState(case.embargo).in_force:
            raise Refused("no clock is running in this case")
        before = case.embargo_ends_at
        take_turn(
            case, Kind.FIX_COMING, reason=reason.strip(), by=viewer.name, now=now,
            part=Part.PARTICIPANTS,
        )  # fmt: skip
        if case.embargo_ends_at == before:
            raise Refused("the time for a fix that is coming was given already, or is over")
        mine.filter(organisation=viewer.organisation).update(heard_at=now, silent_since=None)
        return case


def world_event(viewer: Viewer, name: str, letter: Letter, reason: str, *, now: datetime) -> Case:
    """Record that it became public, that an exploit did, or that attacks were seen.

    What is public ends the embargo; attacks bring its end forward (protocol.embargo.must_end).
    An exploit that is public makes the vulnerability public with it, as the model demands.
    """
    if letter not in _OF_WORLD:
        raise Invalid("expected P (public), X (exploit public) or A (attacks)", key="event")
    if not reason.strip():
        raise Invalid("say how it is known", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        parts = list(case.participants.all())
        state_of(case, parts).after(letter)
        happen(case, letter, reason.strip(), by=viewer.name, now=now)
        if letter is Letter.EXPLOIT_PUBLIC and case.public_at is None:
            happen(case, Letter.PUBLIC, "An exploit is public.", by=viewer.name, now=now)
        return case


def happen(case: Case, letter: Letter, reason: str, *, by: str, now: datetime) -> None:
    """Something has happened in the world: note it, and let it move or end the embargo.

    In the caller's transaction, with the case locked.
    """
    setattr(case, _OF_WORLD[letter], now)
    case.save(update_fields=[_OF_WORLD[letter]])
    if letter is Letter.PUBLIC:
        # What is public makes vendors aware (Householder and Spring 2021, section 2).
        unaware = case.participants.filter(role=Role.SUPPLIER, aware_at=None)
        unaware.exclude(consent=Consent.DECLINED).update(aware_at=now)
    note(
        case, letter.name.lower().replace("_", "-"), f"{_SENTENCES[letter]} {reason}", by=by,
        now=now, part=Part.CLOCK, facts={"event": letter.value},
    )  # fmt: skip
    ends = must_end(state_of(case, list(case.participants.all())))
    if EmbargoState(case.embargo).in_force and letter in _TURNS:
        take_turn(case, _TURNS[letter], reason=f"{_SENTENCES[letter]} {reason}", by=by, now=now)
    if ends is End.SHALL:
        end_embargo(case, reason=_SENTENCES[letter], by=by, now=now)


def publish_case(viewer: Viewer, name: str, *, now: datetime) -> Case:
    """The office publishes: the vulnerability is public from this instant, the embargo over.

    In the transaction that publishes the advisory; a revision of it changes nothing here.
    """
    case, _ = locked_case(viewer, name, Deed.RUN)
    if case.public_at is None:
        state_of(case, list(case.participants.all())).after(Letter.PUBLIC)
        happen(case, Letter.PUBLIC, "The advisory is published.", by=viewer.name, now=now)
    return case


def collide(viewer: Viewer, name: str, kind: Kind, reason: str, *, now: datetime) -> Case:
    """Record a collision: found by somebody else, leaked, or a fix that anyone can read."""
    if kind not in (Kind.REDISCOVERED, Kind.LEAKED, Kind.FIX_PUBLIC):
        raise Invalid("expected rediscovered, leaked or fix-public", key="turn")
    if not reason.strip():
        raise Invalid("say how it is known", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if not EmbargoState(case.embargo).in_force:
            raise Refused("no embargo is in force")
        take_turn(case, kind, reason=reason.strip(), by=viewer.name, now=now)
        return case
