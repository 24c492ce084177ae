"""When a case becomes public, and why then: the deadline that follows from what has happened.

The periods are the common defaults of coordinated disclosure: 90 days and 14 more where a fix is
about to come; 7 and 7 more where it is attacked already; a supplier that says nothing for 30 days
is given up on and the coordinator takes over; a second finder, a leak or a fix that anyone can read
ends the silence at once or soon.  An office sets its own in :class:`Periods`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from clearhouse.errors import Invalid


@dataclass(frozen=True, slots=True)
class Periods:
    """How long an office waits."""

    usual: timedelta = timedelta(days=90)
    usual_grace: timedelta = timedelta(days=14)
    attacked: timedelta = timedelta(days=7)
    attacked_grace: timedelta = timedelta(days=7)
    silence: timedelta = timedelta(days=30)
    rediscovered: timedelta = timedelta(days=30)


class Turn(StrEnum):
    """What moves a deadline."""

    FIX_COMING = "fix-coming"  # the supplier names a date for its fix, within the grace
    ATTACKED = "attacked"
    REDISCOVERED = "rediscovered"  # somebody else has found it
    LEAKED = "leaked"
    FIX_PUBLIC = "fix-public"  # a change that shows the flaw can be read by anyone
    PUBLISHED = "published"


#: Those that end the silence at once.
AT_ONCE: Final = frozenset({Turn.LEAKED, Turn.FIX_PUBLIC, Turn.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that moves the deadline, and when it was learned."""

    turn: Turn
    at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the case becomes public at the latest, and the sentence that says why."""

    at: datetime
    because: str


def deadline(
    told: datetime,
    happenings: Iterable[Happening] = (),
    periods: Periods = Periods(),
    *,
    since: str = "",
) -> Deadline:
    """The deadline of a case whose supplier was told at ``told``.

    ``since`` is the sentence for a period that begins with something else.

    1. It begins as the usual period.  2. A fix that is coming adds the grace of the period that is
    running, once, before that period has ended, and never beyond the usual period with its grace.
    3. Attacks, another finder, a leak and a public fix can only bring it forward, 4. and never to
    before they were learned.  5. What is out stays out.  All times have a zone; raises
    :class:`Invalid` otherwise.
    """
    ordered = sorted(happenings, key=lambda one: _zoned(one.at))
    since = since or f"{_days(periods.usual)} since the supplier was told"
    found = Deadline(_zoned(told) + periods.usual, since)  # 1
    latest = found.at + periods.usual_grace
    grace = periods.usual_grace
    for one in ordered:
        if one.turn is Turn.FIX_COMING:
            if grace and one.at <= found.at:  # 2
                because = f"{found.because}, and {_days(grace)} more for a fix that is coming"
                found = Deadline(min(found.at + grace, latest), because)
                grace = timedelta(0)
            continue
        period, because = _shortened(one.turn, periods)
        if one.at + period < found.at:  # 3, 4
            found = Deadline(one.at + period, because)
            grace = periods.attacked_grace if one.turn is Turn.ATTACKED else grace
        if one.turn in AT_ONCE:  # 5
            grace = timedelta(0)
    return found


def _shortened(turn: Turn, periods: Periods) -> tuple[timedelta, str]:
    """How long may still be waited after such a turn, and the sentence for it."""
    match turn:
        case Turn.ATTACKED:
            return periods.attacked, f"{_days(periods.attacked)} since it is attacked"
        case Turn.REDISCOVERED:
            why = f"{_days(periods.rediscovered)} since somebody else found it"
            return periods.rediscovered, why
        case Turn.LEAKED:
            return timedelta(0), "it has leaked"
        case Turn.FIX_PUBLIC:
            return timedelta(0), "a fix that shows it is public"
        case Turn.PUBLISHED:
            return timedelta(0), "it is public"
        case Turn.FIX_COMING:
            raise AssertionError("a fix that is coming shortens nothing")
        case _:
            assert_never(turn)


def gives_up_at(last_heard: datetime, periods: Periods = Periods()) -> datetime:
    """When a supplier last heard of then counts as silent, and the coordinator takes over."""
    return _zoned(last_heard) + periods.silence


def _days(period: timedelta) -> str:
    return f"{period.days} days"


def _zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example")
    return at
