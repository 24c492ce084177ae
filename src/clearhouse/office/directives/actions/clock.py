"""What time alone does: it reminds, and ends directives on their day."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.actions.deriving import look_again
from clearhouse.office.directives.actions.issuing import end_by_date
from clearhouse.office.directives.actions.news import tell_waiting
from clearhouse.office.directives.actions.noting import keep
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.directives.stored import directive_of
from clearhouse.protocol.directives.directive import Directive
from clearhouse.protocol.directives.events import Clock, State

#: Obligations that are reminded of at a time; the rest follows with the next tick.
AT_ONCE: Final = 500


def tick(now: datetime) -> None:
    """End what ends today, remind of what is near, look at what was left behind, tell of it."""
    end_by_date(now)
    remind(now)
    look_again(now)
    tell_waiting(now)


def remind(now: datetime) -> int:
    """Let the clock of each obligation that waits for it move.  How many there were."""
    with transaction.atomic():
        rows = list(
            ObligationRow.objects.select_for_update(of=("self",))
            .select_related("directive")
            .filter(state=State.OPEN, next_at__lte=now)
            .order_by("next_at", "pk")[:AT_ONCE]
        )
        read: dict[int, Directive] = {}
        for one in rows:
            if one.directive_id not in read:
                read[one.directive_id] = directive_of(one.directive)
        keep([Change(one, read[one.directive_id], (Clock(),)) for one in rows], now=now)
        return len(rows)
