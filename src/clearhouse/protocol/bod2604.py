"""By when a vulnerability on a system has to be remediated: CISA BOD 26-04.

Binding Operational Directive 26-04 (June 10, 2026), table of timelines; the clock starts at the
earlier of the listing in KEV and the detection on the system.  Nothing unknown is decided: what is
possible is told whole, the due date is that of the worst case, and which answers would move it is
told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

from clearhouse.protocol.ssvc.deriving import Change, changes, possible
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    IN_KEV,
    PUBLICLY_EXPOSED,
    TECHNICAL_IMPACT,
)
from clearhouse.protocol.ssvc.tables import BOD_26_04

#: Calendar days from the start of the clock; an outcome that is missing waits for the next upgrade.
DAYS: Final[Mapping[str, int]] = {"60D": 60, "14D": 14, "3D": 3, "3DF": 3}
_FORENSIC: Final = "3DF"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a vulnerability on a system.

    None is not known for ``exposed``, ``automatable`` and ``total_impact``.
    """

    detected: datetime
    """When it was found there, with a time zone."""
    listed: date | None = None
    """When KEV listed it; None where it is not in the catalogue."""
    exposed: bool | None = None
    """Whether the system can be reached from the internet: only its owner can say."""
    automatable: bool | None = None
    total_impact: bool | None = None
    looked_up: bool = True
    """False where there was no catalogue to look in: that it is not listed is not known either."""

    def answers(self) -> dict[str, str]:
        """What is known, by the keys of the table's decision points."""
        listed = True if self.listed is not None else (False if self.looked_up else None)
        told = (
            (IN_KEV, listed),
            (PUBLICLY_EXPOSED, self.exposed),
            (AUTOMATABLE, self.automatable),
            (TECHNICAL_IMPACT, self.total_impact),
        )
        return {point.key: tuple(point.values)[value] for point, value in told if value is not None}


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the directive asks, as far as the facts tell."""

    possible: tuple[str, ...]
    """Outcomes (keys of ``REMEDIATION_TIMELINES``) from the least urgent to the most."""
    start: datetime
    due: datetime | None
    """Of the most urgent one; None where it is the next upgrade."""
    forensic: bool
    """Whether the most urgent one asks for a forensic triage of the system too."""
    changes: tuple[Change, ...]
    """What each missing answer would leave possible, where that is less."""

    @property
    def outcome(self) -> str:
        """The most urgent one that is possible: what has to be planned for."""
        return self.possible[-1]

    @property
    def is_certain(self) -> bool:
        """Whether the facts leave one outcome."""
        return len(self.possible) == 1


def timeline(facts: Facts) -> Timeline:
    """The outcome, or those that are possible, and the due date of the most urgent.

    1. What is known goes into the table; what is not can have any value.  2. The clock starts at
    the earlier of listing (its day's beginning, UTC) and detection; a listing whose day is not
    known starts none.  3. Due is the number of days of the most urgent outcome later.  4. Each
    missing answer is tried for what it would change.
    A time without zone is a mistake in the program (``ValueError``).
    """
    if facts.detected.tzinfo is None:
        raise ValueError("the time of detection has no zone")
    outcomes, answers = _read(tuple(facts.answers().items()))  # 1, 4
    start = facts.detected.astimezone(UTC)  # 2
    if facts.listed is not None:
        start = min(start, datetime.combine(facts.listed, time(), UTC))
    days = DAYS.get(outcomes[-1])
    due = None if days is None else start + timedelta(days=days)  # 3
    return Timeline(outcomes, start, due, outcomes[-1] == _FORENSIC, answers)


@cache
def _read(answers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, ...], tuple[Change, ...]]:
    """What the table says to answers, and to those that are missing; 81 ways of answering."""
    known = dict(answers)
    return possible(BOD_26_04, known), changes(BOD_26_04, known)
