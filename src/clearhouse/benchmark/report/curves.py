"""Score against budget: how much of what was tried is solved within so much of an attempt's use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.run_record import MICRO_USD, Attempt

HEIGHT: Final = 160
_TOP, _BOTTOM = 10, 10
#: A curve of fewer attempts would show chance.
_FEWEST: Final = 3
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A stroke: across in percent of the width, down in units of :data:`HEIGHT`."""

    x1: float
    x2: float
    y1: float
    y2: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A step curve on a logarithmic scale; ``ticks`` are places in percent with their labels."""

    name: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    quarters: tuple[tuple[float, str], ...]
    says: str


def curves_of(attempts: Sequence[Attempt]) -> tuple[Curve, ...]:
    """A curve for each thing that attempts used: tokens, time, money.

    Only attempts that bear evidence count; what none of them used has no curve.
    """
    judged = [one for one in attempts if one.ending is not Ending.ERROR]
    if len(judged) < _FEWEST:
        return ()
    ways: tuple[tuple[str, Callable[[Attempt], float], Callable[[float], str]], ...] = (
        ("tokens", lambda one: one.tokens, _number),
        ("time", lambda one: one.wall_ms / 1000, _seconds),
        ("money", lambda one: (one.usd_micro or 0) / MICRO_USD, _dollars),
    )
    found = (_curve(name, judged, used, told) for name, used, told in ways)
    return tuple(one for one in found if one is not None)


def _curve(
    name: str,
    judged: Sequence[Attempt],
    used: Callable[[Attempt], float],
    told: Callable[[float], str],
) -> Curve | None:
    amounts = [used(one) for one in judged if used(one) > 0]
    if not amounts:
        return None
    low, high = math.floor(math.log10(min(amounts))), math.ceil(math.log10(max(amounts)))
    high = max(high, low + 1)
    every = max(1, math.ceil((high - low) / _TICKS))
    high = low + every * math.ceil((high - low) / every)

    def across(amount: float) -> float:
        at = math.log10(max(amount, 10.0**low))
        return round(100 * (at - low) / (high - low), 2)

    def down(share: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share), 1)

    lines, x, solved = [], 0.0, 0
    for amount in sorted(used(one) for one in judged if one.ending is Ending.SOLVED):
        before, solved = solved, solved + 1
        to = across(amount)
        lines.append(Line(x, to, down(before / len(judged)), down(before / len(judged))))
        lines.append(Line(to, to, down(before / len(judged)), down(solved / len(judged))))
        x = to
    lines.append(Line(x, 100.0, down(solved / len(judged)), down(solved / len(judged))))
    ticks = tuple((across(10.0**at), told(10.0**at)) for at in range(low, high + 1, every))
    quarters = tuple((down(share), f"{share:.0%}") for share in (0.0, 0.5, 1.0))
    half = sorted(used(one) for one in judged if one.ending is Ending.SOLVED)
    says = f"{solved} of {len(judged)} solved"
    if half:
        says += f", half of those within {told(half[(len(half) - 1) // 2])}"
    return Curve(name, tuple(lines), ticks, quarters, says)


def _number(amount: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.3g}{letter}"
    return f"{amount:.3g}"


def _seconds(amount: float) -> str:
    return f"{amount / 3600:.3g} h" if amount >= 3600 else f"{amount:.3g} s"


def _dollars(amount: float) -> str:
    return f"${amount:.3g}"
