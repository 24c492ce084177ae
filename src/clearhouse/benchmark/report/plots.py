"""Where things lie in the two pictures of a report, in parts of a drawing's width and height.

Pure numbers, rounded so that a page is the same wherever it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.benchmark.bank import MICRO, Anchor
from clearhouse.benchmark.deciding import Decision
from clearhouse.benchmark.estimate import Estimate
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import Plan

NATS: Final = 1_000_000_000
HEIGHT: Final = 220
ROW: Final = 26
_ROOM: Final = 1.15


@dataclass(frozen=True, slots=True)
class Point:
    """An item that bore evidence: where it stands, and how its attempt ended."""

    x: float
    y: float
    solved: bool
    tip: str


@dataclass(frozen=True, slots=True)
class Path:
    """The evidence after each item, in percent of the width and units of :data:`HEIGHT`."""

    points: tuple[Point, ...]
    covered: float
    middle: float
    not_covered: float


def path_of(plan: Plan, decision: Decision, endings: Sequence[Ending]) -> Path:
    """Lay the path out between its bounds; ``endings`` are of the items that bear evidence."""
    highest = _ROOM * max([plan.covered, *decision.path])
    lowest = _ROOM * min([plan.not_covered, *decision.path])

    def height(evidence: float) -> float:
        return round(HEIGHT * (highest - evidence) / (highest - lowest), 1)

    count = max(len(decision.path), 1)
    points = tuple(
        Point(
            round(100 * (number - 0.5) / count, 2),
            height(evidence),
            ending is Ending.SOLVED,
            f"{number}: {ending.value}, evidence {nats(evidence)}",
        )
        for number, (evidence, ending) in enumerate(zip(decision.path, endings, strict=True), 1)
    )
    return Path(points, height(plan.covered), height(0), height(plan.not_covered))


@dataclass(frozen=True, slots=True)
class Bar:
    """A system's ability and its 95 % interval, in percent of the width."""

    name: str
    at: float
    low: float
    width: float
    says: str
    own: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Abilities on one scale, with the region in which nothing is promised."""

    bars: tuple[Bar, ...]
    region: float
    region_width: float
    first: str
    last: str


def scale_of(plan: Plan, anchors: Sequence[Anchor], own: Estimate) -> Scale:
    """Lay anchors, the system and the region out on one scale; the most able first."""
    rows: list[tuple[str, float, float, float, bool]] = []
    for anchor in anchors:
        lower, upper = anchor.interval()
        rows.append((anchor.name, anchor.ability / MICRO, lower / MICRO, upper / MICRO, False))
    rows.append(("this system", own.ability, own.low, own.high, True))
    ends = [end for row in rows for end in row[2:4]] + [plan.low / MICRO, plan.high / MICRO]
    first, last = min(ends) - 0.25, max(ends) + 0.25

    def place(ability: float) -> float:
        return round(100 * (ability - first) / (last - first), 2)

    bars = tuple(
        Bar(
            name, place(at), place(low), round(place(high) - place(low), 2),
            f"{at:+.2f} ({low:+.2f} to {high:+.2f})", is_own,
        )
        for name, at, low, high, is_own in sorted(rows, key=lambda row: (-row[1], row[0]))
    )  # fmt: skip
    low, high = place(plan.low / MICRO), place(plan.high / MICRO)
    return Scale(bars, low, round(high - low, 2), f"{first:+.1f}", f"{last:+.1f}")


def nats(evidence: float) -> str:
    """Evidence in nats, signed, with two digits."""
    return f"{evidence / NATS:+.2f}"
