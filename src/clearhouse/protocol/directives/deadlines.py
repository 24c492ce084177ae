"""By when a directive wants something done: a rule, and the date that it gives.

Before it was issued a directive asks nothing: no clock starts earlier.  Nothing is due before it is
in force.  Where the rule does not say a date, there is none, and the reason says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from clearhouse.errors import Invalid
from clearhouse.protocol.bod2604 import DAYS, Facts, timeline
from clearhouse.protocol.ssvc.points import PUBLICLY_EXPOSED, REMEDIATION_TIMELINES
from clearhouse.protocol.system_questions import EXPOSURE

#: The longest period that a rule can set, in days: ten years.
MOST_DAYS: Final = 3650
#: The years that a directive's dates lie in.
_YEARS: Final = range(2000, 2101)


class Start(StrEnum):
    """From what a period counts."""

    ISSUE = "issue"
    DETECTION = "detection"
    LISTING = "kev-listing"


@dataclass(frozen=True, slots=True)
class Bod2604Table:
    """The table of timelines of CISA BOD 26-04 (:mod:`clearhouse.protocol.bod2604`)."""


@dataclass(frozen=True, slots=True)
class DaysFrom:
    """A number of calendar days from a start."""

    start: Start
    days: int

    def __post_init__(self) -> None:
        if not 0 < self.days <= MOST_DAYS:
            raise Invalid(f"expected 1 to {MOST_DAYS} days", key="days")


@dataclass(frozen=True, slots=True)
class FixedDate:
    """A date and time for everybody, with a zone."""

    at: datetime

    def __post_init__(self) -> None:
        dated(self.at, "at")


@dataclass(frozen=True, slots=True)
class NextUpgrade:
    """When the system is next upgraded as planned."""


Rule: TypeAlias = Bod2604Table | DaysFrom | FixedDate | NextUpgrade


@dataclass(frozen=True, slots=True)
class Due:
    """By when, counted from when, and the sentence for it."""

    at: datetime | None
    start: datetime
    because: str
    unanswered: frozenset[str] = frozenset()
    """What would have to be known to be sure of it, as in ``selection.Selection``."""
    forensic: bool = False
    """Whether the system has to be searched for signs of an attack too."""


def due(
    rule: Rule,
    facts: Facts,
    *,
    issued: datetime,
    in_force: datetime,
    upgrades: Sequence[datetime] = (),
) -> Due:
    """The date that a rule gives for a vulnerability on a system; all times have a zone.

    1. The rule is read.  2. No clock starts before the directive was issued.  3. Nothing is due
    before it is in force.  Raises :class:`Invalid` for a time without zone.
    """
    for at, key in ((issued, "issued"), (in_force, "in_force"), (facts.detected, "detected")):
        zoned(at, key)
    found = _read(rule, facts, issued, upgrades)  # 1, 2
    if found.at is None or found.at >= in_force:
        return found
    because = f"{found.because}, but not before it is in force"
    return Due(in_force, found.start, because, found.unanswered, found.forensic)  # 3


def _read(rule: Rule, facts: Facts, issued: datetime, upgrades: Sequence[datetime]) -> Due:
    match rule:
        case Bod2604Table():
            return _table(facts, issued, upgrades)
        case FixedDate(at):
            return Due(at, issued, "a date for everybody")
        case NextUpgrade():
            return _upgrade(issued, facts, upgrades)
        case DaysFrom(start, days):
            return _days(start, days, facts, issued)
        case _:
            assert_never(rule)


def _table(facts: Facts, issued: datetime, upgrades: Sequence[datetime]) -> Due:
    found = timeline(facts)
    start = max(found.start, issued)
    unanswered = frozenset(_QUESTIONS[one.point.key] for one in found.changes)
    days = DAYS.get(found.outcome)
    if days is None:
        return _upgrade(start, facts, upgrades)
    because = f"BOD 26-04: {REMEDIATION_TIMELINES.name_of(found.outcome)}"
    if not found.is_certain:
        because += ", the shortest of what is possible until more is known"
    return Due(start + timedelta(days=days), start, because, unanswered, found.forensic)


#: What has to be answered to fill a column of the table.
_QUESTIONS: Final = {
    PUBLICLY_EXPOSED.key: EXPOSURE.key,
    "KEV": "in-kev",
    "A": "automatable",
    "TI": "technical-impact",
}


def _upgrade(start: datetime, facts: Facts, upgrades: Sequence[datetime]) -> Due:
    """By the first upgrade after the clock starts and the flaw came."""
    since = max(start, facts.detected)
    upgrade = next((at for at in upgrades if zoned(at, "upgrades") > since), None)
    if upgrade is None:
        return Due(None, start, "at the next scheduled upgrade; nobody has said when that is")
    return Due(upgrade, start, "at the next scheduled upgrade")


def _days(start: Start, days: int, facts: Facts, issued: datetime) -> Due:
    length = timedelta(days=days)
    match start:
        case Start.ISSUE:
            return Due(issued + length, issued, f"{days} days from the directive")
        case Start.DETECTION:
            begin = max(facts.detected, issued)
            return Due(begin + length, begin, f"{days} days from its detection")
        case Start.LISTING if facts.listed is not None:
            begin = max(datetime.combine(facts.listed, time(), UTC), issued)
            return Due(begin + length, begin, f"{days} days from its listing in KEV")
        case Start.LISTING if facts.looked_up:
            begin = max(facts.detected, issued)
            return Due(None, begin, f"{days} days from its listing in KEV, which has not happened")
        case Start.LISTING:
            begin = max(facts.detected, issued)
            because = f"{days} days from its detection, as nobody knows whether KEV lists it"
            return Due(begin + length, begin, because, frozenset({"in-kev"}))
        case _:
            assert_never(start)


def zoned(at: datetime, key: str) -> datetime:
    """A time, if it has a zone.  Raises :class:`Invalid` otherwise."""
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example", key=key)
    return at


def dated(at: datetime, key: str) -> datetime:
    """A time that a directive names, if it has a zone and is of this century."""
    if zoned(at, key).year not in _YEARS:
        raise Invalid(f"expected a year from {_YEARS[0]} to {_YEARS[-1]}", key=key)
    return at
