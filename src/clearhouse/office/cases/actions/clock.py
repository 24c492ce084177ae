"""What time itself does to cases: silent suppliers, embargoes that are over."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from clearhouse.office.authorisation import Part
from clearhouse.office.cases.actions.discussion import hand_to_office
from clearhouse.office.cases.actions.journal import held, note
from clearhouse.office.cases.actions.turns import PERIODS, end_embargo
from clearhouse.office.cases.models import Case, Participant
from clearhouse.protocol.disclosure_clock import gives_up_at
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role

_IN_FORCE: Final = [one.value for one in EmbargoState if one.in_force]
_BY: Final = "clearhouse"
_WAITING: Final = (ReportState.START, ReportState.RECEIVED)


@transaction.atomic
def tick(now: datetime) -> None:
    """Do everything that is due; whoever calls it twice has done it once.

    All cases that are due are held before the first entry is written, in one order: who holds one
    of them and waits to write waits for nobody who waits for it.
    """
    due = {*_over(now).values_list("pk", flat=True), *_quiet(now).values_list("case", flat=True)}
    if not due:
        return
    list(Case.objects.select_for_update(no_key=True).filter(pk__in=due).order_by("pk"))
    end_what_is_over(now)
    notice_silence(now)


def end_what_is_over(now: datetime) -> int:
    """End embargoes whose time is over, and ask the office to publish.  How many there were."""
    count = 0
    for case in _over(now).select_for_update(no_key=True).order_by("pk"):
        why = case.embargo_because
        end_embargo(case, reason=f"its time is over ({why}).", by=_BY, now=now)
        hand_to_office(case, "Publish: the embargo has ended", now=now)
        count += 1
    return count


def notice_silence(now: datetime) -> int:
    """Note suppliers that were told and have not been heard of for too long."""
    quiet = _quiet(now).order_by("case", "pk")
    return sum(_is_given_up(one.pk, one.case_id, now) for one in quiet)


def _over(now: datetime) -> QuerySet[Case]:
    return Case.objects.filter(
        embargo__in=_IN_FORCE, embargo_ends_at__lte=now, state=Case.State.OPEN
    )


def _quiet(now: datetime) -> QuerySet[Participant]:
    return Participant.objects.filter(
        role=Role.SUPPLIER,
        told_at__lte=now - PERIODS.silence,
        silent_since=None,
        report__in=_WAITING,
        case__state=Case.State.OPEN,
        case__public_at=None,
    ).exclude(consent=Consent.DECLINED)


def _is_given_up(participant: int, case_id: int, now: datetime) -> bool:
    """Look again with the case locked: it may have answered meanwhile."""
    case = held(case_id)
    part = case.participants.select_related("organisation").get(pk=participant)
    last = part.heard_at or part.told_at
    if last is None or part.silent_since is not None or gives_up_at(last, PERIODS) > now:
        return False
    part.silent_since = now
    part.save(update_fields=["silent_since"])
    note(
        case, "supplier-silent",
        f"{part.organisation.name} has not answered for {PERIODS.silence.days} days.", by=_BY,
        now=now, part=Part.PARTICIPANTS, facts={"organisation": part.organisation.slug},
    )  # fmt: skip
    hand_to_office(case, f"Reach {part.organisation.name} another way", now=now)
    return True
