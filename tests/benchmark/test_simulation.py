"""Simulated systems: wrong decisions outside the region stay within what was declared."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from clearhouse.benchmark.choosing import next_item
from clearhouse.benchmark.deciding import decide
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.simulation import (
    Misfit,
    administer,
    clopper_pearson,
    random_order,
    simulate,
)
from tests.benchmark.banks import bank, outcome, plan


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert clopper_pearson(0, 10_000) == pytest.approx(1 - 0.05 ** (1 / 10_000))
    # Beta(4, 97)'s 95 % point, as tables and R's qbeta(0.95, 4, 97) have it.
    assert clopper_pearson(3, 100) == pytest.approx(0.0757, abs=2e-4)
    assert clopper_pearson(5, 5) == 1.0


def test_the_simulation_is_the_rule_itself() -> None:
    generator = np.random.default_rng(5)
    for number in range(10):
        seed = hashlib.sha256(str(number).encode()).digest()
        solved = generator.random(len(plan().items)) < 0.6
        of = {one.name: bool(solved[at]) for at, one in enumerate(plan().items)}
        outcomes: list[Outcome] = []
        while (name := next_item(plan(), seed, outcomes)) is not None:
            outcomes.append(outcome(name, Ending.SOLVED if of[name] else Ending.FAILED))
        verdict, run = administer(plan(), seed, solved)
        assert run == tuple(one.item for one in outcomes)
        assert verdict is decide(plan(), outcomes).verdict


@pytest.mark.parametrize("misfit", list(Misfit))
def test_few_decisions_outside_the_region_are_wrong(misfit: Misfit) -> None:
    found = simulate(plan(), bank(), misfit, 300, seed=3)
    assert found.outside > 100
    assert found.wrong <= 0.03 * found.outside
    assert found == simulate(plan(), bank(), misfit, 300, seed=3)


def test_the_plan_needs_fewer_items_than_a_random_order() -> None:
    by_plan = simulate(plan(), bank(), Misfit.NONE, 200, seed=4)
    by_chance = simulate(random_order(plan()), bank(), Misfit.NONE, 200, seed=4)
    assert by_plan.items < by_chance.items
    assert by_plan.most_exposed < 1


@pytest.mark.slow
@pytest.mark.parametrize("misfit", list(Misfit))
def test_at_most_one_in_a_hundred_is_wrong_outside_the_region(misfit: Misfit) -> None:
    found = simulate(plan(), bank(), misfit, 10_000, seed=1)
    assert found.outside > 5000
    assert found.bound() <= 0.01
