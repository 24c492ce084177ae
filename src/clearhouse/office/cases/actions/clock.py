"""What time itself does to cases: silent suppliers, embargoes that are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.office.authorisation import Part
from clearhouse.office.cases.actions.journal import note
from clearhouse.office.cases.actions.turns import PERIODS, end_embargo
from clearhouse.office.cases.models import Case, Participant, Task
from clearhouse.office.names import new_name
from clearhouse.protocol.disclosure_clock import gives_up_at
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role

_IN_FORCE: Final = [one.value for one in EmbargoState if one.in_force]
_BY: Final = "clearhouse"
#: How long the office has for what a clock hands to it.
_TO_ACT: Final = timedelta(days=2)
_WAITING: Final = (ReportState.START, ReportState.RECEIVED)


@transaction.atomic
def tick(now: datetime) -> None:
    """Do everything that is due; whoever calls it twice has done it once."""
    end_what_is_over(now)
    notice_silence(now)


def end_what_is_over(now: datetime) -> int:
    """End embargoes whose time is over, and ask the office to publish.  How many there were."""
    over = Case.objects.select_for_update().filter(
        embargo__in=_IN_FORCE, embargo_ends_at__lte=now, state=Case.State.OPEN
    )
    count = 0
    for case in over:
        why = case.embargo_because
        end_embargo(case, reason=f"its time is over ({why}).", by=_BY, now=now)
        _task(case, "Publish: the embargo has ended", now=now)
        count += 1
    return count


def notice_silence(now: datetime) -> int:
    """Note suppliers that were told and have not been heard of for too long."""
    quiet = Participant.objects.filter(
        role=Role.SUPPLIER,
        told_at__lte=now - PERIODS.silence,
        silent_since=None,
        report__in=_WAITING,
        case__state=Case.State.OPEN,
        case__public_at=None,
    ).exclude(consent=Consent.DECLINED)
    return sum(_is_given_up(one.pk, one.case_id, now) for one in quiet)


def _is_given_up(participant: int, case_id: int, now: datetime) -> bool:
    """Look again with the case locked: it may have answered meanwhile."""
    case = Case.objects.select_for_update().get(pk=case_id)
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
    _task(case, f"Reach {part.organisation.name} another way", now=now)
    return True


def _task(case: Case, title: str, *, now: datetime) -> None:
    Task.objects.create(
        case=case, name=new_name("T"), title=title[:300], assignee=None, made_by=_BY, made_at=now,
        due_at=now + _TO_ACT,
    )  # fmt: skip
