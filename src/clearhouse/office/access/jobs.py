"""What is done by time."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.access.actions import end_for_leavers
from clearhouse.office.queue.handlers import every

_SECONDS = 60


@every(_SECONDS, "access.leavers")
def leavers(now: datetime) -> None:
    """End the grants of people who are not there any more."""
    end_for_leavers(now=now)
