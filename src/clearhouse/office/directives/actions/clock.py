"""What time alone does to obligations: it reminds."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.actions.noting import keep
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.directives.stored import directive_of
from clearhouse.protocol.directives.directive import Directive
from clearhouse.protocol.directives.events import Clock, State

#: Obligations that are reminded of at a time; the rest follows with the next tick.
AT_ONCE: Final = 500


def remind(now: datetime) -> int:
    """Let the clock of each obligation that waits for it move.  How many there were.

    They are held in the order of their keys, as by whoever looks at a system.
    """
    with transaction.atomic():
        waiting = ObligationRow.objects.filter(state=State.OPEN, next_at__lte=now)
        first = waiting.order_by("next_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
        rows = list(
            waiting.select_for_update(of=("self",))
            .select_related("directive")
            .filter(pk__in=list(first))
            .order_by("pk")
        )
        read: dict[int, Directive] = {}
        for one in rows:
            if one.directive_id not in read:
                read[one.directive_id] = directive_of(one.directive)
        keep([Change(one, read[one.directive_id], (Clock(),)) for one in rows], now=now)
        return len(rows)
