"""Simulated systems: how often a plan decides wrongly, and what it costs.

A simulated system gets an ability, and items drawn from the bank's own uncertainty; a misfit then
breaks the response model.  What is true of it is its expected share of the whole bank under its
own, possibly broken, chances: that is what the plan's threshold speaks of.  Its outcomes are
drawn, and the plan's own choosing and deciding are run on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearhouse.benchmark.bank import MICRO, Bank
from clearhouse.benchmark.choosing import pick
from clearhouse.benchmark.deciding import Verdict, weight
from clearhouse.benchmark.outcomes import Ending, Outcome, Standing
from clearhouse.benchmark.plan import PER_MILLE, Plan
from clearhouse.benchmark.weighing import NANO, ROUGH_RULE

Floats: TypeAlias = NDArray[np.float64]
_VERDICT: Final = "sha256:" + "0" * 64

#: How far from the threshold systems are drawn, as a share of the bank.  Nearer is harder.
REACH: Final = 0.25
DRIFTING_SHARE, DRIFT_LOGITS = 0.2, 1.0
BAD_SHARE: Final = 0.05
FAMILY_LOGITS: Final = 0.5
PROJECT_ITEMS, PROJECT_LOGITS = 5, 1.0


class Misfit(StrEnum):
    """How simulated systems break the response model.

    ``DRIFT``: a fifth of the items have moved by a normal amount of 1 logit since calibration.
    ``BAD_ITEMS``: 5 % of the items are solved the less, the abler the system is.
    ``SECOND_DIMENSION``: a system's ability differs between families, by 0.5 logits.
    ``PROJECTS``: the items of a family come in groups of five (one project), and a system has a
    deviation of 1 logit on each group: it knows that project, or does not.
    """

    NONE = "none: the model is right"
    DRIFT = "a fifth of the items drifted"
    BAD_ITEMS = "5 % bad items"
    SECOND_DIMENSION = "a second dimension"
    PROJECTS = "dependence inside projects"


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came out for a number of simulated systems.

    ``outside`` is how many of them truly lay outside the region, ``wrong`` how many of those were
    decided wrongly, ``open_outside`` how many stayed indeterminate.  ``items`` is the mean number
    run for those outside, ``items_all`` for all.  ``wrong_all`` counts, with those inside the
    region, every verdict on the wrong side of the threshold.
    """

    systems: int
    outside: int
    wrong: int
    open_outside: int
    wrong_all: int
    items: float
    items_all: float
    most_exposed: float

    def bound(self, confidence: float = 0.95) -> float:
        """The upper confidence bound on the rate of wrong decisions outside (Clopper-Pearson)."""
        return clopper_pearson(self.wrong, self.outside, confidence)


def simulate(
    plan: Plan, bank: Bank, misfit: Misfit, systems: int, seed: int, *, reach: float = REACH
) -> Simulated:
    """Run ``systems`` simulated systems through the plan; the same ``seed`` gives the same.

    They are drawn evenly from the shares within ``reach`` of the threshold.
    """
    generator = np.random.default_rng(seed)
    draws = _Draws(plan, bank, misfit, reach)
    low, high = _edges(plan)
    threshold = plan.terms.threshold_ppm / MICRO
    outside = wrong = still_open = wrong_all = items = items_all = 0
    exposed: dict[str, int] = {}
    for number in range(systems):
        chances = draws.chances(generator)
        share = float(chances.mean())
        solved = generator.random(len(chances)) < chances
        verdict, run = administer(plan, f"simulated {number} of {seed}".encode().ljust(32), solved)
        for name in run:
            exposed[name] = exposed.get(name, 0) + 1
        is_wrong = (verdict is Verdict.COVERED and share < threshold) or (
            verdict is Verdict.NOT_COVERED and share > threshold
        )
        wrong_all += is_wrong
        items_all += len(run)
        if not low < share < high:
            outside += 1
            wrong += is_wrong
            still_open += verdict is Verdict.INDETERMINATE
            items += len(run)
    return Simulated(
        systems,
        outside,
        wrong,
        still_open,
        wrong_all,
        items / max(outside, 1),
        items_all / max(systems, 1),
        max(exposed.values(), default=0) / max(systems, 1),
    )


def administer(plan: Plan, seed: bytes, solved: NDArray[Any]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on a system that solves these of the plan's items, and the items it was given.

    The same as asking :func:`next_item` and :func:`decide` in turn, with the sum carried along.
    """
    ending_of = {
        one.name: Ending.SOLVED if is_solved else Ending.FAILED
        for one, is_solved in zip(plan.items, solved.tolist(), strict=True)
    }
    standing = Standing.at_start(plan)
    evidence = 0
    run: list[str] = []
    while len(run) < plan.terms.most:
        name = pick(standing, seed)
        if name is None:
            break
        ending = ending_of[name]
        standing.take(Outcome(name, ending, _VERDICT))
        run.append(name)
        evidence += weight(plan, plan.by_name[name], ending)
        if standing.has_enough:
            if evidence >= plan.covered:
                return Verdict.COVERED, tuple(run)
            if evidence <= plan.not_covered:
                return Verdict.NOT_COVERED, tuple(run)
    return Verdict.INDETERMINATE, tuple(run)


def random_order(plan: Plan) -> Plan:
    """The baseline: items in random order, each worth the same, no response model.

    A test of the share solved against threshold plus and minus region, with the same bounds and
    the same minimum, but none for families.
    """
    low, high = _edges(plan)
    solved = round(np.log(high / low) * NANO)
    failed = round(np.log((1 - high) / (1 - low)) * NANO)
    items = tuple(replace(one, solved=solved, failed=failed, information=0) for one in plan.items)
    terms = replace(plan.terms, among=len(items), least_of={}, discount=PER_MILLE)
    return replace(plan, terms=terms, items=items)


def clopper_pearson(wrong: int, of: int, confidence: float = 0.95) -> float:
    """The upper bound of the one-sided exact interval (Clopper and Pearson 1934)."""
    if wrong >= of:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, of, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, of: int, rate: float) -> float:
    """The probability of at most ``wrong`` of ``of`` at this rate."""
    counts = np.arange(1, of + 1, dtype=float)
    logs = np.concatenate([[0.0], np.cumsum(np.log(counts))])
    some = np.arange(wrong + 1)
    terms = logs[of] - logs[some] - logs[of - some]
    terms = terms + some * np.log(rate) + (of - some) * np.log1p(-rate)
    return float(np.exp(terms).sum())


def _edges(plan: Plan) -> tuple[float, float]:
    terms = plan.terms
    return (
        (terms.threshold_ppm - terms.region_ppm) / MICRO,
        (terms.threshold_ppm + terms.region_ppm) / MICRO,
    )


class _Draws:
    """Chances of simulated systems on the plan's items."""

    def __init__(self, plan: Plan, bank: Bank, misfit: Misfit, reach: float) -> None:
        parameters = [
            (
                one.log_slope,
                one.difficulty,
                one.log_slope_sd,
                one.difficulty_sd,
                one.correlation,
            )
            for one in bank.items
        ]
        columns = np.array(parameters, dtype=float).T / MICRO
        self._slope, self._difficulty, self._slope_sd, self._difficulty_sd, self._together = columns
        self._families = _numbered([one.family for one in bank.items])
        self._projects = _projects(self._families)
        self._abilities = np.linspace(-12.0, 12.0, 481)
        self._shares = self._expected_shares()
        middle = plan.terms.threshold_ppm / MICRO
        self._range = max(middle - reach, 0.02), min(middle + reach, 0.98)
        self._apply = _MISFITS[misfit]

    def chances(self, generator: np.random.Generator) -> Floats:
        """One system's chances: an ability, the items as they may truly be, and the misfit."""
        share = generator.uniform(*self._range)
        ability = float(np.interp(share, self._shares, self._abilities))
        first, second = generator.standard_normal((2, len(self._slope)))
        slope = np.exp(self._slope + self._slope_sd * first)
        rest = np.sqrt(np.maximum(1 - self._together**2, 0.0))
        apart = self._together * first + rest * second
        difficulty = self._difficulty + self._difficulty_sd * apart
        return self._apply(self, generator, slope, ability - difficulty)

    def _expected_shares(self) -> Floats:
        """The share of the bank that each ability of the grid solves, calibration integrated."""
        total = np.zeros((len(self._slope), len(self._abilities)))
        rest = np.sqrt(np.maximum(1 - self._together**2, 0.0))
        for first, first_weight in ROUGH_RULE:
            slope = np.exp(self._slope + self._slope_sd * first)
            for second, second_weight in ROUGH_RULE:
                apart = self._together * first + rest * second
                difficulty = self._difficulty + self._difficulty_sd * apart
                gap = self._abilities[None, :] - difficulty[:, None]
                total += first_weight * second_weight * _logistic(slope[:, None] * gap)
        found: Floats = total.mean(axis=0)
        return found

    def _right(self, _: np.random.Generator, slope: Floats, gap: Floats) -> Floats:
        return _logistic(slope * gap)

    def _drifted(self, generator: np.random.Generator, slope: Floats, gap: Floats) -> Floats:
        moved = generator.random(len(gap)) < DRIFTING_SHARE
        return _logistic(slope * (gap + moved * generator.normal(0.0, DRIFT_LOGITS, len(gap))))

    def _bad(self, generator: np.random.Generator, slope: Floats, gap: Floats) -> Floats:
        bad = generator.random(len(gap)) < BAD_SHARE
        return _logistic(np.where(bad, -slope, slope) * gap)

    def _twofold(self, generator: np.random.Generator, slope: Floats, gap: Floats) -> Floats:
        own = generator.normal(0.0, FAMILY_LOGITS, int(self._families.max()) + 1)
        return _logistic(slope * (gap + own[self._families]))

    def _together_in_projects(
        self, generator: np.random.Generator, slope: Floats, gap: Floats
    ) -> Floats:
        own = generator.normal(0.0, PROJECT_LOGITS, int(self._projects.max()) + 1)
        return _logistic(slope * (gap + own[self._projects]))


_MISFITS: Final[dict[Misfit, Callable[[_Draws, np.random.Generator, Floats, Floats], Floats]]] = {
    Misfit.NONE: _Draws._right,  # noqa: SLF001 - the table of this class's own ways
    Misfit.DRIFT: _Draws._drifted,  # noqa: SLF001
    Misfit.BAD_ITEMS: _Draws._bad,  # noqa: SLF001
    Misfit.SECOND_DIMENSION: _Draws._twofold,  # noqa: SLF001
    Misfit.PROJECTS: _Draws._together_in_projects,  # noqa: SLF001
}


def _numbered(names: list[str]) -> NDArray[Any]:
    known = sorted(set(names))
    return np.array([known.index(name) for name in names])


def _projects(families: NDArray[Any]) -> NDArray[Any]:
    """Groups of ``PROJECT_ITEMS`` neighbours within each family."""
    seen: dict[int, int] = {}
    keys = []
    for family in families.tolist():
        keys.append(f"{family}/{seen.get(family, 0) // PROJECT_ITEMS}")
        seen[family] = seen.get(family, 0) + 1
    return _numbered(keys)


def _logistic(value: Floats) -> Floats:
    found: Floats = 0.5 * (1.0 + np.tanh(value / 2.0))
    return found
