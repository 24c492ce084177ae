"""What the API keeps is kept for a while only."""

from __future__ import annotations

from datetime import datetime

from clearhouse.office.api import answers, limits
from clearhouse.office.queue.handlers import every

_HOUR = 3600


@every(_HOUR, "api.forget")
def forget(now: datetime) -> None:
    """Remove answers and allowances that nobody needs any more."""
    answers.forget(now=now)
    limits.forget(now=now)
