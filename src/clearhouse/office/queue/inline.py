"""Doing waiting jobs in this process at a given time: for demonstrations and tests.

The worker's loop, with leases and a heartbeat, is in :mod:`clearhouse.office.queue.worker`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused, Unavailable
from clearhouse.office.queue import actions
from clearhouse.office.queue.handlers import handler_of, kinds

_LEASE = timedelta(hours=1)


def work_off(
    now: datetime,
    *,
    only: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Do every job that waits, of some kinds or of all.  How many there were.

    What cannot be done here fails at once instead of being put off.
    """
    count = 0
    while claimed := actions.claim("inline", now, only, lease=_LEASE):
        count += 1
        one = handler_of(claimed.kind)
        try:
            result = one.run(claimed.payload, say)
        except (Invalid, NotFound, Refused, Unavailable) as error:
            with transaction.atomic():
                actions.fail(claimed, str(error), now)
            continue
        with transaction.atomic():
            actions.finish(claimed, now)
            one.store(claimed.payload, result, now)
    for kind in kinds():
        handler_of(kind).close()
    return count
