"""Times as documents write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def instant(raw: str | None) -> datetime | None:
    """A time of RFC 3339 in UTC, None for anything else.

    Fractions finer than a microsecond are cut off.
    """
    if raw is None or not _RFC_3339.fullmatch(raw):
        return None
    try:
        return datetime.fromisoformat(raw.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
