"""The clock of reviews."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.queue.handlers import every
from clearhouse.office.reviews.actions import windows

_CLOCK_SECONDS = 60


@every(_CLOCK_SECONDS, "reviews.clock")
def tick(now: datetime) -> None:
    """Note which windows have ended; nobody has had access since."""
    windows.tick(now)
