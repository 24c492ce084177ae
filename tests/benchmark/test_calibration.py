"""Calibration: parameters are recovered, uncertainty is honest, the same twice."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from clearhouse.benchmark.bank import MICRO, Bank, Item
from clearhouse.benchmark.calibration import Calibration, calibrate
from clearhouse.benchmark.design import (
    Run,
    bank_with,
    calibrated,
    design,
    prior_item,
    uncalibrated_bank,
)
from clearhouse.benchmark.estimate import estimate
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.plan import make_plan
from clearhouse.benchmark.responses import Responses
from clearhouse.errors import Invalid
from tests.benchmark.banks import bank, contents, outcome, terms

ITEMS, SYSTEMS = 60, 30


def _drawn() -> tuple[Responses, dict[str, str], np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    difficulty = generator.normal(0, 1.5, ITEMS)
    slope = np.exp(generator.normal(0, 0.3, ITEMS))
    ability = np.linspace(-3, 3, SYSTEMS)
    chance = 1 / (1 + np.exp(-slope * (ability[:, None] - difficulty)))
    solved = generator.random(chance.shape) < chance
    run = generator.random(chance.shape) < 0.9
    names = tuple(f"i{number}" for number in range(ITEMS))
    systems = tuple(f"s{number}" for number in range(SYSTEMS))
    cells = tuple(
        tuple(bool(one) if here else None for one, here in zip(*rows, strict=True))
        for rows in zip(solved, run, strict=True)
    )
    families = {name: "even" if at % 2 else "odd" for at, name in enumerate(names)}
    return Responses(systems, systems, names, cells), families, difficulty, ability


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    responses, families, _, _ = _drawn()
    return calibrate(responses, families)


def test_difficulties_and_abilities_are_recovered(fitted: Calibration) -> None:
    _, _, difficulty, ability = _drawn()
    found = np.array([one.difficulty for one in fitted.bank.items]) / MICRO
    assert np.corrcoef(found, difficulty)[0, 1] > 0.9
    assert np.abs(found - difficulty).mean() < 0.5
    anchors = np.array([one.ability for one in fitted.bank.anchors]) / MICRO
    assert np.corrcoef(anchors, ability)[0, 1] > 0.95


def test_intervals_hold_about_as_often_as_they_say(fitted: Calibration) -> None:
    _, _, difficulty, ability = _drawn()
    items = sum(
        abs(one.difficulty / MICRO - true) <= 1.96 * one.difficulty_sd / MICRO
        for one, true in zip(fitted.bank.items, difficulty, strict=True)
    )
    assert items >= 0.88 * ITEMS
    anchors = sum(
        low / MICRO <= true <= high / MICRO
        for (low, high), true in zip(
            (one.interval() for one in fitted.bank.anchors), ability, strict=True
        )
    )
    assert anchors >= 0.8 * SYSTEMS


def test_a_system_that_ran_very_much_is_not_known_exactly() -> None:
    """Its ability's deviation is what the items' information leaves (Fisher), above a grid's."""
    generator = np.random.default_rng(3)
    count = 1500
    ability = np.linspace(-2, 2, 9)
    difficulty = generator.normal(0, 1, count)
    solved = generator.random((9, count)) < 1 / (1 + np.exp(difficulty - ability[:, None]))
    names = tuple(f"i{number}" for number in range(count))
    systems = tuple(f"s{number}" for number in range(9))
    cells = tuple(tuple(bool(one) for one in row) for row in solved)
    made = calibrate(Responses(systems, systems, names, cells), dict.fromkeys(names, "all")).bank
    slope = np.exp(np.array([one.log_slope for one in made.items]) / MICRO)
    at = np.array([one.difficulty for one in made.items]) / MICRO
    for anchor in made.anchors:
        chance = 1 / (1 + np.exp(-slope * (anchor.ability / MICRO - at)))
        expected = 1 / np.sqrt((chance * (1 - chance) * slope**2).sum())
        assert anchor.ability_sd / MICRO == pytest.approx(expected, rel=0.1)


def test_a_fit_is_the_same_twice(fitted: Calibration) -> None:
    responses, families, _, _ = _drawn()
    assert bytes(calibrate(responses, families).bank) == bytes(fitted.bank)
    assert Bank.parse(bytes(fitted.bank), "bank.json") == fitted.bank


def test_a_model_that_stands_twice_is_one_witness(fitted: Calibration) -> None:
    responses, families, _, _ = _drawn()
    copied = Responses(
        (*responses.systems, *(f"{one} again" for one in responses.systems)),
        responses.models * 2,
        responses.items,
        responses.cells * 2,
    )
    again = calibrate(copied, families)
    for one, other in zip(fitted.bank.items, again.bank.items, strict=True):
        assert one.difficulty_sd == pytest.approx(other.difficulty_sd, rel=0.02)


def test_what_cannot_be_fitted_is_refused() -> None:
    nothing = Responses(("s",), ("s",), ("i",), ((None,),))
    with pytest.raises(Invalid, match="has no family"):
        calibrate(nothing, {})
    with pytest.raises(Invalid, match="no system has run"):
        calibrate(nothing, {"i": "f"})


def test_an_item_out_of_range_is_refused() -> None:
    with pytest.raises(Invalid, match="correlation out of range"):
        Item("i", "f", 0, 0, 0, 0, MICRO + 1)
    with pytest.raises(Invalid, match="stands twice"):
        Bank((bank().items[0], bank().items[0]))


def test_a_design_reaches_what_simulated_runs_reach(fitted: Calibration) -> None:
    prior = prior_item("new", "odd", fitted.priors)
    anchors = fitted.bank.anchors
    planned = design(prior, anchors, 0.8)
    assert planned.is_enough
    assert planned.expected <= 0.8 < planned.before
    assert max(planned.runs.values()) == 1
    generator = np.random.default_rng(11)
    squares, said = [], []
    for _ in range(200):
        slope = np.exp(generator.normal(0, fitted.priors.slope_spread))
        difficulty = generator.normal(prior.difficulty, prior.difficulty_sd) / MICRO
        runs = []
        for one in anchors:
            if one.name not in planned.runs:
                continue
            ability = generator.normal(one.ability, one.ability_sd) / MICRO
            chance = 1 / (1 + np.exp(-slope * (ability - difficulty)))
            runs.append(Run(one, bool(generator.random() < chance)))
        item = calibrated(prior, runs)
        squares.append((item.difficulty / MICRO - difficulty) ** 2)
        said.append((item.difficulty_sd / MICRO) ** 2)
    assert np.sqrt(np.mean(said)) == pytest.approx(planned.expected, rel=0.1)
    assert np.sqrt(np.mean(squares)) == pytest.approx(planned.expected, rel=0.2)


def test_a_design_that_cannot_reach_it_says_so(fitted: Calibration) -> None:
    prior = prior_item("new", "odd", fitted.priors)
    few = design(prior, fitted.bank.anchors[:3], 0.3)
    assert not few.is_enough
    assert few.total == 3
    assert design(prior, fitted.bank.anchors[:3], 0.3, each=4).total == 12
    with pytest.raises(Invalid):
        design(prior, [], 0.3)


def test_of_a_family_that_was_never_run_less_is_known(fitted: Calibration) -> None:
    known, unknown = (prior_item("new", family, fitted.priors) for family in ("odd", "none"))
    assert unknown.difficulty == 0
    assert unknown.difficulty_sd > 3 * MICRO > known.difficulty_sd


def test_a_bank_takes_items_without_responses_as_their_priors(fitted: Calibration) -> None:
    made = bank_with(fitted, {"i1": "even", "new": "odd", "i2": "odd"})
    assert [one.name for one in made.items] == ["i1", "i2", "new"]
    by_name = {one.name: one for one in fitted.bank.items}
    assert made.items[:2] == (by_name["i1"], by_name["i2"])
    assert made.items[2] == prior_item("new", "odd", fitted.priors)
    assert made.anchors == fitted.bank.anchors
    with pytest.raises(Invalid, match="was calibrated as 'even'"):
        bank_with(fitted, {"i1": "odd"})


def test_without_any_response_a_test_is_one_of_the_share_solved() -> None:
    made = uncalibrated_bank({f"i{number}": "heap" if number % 2 else "parser"
                              for number in range(30)})  # fmt: skip
    planned = make_plan(terms(among=30, most=30), made, contents(made))
    ((solved, failed),) = {(one.solved, one.failed) for one in planned.items}
    # Wald's weights for 0.6 against 0.4, whatever was assumed of difficulties.
    assert solved == pytest.approx(math.log(0.6 / 0.4) * 1e9, rel=1e-5)
    assert failed == pytest.approx(math.log(0.4 / 0.6) * 1e9, rel=1e-5)


def test_an_item_without_runs_is_its_prior(fitted: Calibration) -> None:
    prior = prior_item("new", "odd", fitted.priors)
    same = calibrated(prior, [])
    assert same.difficulty == pytest.approx(prior.difficulty, abs=100)
    assert same.difficulty_sd == pytest.approx(prior.difficulty_sd, rel=0.01)


def test_an_estimate_follows_the_outcomes_and_narrows() -> None:
    names = [one.name for one in bank().items]

    def of(ending: Ending, count: int) -> list[Outcome]:
        return [outcome(name, ending) for name in names[::2][:count]]

    low, high = (estimate(bank(), of(one, 12)) for one in (Ending.FAILED, Ending.SOLVED))
    assert low.low < low.ability < low.high < high.high
    assert low.ability < high.ability
    assert low.accuracy_low <= low.accuracy <= low.accuracy_high
    nothing = estimate(bank(), of(Ending.ERROR, 12))
    assert nothing.items == 0
    assert nothing.high - nothing.low > high.high - high.low
    with pytest.raises(Invalid, match="the bank has no item"):
        estimate(bank(), [outcome("x", Ending.FAILED)])


def test_real_systems_come_out_in_the_order_of_what_they_solve() -> None:
    data = Path(__file__).resolve().parents[3] / "shared" / "data" / "responses"
    if not data.is_dir():
        pytest.skip("the response matrix is not part of the repository")
    from benchmarks import ability

    responses, families = ability.responses()
    assert (len(responses.items), len(responses.systems)) == (302, 25)
    assert len(set(responses.models)) == 20
    few = responses.only_items(responses.items[::6])
    found = {one.name: one.ability for one in calibrate(few, families).bank.anchors}
    assert found["Claude 3 Opus"] < found["Opus 4"] < found["Opus 4.6"]
    assert found["GPT-2"] < found["GPT-4o"] < found["GPT-5.3 Codex"]
