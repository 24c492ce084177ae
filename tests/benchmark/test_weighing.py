"""Weights: exact, ordered, and worth what the likelihood says."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.benchmark.bank import MICRO, Item
from clearhouse.benchmark.weighing import (
    NANO,
    ability_at,
    accuracy_at,
    bound,
    chance,
    rough_chance,
    weigh,
)
from clearhouse.errors import Invalid
from tests.benchmark.banks import bank

ITEMS = st.builds(
    Item,
    st.just("i"),
    st.just("f"),
    log_slope=st.integers(-MICRO, MICRO),
    difficulty=st.integers(-5 * MICRO, 5 * MICRO),
    log_slope_sd=st.integers(0, MICRO // 2),
    difficulty_sd=st.integers(0, 2 * MICRO),
    correlation=st.integers(-MICRO, MICRO),
)


def test_a_known_item_weighs_what_the_logistic_curve_says() -> None:
    item = Item("i", "f", 0, 0, 0, 0, 0)
    found = weigh(item, -MICRO, MICRO)
    assert found.solved == NANO  # ln(s(1) / s(-1)) = 1
    assert found.failed == -NANO
    assert found.information == round(2 * NANO * (2 / (1 + math.exp(-1)) - 1))


@given(ITEMS, st.integers(-4 * MICRO, 4 * MICRO), st.integers(1000, 2 * MICRO))
def test_a_solution_never_counts_against_and_a_failure_never_for(
    item: Item, low: int, width: int
) -> None:
    found = weigh(item, low, low + width)
    assert found.failed <= 0 <= found.solved
    assert found.information >= 0


@given(ITEMS, st.integers(-4 * MICRO, 4 * MICRO))
def test_the_exact_chance_is_what_floating_point_gives(item: Item, ability: int) -> None:
    assert float(chance(item, ability)) == pytest.approx(
        rough_chance(item, ability / MICRO), abs=1e-12
    )


def test_an_uncertain_item_weighs_less() -> None:
    known = weigh(Item("i", "f", 0, 0, 0, 0, 0), -MICRO, MICRO)
    unknown = weigh(Item("i", "f", 0, 0, 0, 3 * MICRO, 0), -MICRO, MICRO)
    assert unknown.solved < known.solved
    assert unknown.failed > known.failed
    assert unknown.information < known.information


@given(ITEMS, st.integers(-2 * MICRO, 2 * MICRO), st.integers(0, 4 * MICRO))
def test_below_the_lower_edge_the_ratio_is_expected_not_to_grow(
    item: Item, low: int, below: int
) -> None:
    weights = weigh(item, low, low + MICRO // 2)
    solved = float(chance(item, low - below))
    expected = solved * math.exp(weights.solved / NANO)
    expected += (1 - solved) * math.exp(weights.failed / NANO)
    assert expected <= 1 + 1e-7


@settings(max_examples=15)
@given(st.integers(50_000, 950_000))
def test_an_ability_is_the_largest_that_does_not_exceed_the_share(share: int) -> None:
    few = bank(6)
    found = ability_at(few, share)
    wanted = Decimal(share) / MICRO
    assert accuracy_at(few, found) <= wanted < accuracy_at(few, found + 1)


def test_a_share_beyond_the_bank_is_refused() -> None:
    with pytest.raises(Invalid, match="no ability solves"):
        ability_at(bank(6), MICRO)


def test_an_item_that_everybody_or_nobody_solves_weighs_nothing_and_breaks_nothing() -> None:
    for difficulty in (-50 * MICRO, 50 * MICRO):
        found = weigh(Item("i", "f", 5 * MICRO, difficulty, 0, 0, 0), -MICRO, MICRO)
        assert (found.solved, found.failed, found.information) == (0, 0, 0)
        strange = weigh(Item("i", "f", 5 * MICRO, difficulty, 5 * MICRO, 0, 0), -MICRO, MICRO)
        assert strange.failed <= 0 <= strange.solved


def test_a_bound_is_the_logarithm_rounded_upwards() -> None:
    assert bound(10_000) == math.ceil(math.log(100) * NANO)
    for wrong in (0, 500_000):
        with pytest.raises(Invalid):
            bound(wrong)
    with pytest.raises(Invalid):
        weigh(bank().items[0], 5, 5)
