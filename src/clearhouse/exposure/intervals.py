"""OSV's ranges as half-open intervals of version keys.

Open Source Vulnerability format, schema 1.7, section "Evaluation".  A version is inside a range
when walking the events up to it leaves it inside; the walk becomes intervals ``low <= key < high``:

1. ``introduced`` opens at the version's key, ``0`` at the empty key, which is before all.
2. ``fixed`` closes at the version's key; ``last_affected`` at the first place after it, the key
   and a zero byte: no key begins with another.
3. Events are walked in the order of their places.  Of events at one place the format does not say
   the order.  An introduction and a fix there cancel: where the range was open it stays so, as the
   flaw was introduced again, and where it was not nothing is ever affected by the pair.
4. A version has to be below one of the range's limits, so below the highest; ``*`` is none.
5. A range with an event that has no place in the order gives no intervals but a reason: what it
   says of other versions is not known either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from clearhouse.formats.osv import Bound, Event
from clearhouse.versions import OutsideGrammar

Key: TypeAlias = Callable[[str], bytes | OutsideGrammar]

FIRST: Final = b""
LAST: Final = b"\xff" * 8
"""After every key: no order begins a key with so many of them."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Versions with ``low <= key < high``, and the events that say so."""

    low: bytes
    high: bytes
    opened: Event
    closed: Event | None
    """None where the range goes on without end."""

    def holds(self, key: bytes) -> bool:
        """Whether the version with this key is inside."""
        return self.low <= key < self.high

    def __str__(self) -> str:
        since = "any version" if self.low == FIRST else f"{self.opened.version} or later"
        match self.closed:
            case None:
                return since if self.low != FIRST else "every version"
            case Event(Bound.LAST_AFFECTED, version):
                return f"{since}, up to {version}"
            case Event(_, version):
                return f"{since}, before {version}"


@dataclass(frozen=True, slots=True)
class Unordered:
    """A range that cannot be drawn."""

    reason: str


def intervals_of(events: Sequence[Event], key: Key) -> tuple[Interval, ...] | Unordered:
    """The intervals of one range, in order, none touching or overlapping another of them."""
    placed: list[tuple[bytes, bool, Event]] = []
    limit: tuple[bytes, Event] | None = None
    endless = not any(event.bound is Bound.LIMIT for event in events)
    for event in events:
        if event.bound is Bound.LIMIT and event.version == "*":
            endless = True
            continue
        place = _place(event, key)
        if isinstance(place, OutsideGrammar):
            return Unordered(f"{event.bound.value} {event.version} is not {place.expected}")
        if event.bound is Bound.LIMIT:
            limit = max(limit, (place, event), key=lambda one: one[0]) if limit else (place, event)
        else:
            placed.append((place, event.bound is Bound.INTRODUCED, event))
    placed.sort(key=lambda one: one[:2])
    found = _walked(placed)
    return tuple(found if endless or limit is None else _below(found, *limit))


def _place(event: Event, key: Key) -> bytes | OutsideGrammar:
    if event.version == "0" and event.bound is not Bound.LAST_AFFECTED:
        return FIRST
    place = key(event.version)
    if isinstance(place, OutsideGrammar) or event.bound is not Bound.LAST_AFFECTED:
        return place
    return place + b"\0"


def _walked(placed: Sequence[tuple[bytes, bool, Event]]) -> list[Interval]:
    found: list[Interval] = []
    opened: tuple[bytes, Event] | None = None
    for place, group in groupby(placed, key=lambda one: one[0]):
        events = {opens: event for _, opens, event in group}
        if len(events) == 2:
            continue
        ((opens, event),) = events.items()
        if opens and opened is None:
            opened = (place, event)
        elif not opens and opened is not None:
            found.append(Interval(opened[0], place, opened[1], event))
            opened = None
    if opened is not None:
        found.append(Interval(opened[0], LAST, opened[1], None))
    return found


def _below(found: Sequence[Interval], high: bytes, limit: Event) -> list[Interval]:
    return [
        one if one.high <= high else Interval(one.low, high, one.opened, limit)
        for one in found
        if one.low < high
    ]
