"""The figures, when a week is over."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.oversight.actions import publish_figures
from clearhouse.office.queue.handlers import every


@every(600, "oversight.figures")
def tick(now: datetime) -> None:
    """Publish what is due."""
    publish_figures(now)
