"""Calibrating new items: how many runs of which reference systems a wanted precision takes.

A new item has no responses.  What is known of it is its family's prior, which enters the bank as
such: a badly known item weighs little, and nothing has to be assumed.  Runs of reference systems
with known abilities narrow it.  Each run counts as independent given the abilities; a second run of
one system on one item is less than that, so a design takes each system once unless told otherwise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearhouse.benchmark.bank import MICRO, Anchor, Bank, Item
from clearhouse.benchmark.calibration import (
    DIFFICULTY_SPREAD,
    FAMILY_SPREAD,
    SLOPE_SPREAD,
    Calibration,
    Priors,
)
from clearhouse.benchmark.weighing import ROUGH_RULE
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown

Floats: TypeAlias = NDArray[np.float64]

#: The grid of a new item's parameters: log slopes and difficulties, in prior deviations.
_SLOPES: Final = np.linspace(-3.5, 3.5, 15)
_DIFFICULTIES: Final = np.linspace(-4.5, 4.5, 91)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a reference system on a new item."""

    anchor: Anchor
    is_solved: bool


@dataclass(frozen=True, slots=True)
class Design:
    """Runs by anchor's name, and the difficulty's standard deviation to expect after them.

    ``expected`` is in logits, ``before`` what it is without any run.  ``is_enough`` says whether
    the wanted precision is expected to be met.
    """

    runs: Mapping[str, int]
    expected: float
    before: float
    is_enough: bool

    @property
    def total(self) -> int:
        """How many runs that is for each new item."""
        return sum(self.runs.values())


def prior_item(name: str, family: str, priors: Priors) -> Item:
    """A new item as its family's prior has it, before any run.

    Of a family that was not calibrated the mean is not known either: the item is around 0 with the
    spread of families and of items in one.
    """
    is_known = family in priors.family_means
    spread = priors.difficulty_spread if is_known else _of_any_family(priors.difficulty_spread)
    return Item(
        name,
        family,
        log_slope=0,
        difficulty=round(priors.family_means.get(family, 0.0) * MICRO),
        log_slope_sd=round(priors.slope_spread * MICRO),
        difficulty_sd=round(spread * MICRO),
        correlation=0,
    )


def bank_with(calibration: Calibration, families: Mapping[str, str]) -> Bank:
    """The calibrated bank over the items of ``families``, those without a response as priors.

    The items come in the order of their names.  Raises :class:`Invalid` for an item whose family
    is not the one that it was calibrated in.
    """
    known = {one.name: one for one in calibration.bank.items}
    items = []
    for name, family in sorted(families.items()):
        item = known.get(name) or prior_item(name, family, calibration.priors)
        if item.family != family:
            raise Invalid(f"the item {shown(name)} was calibrated as {shown(item.family)}")
        items.append(item)
    return Bank(tuple(items), calibration.bank.anchors)


def uncalibrated_bank(families: Mapping[str, str]) -> Bank:
    """A bank of items of which nothing is known but their families.

    All have the same prior, so all weigh the same, and a test over them is one of the share solved
    (Wald 1945, of a proportion).  It speaks of the bank where the items are drawn evenly from it:
    among all of them, with families' minima in proportion.
    """
    nothing = Priors(SLOPE_SPREAD, {}, DIFFICULTY_SPREAD)
    return Bank(
        tuple(prior_item(name, family, nothing) for name, family in sorted(families.items()))
    )


def _of_any_family(spread: float) -> float:
    return math.hypot(FAMILY_SPREAD, spread)


def design(prior: Item, anchors: Sequence[Anchor], wanted: float, *, each: int = 1) -> Design:
    """The fewest runs, chosen one by one, after which the difficulty is known to ``wanted`` logits.

    Every run is the one that narrows the difficulty most on average over the prior; each anchor
    runs at most ``each`` times.  Uses the expected information (Fisher), whose agreement with what
    simulated runs give is a test of this module.
    Raises :class:`Invalid` where there is no anchor, or nothing is asked for.
    """
    if not anchors or wanted <= 0 or each < 1:
        raise Invalid("a design needs anchors, a precision above 0, and at least one run each")
    gains = {one.name: _information(prior, one) for one in anchors}
    total = _prior_precision(prior)
    before = _expected(total)
    chosen: Counter[str] = Counter()
    reached = before
    while reached > wanted:
        free = [name for name in sorted(gains) if chosen[name] < each]
        if not free:
            break
        best = min(free, key=lambda name: _expected(total + gains[name]))
        total = total + gains[best]
        chosen[best] += 1
        reached = _expected(total)
    return Design(dict(sorted(chosen.items())), reached, before, reached <= wanted)


def calibrated(prior: Item, runs: Sequence[Run]) -> Item:
    """The new item after these runs; the anchors' own uncertainty is carried into its own."""
    slopes = (prior.log_slope + prior.log_slope_sd * _SLOPES) / MICRO
    difficulties = (prior.difficulty + prior.difficulty_sd * _DIFFICULTIES) / MICRO
    logs = -0.5 * (_SLOPES[:, None] ** 2 + _DIFFICULTIES[None, :] ** 2)
    for run in runs:
        chance = np.zeros_like(logs)
        for node, weight in ROUGH_RULE:
            ability = (run.anchor.ability + run.anchor.ability_sd * node) / MICRO
            gap = np.exp(slopes)[:, None] * (ability - difficulties[None, :])
            chance += weight * 0.5 * (1 + np.tanh(gap / 2))
        logs = logs + np.log(np.clip(chance if run.is_solved else 1 - chance, 1e-12, 1.0))
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    slope, difficulty = float(mass.sum(1) @ slopes), float(mass.sum(0) @ difficulties)
    slope_sd = float(np.sqrt(mass.sum(1) @ (slopes - slope) ** 2))
    difficulty_sd = float(np.sqrt(mass.sum(0) @ (difficulties - difficulty) ** 2))
    together = float((slopes - slope) @ mass @ (difficulties - difficulty))
    return Item(
        prior.name,
        prior.family,
        log_slope=round(slope * MICRO),
        difficulty=round(difficulty * MICRO),
        log_slope_sd=round(slope_sd * MICRO),
        difficulty_sd=round(difficulty_sd * MICRO),
        correlation=round(together / (slope_sd * difficulty_sd) * MICRO),
    )


def _nodes(prior: Item) -> tuple[Floats, Floats, Floats]:
    """Log slopes and difficulties over which the prior is averaged, and their weights."""
    pairs = [(one, other) for one in ROUGH_RULE for other in ROUGH_RULE]
    slopes = np.array([prior.log_slope + prior.log_slope_sd * one[0] for one, _ in pairs])
    difficulties = np.array([prior.difficulty + prior.difficulty_sd * two[0] for _, two in pairs])
    weights = np.array([one[1] * two[1] for one, two in pairs])
    return slopes / MICRO, difficulties / MICRO, weights


def _information(prior: Item, anchor: Anchor) -> Floats:
    """Fisher's information of one run on (log slope, difficulty), and each node's weight."""
    slopes, difficulties, weights = _nodes(prior)
    slope = np.exp(slopes)
    # Averaged over the anchor's uncertainty, the curve is flatter (Zeger, Liang and Albert 1988).
    flat = 1 / np.sqrt(1 + 0.346 * (slope * anchor.ability_sd / MICRO) ** 2)
    apart = anchor.ability / MICRO - difficulties
    chance = 0.5 * (1 + np.tanh(slope * flat * apart / 2))
    spread = chance * (1 - chance) * (slope * flat) ** 2
    found: Floats = np.stack([spread * apart**2, -spread * apart, spread, 0 * weights])
    return found


def _prior_precision(prior: Item) -> Floats:
    weights = _nodes(prior)[2]
    one = np.ones_like(weights)
    slope, difficulty = (MICRO / max(sd, 1) for sd in (prior.log_slope_sd, prior.difficulty_sd))
    return np.stack([one * slope**2, 0 * one, one * difficulty**2, weights])


def _expected(total: Floats) -> float:
    """The root of the difficulty's posterior variance, averaged over the prior."""
    slopes, both, difficulties, weights = total
    return float(np.sqrt((weights * slopes / (slopes * difficulties - both**2)).sum()))
