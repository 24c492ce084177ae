"""Jobs that are done and of which nobody needs to know any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from clearhouse.office.queue.models import Job

#: What has failed stays: an operator looks at it, and may have it done again.
_OVER: Final = (Job.State.DONE, Job.State.CANCELLED)


def forget(kinds: Collection[str], *, before: datetime, most: int) -> int:
    """Take away jobs of these kinds that ended before, at most so many.  How many there were.

    A key that is forgotten can be requested again: for kinds whose keys are never used twice.
    """
    old = Job.objects.filter(kind__in=kinds, state__in=_OVER, ended_at__lt=before)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:most])
    count, _ = Job.objects.filter(pk__in=keys, state__in=_OVER).delete()
    return count
