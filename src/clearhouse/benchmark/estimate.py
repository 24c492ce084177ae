"""Where a system stands: its ability with an interval, for pictures and reports.

Nothing is decided by it.  The posterior of the ability is summed over a grid under a wide normal
prior, each item's parameters being integrated out over their calibration's uncertainty.  It is
rounded to two digits in logits and three in shares, where no machine differs from another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from clearhouse.benchmark.bank import Bank, Item
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.weighing import rough_accuracy, rough_chance
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown

PRIOR_SPREAD: Final = 3.0
_STEP: Final = 0.05
_GRID: Final = tuple(round(-10 + _STEP * step, 2) for step in range(401))
_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True)
class Estimate:
    """An ability in logits with its central 95 % interval, and the share of the bank each means."""

    ability: float
    low: float
    high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    items: int


def estimate(bank: Bank, outcomes: Sequence[Outcome]) -> Estimate:
    """The estimate after these outcomes; errors count for nothing, every other failure as one.

    Raises :class:`Invalid` for an item that the bank lacks.
    """
    named = {one.name: one for one in bank.items}
    logs = [-0.5 * (ability / PRIOR_SPREAD) ** 2 for ability in _GRID]
    items = 0
    for outcome in outcomes:
        if outcome.ending is Ending.ERROR:
            continue
        if outcome.item not in named:
            raise Invalid(f"the bank has no item {shown(outcome.item)}")
        items += 1
        solving, failing = _logs(named[outcome.item])
        added = solving if outcome.ending is Ending.SOLVED else failing
        logs = [log + more for log, more in zip(logs, added, strict=True)]
    top = max(logs)
    masses = [math.exp(one - top) for one in logs]
    total = math.fsum(masses)
    mean = math.fsum(mass * at for mass, at in zip(masses, _GRID, strict=True)) / total
    low, high = _quantile(masses, total, _TAIL), _quantile(masses, total, 1 - _TAIL)
    return Estimate(
        round(mean, 2),
        round(low, 2),
        round(high, 2),
        round(rough_accuracy(bank, mean), 3),
        round(rough_accuracy(bank, low), 3),
        round(rough_accuracy(bank, high), 3),
        items,
    )


# A page that follows a test asks for the same items every few seconds; one takes 5 ms.
@lru_cache(maxsize=2048)
def _logs(item: Item) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The log of the chance to solve an item, and to fail at it, at each ability of the grid."""
    chances = [min(max(rough_chance(item, one), 1e-12), 1 - 1e-12) for one in _GRID]
    return tuple(map(math.log, chances)), tuple(math.log(1 - one) for one in chances)


def _quantile(masses: Sequence[float], total: float, share: float) -> float:
    """Where the distribution function reaches ``share``, straight between the grid's points."""
    wanted, below = share * total, 0.0
    for mass, ability in zip(masses, _GRID, strict=True):
        if below + mass >= wanted:
            return ability - _STEP / 2 + _STEP * (wanted - below) / mass
        below += mass
    return _GRID[-1]
