"""Calibration: what each item asks of a system, and how well that is known.

The model is the two-parameter logistic one (Birnbaum 1968): a system of ability ``theta`` solves
an item of slope ``a`` and difficulty ``b`` with probability 1 / (1 + exp(-a (theta - b))).  It is
fitted by marginal maximum likelihood with an expectation-maximisation algorithm (Bock and Aitkin
1981), abilities being integrated out over a grid.  There are few reference systems and many items,
so items share priors: log slopes one, difficulties one for each family, whose means and spreads are
estimated along with the rest (Mislevy 1986).  The typical slope is 1, which fixes the unit: left
free, few systems and many items let the scale shrink to nothing.

Two systems of one model are not two witnesses: what they say of an item counts once, shared.

The result is rounded to a bank of integers, which is committed by its digest.  Nothing that
decides is computed from the fit's own floating-point numbers, which may differ in their last digit
between machines; within one machine the fit is deterministic, as nothing in it is drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearhouse.benchmark.bank import MICRO, Anchor, Bank, Item
from clearhouse.benchmark.responses import Responses
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown

Floats: TypeAlias = NDArray[np.float64]

#: Abilities over which is summed, in logits; their prior's standard deviation.
_NODES: Final = np.linspace(-10.0, 10.0, 201)
_SPREAD: Final = 2.0
#: The finer grid of one system: its nodes, how many standard deviations it reaches, and logits.
_FINE: Final = 401
_REACH, _LEAST_REACH = 6.0, 1.0
_ROUNDS: Final = 400
_ENOUGH: Final = 2e-3  # the change of any parameter in a round at which the fit has converged
_SCORING_STEPS: Final = 3
_LONGEST_STEP: Final = 0.5
#: The family means' own prior: difficulties lie within a few standard deviations of the systems.
FAMILY_SPREAD: Final = 3.0
#: Inverse-gamma priors keep the spreads off zero where a family has few items (shape, scale).
#: What spreads are before anything was observed.
SLOPE_SPREAD: Final = 0.35
DIFFICULTY_SPREAD: Final = 1.0
_SLOPE_SPREAD_PRIOR: Final = (20.0, 20.0 * SLOPE_SPREAD**2)
_DIFFICULTY_SPREAD_PRIOR: Final = (2.0, 2.0 * DIFFICULTY_SPREAD**2)


@dataclass(frozen=True, slots=True)
class Priors:
    """What was learnt of items as such: of a family's next item before anybody has tried it.

    Log slopes are normal around 0 with ``slope_spread``; difficulties of a family are normal with
    its mean and ``difficulty_spread``.
    """

    slope_spread: float
    family_means: Mapping[str, float]
    difficulty_spread: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fit: the bank with its anchors, and the priors that new items get."""

    bank: Bank
    priors: Priors
    rounds: int


@dataclass(slots=True)
class _State:
    """The parameters while they are fitted; one entry an item."""

    log_slope: Floats
    difficulty: Floats
    slope_spread: float
    family_means: Floats
    difficulty_spread: float


def calibrate(responses: Responses, families: Mapping[str, str]) -> Calibration:
    """Fit the model; ``families`` names the family of every item.

    Raises :class:`Invalid` for an item without a family, and where no system ran anything.
    """
    for name in responses.items:
        if name not in families:
            raise Invalid(f"the item {shown(name)} has no family")
    names = sorted({families[name] for name in responses.items})
    family = np.array([names.index(families[name]) for name in responses.items])
    solved, run = _observed(responses)
    if not run.any():
        raise Invalid("no system has run any of the items")
    weight = _shared(responses, run)
    state = _start(len(responses.items), len(names))
    rounds = 0
    for rounds in range(1, _ROUNDS + 1):  # noqa: B007 - how many it took is told
        before = np.concatenate([state.log_slope, state.difficulty])
        posterior = abilities(state.log_slope, state.difficulty, solved, run)
        covariance = _maximise(state, family, *_counts(posterior, solved, run, weight))
        _update_priors(state, family, covariance)
        if np.abs(np.concatenate([state.log_slope, state.difficulty]) - before).max() < _ENOUGH:
            break
    posterior = abilities(state.log_slope, state.difficulty, solved, run)
    covariance = _covariance(state, _counts(posterior, solved, run, weight)[1])
    bank = Bank(
        items=_items(responses, families, state, covariance),
        anchors=_anchors(responses, state, posterior, solved, run),
    )
    priors = Priors(
        state.slope_spread,
        dict(zip(names, (float(one) for one in state.family_means), strict=True)),
        state.difficulty_spread,
    )
    return Calibration(bank, priors, rounds)


def abilities(
    log_slope: Floats, difficulty: Floats, solved: Floats, run: Floats, nodes: Floats = _NODES
) -> Floats:
    """The distribution of each system's ability over the grid, given the items; rows sum to 1."""
    z = np.exp(log_slope)[:, None] * (nodes[None, :] - difficulty[:, None])
    hit, miss = -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)
    logs = solved @ hit + (run - solved) @ miss - 0.5 * (nodes / _SPREAD) ** 2
    found: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    return found


def _observed(responses: Responses) -> tuple[Floats, Floats]:
    """1.0 where solved; 1.0 where run."""
    run = np.array([[cell is not None for cell in row] for row in responses.cells], dtype=float)
    solved = np.array([[cell is True for cell in row] for row in responses.cells], dtype=float)
    return solved, run


def _shared(responses: Responses, run: Floats) -> Floats:
    """What each cell counts: the systems that are one model share one voice on each item."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, model in enumerate(responses.models):
        rows[model].append(index)
    weight = np.zeros_like(run)
    for members in rows.values():
        weight[members] = run[members] / np.maximum(run[members].sum(axis=0), 1.0)
    return weight


def _counts(
    posterior: Floats, solved: Floats, run: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Expected numbers of solutions and of trials, for each item at each node."""
    return (weight * solved).T @ posterior, (weight * run).T @ posterior


def _start(items: int, families: int) -> _State:
    return _State(
        np.zeros(items), np.zeros(items), SLOPE_SPREAD, np.zeros(families), DIFFICULTY_SPREAD
    )


def _maximise(state: _State, family: NDArray[Any], hits: Floats, trials: Floats) -> Floats:
    """Move every item towards its mode by Fisher scoring; returns the covariances there."""
    for _ in range(_SCORING_STEPS):
        gradient = _gradient(state, family, hits, trials)
        step = np.einsum("ijk,ik->ij", _covariance(state, trials), gradient)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        state.log_slope = state.log_slope + step[:, 0]
        state.difficulty = state.difficulty + step[:, 1]
    return _covariance(state, trials)


def _probabilities(state: _State) -> tuple[Floats, Floats, Floats]:
    slope = np.exp(state.log_slope)[:, None]
    apart = _NODES[None, :] - state.difficulty[:, None]
    return 1.0 / (1.0 + np.exp(-slope * apart)), slope, apart


def _gradient(state: _State, family: NDArray[Any], hits: Floats, trials: Floats) -> Floats:
    chance, slope, apart = _probabilities(state)
    excess = hits - trials * chance
    by_slope = (excess * slope * apart).sum(axis=1)
    by_difficulty = -(excess * slope).sum(axis=1)
    by_slope -= state.log_slope / state.slope_spread**2
    by_difficulty -= (state.difficulty - state.family_means[family]) / state.difficulty_spread**2
    return np.stack([by_slope, by_difficulty], axis=1)


def _covariance(state: _State, trials: Floats) -> Floats:
    """The inverse of each item's expected information, its priors' included (Laplace)."""
    chance, slope, apart = _probabilities(state)
    spread = trials * chance * (1.0 - chance) * slope**2
    slopes = (spread * apart**2).sum(axis=1) + state.slope_spread**-2
    difficulties = spread.sum(axis=1) + state.difficulty_spread**-2
    both = -(spread * apart).sum(axis=1)
    determinant = slopes * difficulties - both**2
    adjugate = np.stack([difficulties, -both, -both, slopes], axis=1).reshape(-1, 2, 2)
    found: Floats = adjugate / determinant[:, None, None]
    return found


def _update_priors(state: _State, family: NDArray[Any], covariance: Floats) -> None:
    """The shared priors' own step: means and spreads over items, uncertainty included."""
    count = np.bincount(family).astype(float)
    sums = np.bincount(family, weights=state.difficulty)
    precision = count / state.difficulty_spread**2 + FAMILY_SPREAD**-2
    state.family_means = sums / state.difficulty_spread**2 / precision
    around = (state.difficulty - state.family_means[family]) ** 2 + covariance[:, 1, 1]
    state.difficulty_spread = _spread(around, _DIFFICULTY_SPREAD_PRIOR)
    around = state.log_slope**2 + covariance[:, 0, 0]
    state.slope_spread = _spread(around, _SLOPE_SPREAD_PRIOR)


def _spread(squares: Floats, prior: tuple[float, float]) -> float:
    shape, scale = prior
    return float(np.sqrt((squares.sum() / 2 + scale) / (len(squares) / 2 + shape + 1)))


def _items(
    responses: Responses, families: Mapping[str, str], state: _State, covariance: Floats
) -> tuple[Item, ...]:
    found = []
    for index, name in enumerate(responses.items):
        slope_sd, difficulty_sd = np.sqrt(np.diagonal(covariance[index]))
        found.append(
            Item(
                name,
                families[name],
                log_slope=_micro(state.log_slope[index]),
                difficulty=_micro(state.difficulty[index]),
                log_slope_sd=_micro(slope_sd),
                difficulty_sd=_micro(difficulty_sd),
                correlation=_micro(covariance[index, 0, 1] / slope_sd / difficulty_sd),
            )
        )
    return tuple(found)


def _anchors(
    responses: Responses, state: _State, posterior: Floats, solved: Floats, run: Floats
) -> tuple[Anchor, ...]:
    """The systems' abilities, each on a finer grid around where the coarse one has it.

    A system that ran hundreds of items is known better than the coarse grid's step.
    """
    found = []
    for index, (name, model) in enumerate(zip(responses.systems, responses.models, strict=True)):
        mean, spread = _moments(posterior[index], _NODES)
        nodes = np.linspace(-1.0, 1.0, _FINE) * max(_REACH * spread, _LEAST_REACH) + mean
        row = slice(index, index + 1)
        fine = abilities(state.log_slope, state.difficulty, solved[row], run[row], nodes)
        mean, spread = _moments(fine[0], nodes)
        count = int(run[index].sum())
        found.append(Anchor(name, model, _micro(mean), _micro(spread), count))
    return tuple(found)


def _moments(mass: Floats, nodes: Floats) -> tuple[float, float]:
    mean = float(mass @ nodes)
    square = float(mass @ (nodes - mean) ** 2)
    return mean, float(np.sqrt(max(square, 0.0)))


def _micro(value: float) -> int:
    return round(float(value) * MICRO)
