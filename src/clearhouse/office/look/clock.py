"""Times as people read them: the absolute one with its zone, and how far off it is.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.errors import Invalid

#: A deadline nearer than this is shown as urgent.
URGENT: Final = timedelta(days=7)
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
#: The largest unit that fits at least twice, or the smallest there is.
_UNITS: Final = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline seen from ``now``."""

    at: datetime
    now: datetime

    @property
    def machine(self) -> str:
        """For the attribute ``datetime`` of HTML's element time."""
        return zoned(self.at).isoformat(timespec="seconds")

    @property
    def absolute(self) -> str:
        """Day, time and zone."""
        return absolute(self.at)

    @property
    def relative(self) -> str:
        """How far off it is, in words."""
        return relative(self.at, self.now)

    @property
    def passed(self) -> bool:
        """Whether it is over; at the very moment it is."""
        return zoned(self.at) <= zoned(self.now)

    @property
    def urgent(self) -> bool:
        """Whether it is over or less than seven days off."""
        return zoned(self.at) - zoned(self.now) < URGENT


def zoned(at: datetime) -> datetime:
    """The same time.  Raises :class:`Invalid` for one without a zone."""
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example")
    return at


def absolute(at: datetime) -> str:
    """``6 March 2027, 14:00 UTC``: no reader takes the month for the day."""
    zone = zoned(at).tzname() or f"UTC{at:%z}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} {zone}"


def relative(at: datetime, now: datetime) -> str:
    """``in 3 days``, ``2 hours ago``, ``now``; rounded down, so that no time is promised."""
    away = zoned(at) - zoned(now)
    far = abs(away)
    if far < timedelta(minutes=1):
        return "now"
    unit, name = next(
        ((unit, name) for unit, name in _UNITS if far >= 2 * unit), (_UNITS[-1][0], _UNITS[-1][1])
    )
    count = far // unit
    words = f"{count} {name if count == 1 else name + 's'}"
    return f"in {words}" if away > timedelta(0) else f"{words} ago"
