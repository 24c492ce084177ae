"""What is done by time."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.assessments.actions import deciding
from clearhouse.office.queue.handlers import every

_SECONDS = 60


@every(_SECONDS, "assessments.count")
def count(now: datetime) -> None:
    """Count what is over."""
    deciding.count_those_over(now)
