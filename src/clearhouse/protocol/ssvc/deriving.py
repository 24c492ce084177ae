"""What a table decides where some of its questions are answered by other tables.

CERT/CC, SSVC: Human Impact follows from Safety Impact and Mission Impact, Public Safety Impact
from Safety Impact, Utility from Automatable and Value Density.  No table is asked the same question
in two ways, so that the outcomes told are those that are possible, no more and no less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.ssvc.points import POINTS
from clearhouse.protocol.ssvc.table import Point, Table, decide
from clearhouse.protocol.ssvc.tables import (
    HUMAN_IMPACT_TABLE,
    PUBLIC_SAFETY_IMPACT_TABLE,
    UTILITY_TABLE,
)

#: Answers by the keys of decision points: one value, or those that are still possible.
Answers = Mapping[str, str | Collection[str]]

#: The tables that answer a point, by its key.
DERIVED: Final[Mapping[str, Table]] = {
    table.outcome.key: table
    for table in (HUMAN_IMPACT_TABLE, PUBLIC_SAFETY_IMPACT_TABLE, UTILITY_TABLE)
}


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that is missing, and what is possible once it is given."""

    point: Point
    value: str
    possible: tuple[str, ...]


def possible(table: Table, answers: Answers) -> tuple[str, ...]:
    """The outcomes that are possible, from the least to the most.

    1. Every answer is of a point that some table asks; those that this one does not ask are left
    aside.  2. A point that another table answers is answered by it, but what is stated of it
    counts first.  3. What is not known can have any value.  Raises :class:`Invalid` at 1, and
    for a value that its point does not have.
    """
    given = ((key, one if isinstance(one, str) else tuple(one)) for key, one in answers.items())
    return _possible(table, frozenset(given))


@lru_cache(maxsize=10_000)
def _possible(table: Table, given: frozenset[tuple[str, str | tuple[str, ...]]]) -> tuple[str, ...]:
    """Thousands of flaws on a system have the same few combinations of answers."""
    answers: Answers = dict(given)
    for key in answers:  # 1
        if key not in POINTS:
            raise Invalid(f"no table asks this; known are {', '.join(POINTS)}", key=str(key))
    asked: dict[str, str | Collection[str]] = {}
    for point in table.inputs:
        if point.key in answers:
            asked[point.key] = answers[point.key]
        elif point.key in DERIVED:  # 2
            asked[point.key] = possible(DERIVED[point.key], answers)
    return table.outcome.in_order(decide(table, asked))  # 3


def changes(table: Table, answers: Answers) -> tuple[Change, ...]:
    """What each answer that is missing would leave possible, where that is less than now."""
    now = possible(table, answers)
    return tuple(
        Change(point, value, left)
        for point in asked(table, answers)
        for value in _open(point, answers)
        if (left := possible(table, {**answers, point.key: value})) != now
    )


def asked(table: Table, answers: Answers) -> tuple[Point, ...]:
    """The points that somebody has to answer: a derived one only where it is stated already."""
    return tuple(_asked(table, answers))


def _asked(table: Table, answers: Answers) -> Iterator[Point]:
    for point in table.inputs:
        if point.key in DERIVED and point.key not in answers:
            yield from _asked(DERIVED[point.key], answers)
        else:
            yield point


def _open(point: Point, answers: Answers) -> tuple[str, ...]:
    """The values that a point may still have, none where it has one."""
    known = answers.get(point.key, tuple(point.values))
    return () if isinstance(known, str) or len(known) == 1 else point.in_order(known)
