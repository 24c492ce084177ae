"""Deciding: what is not known leaves every outcome that is possible, and nothing is guessed."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.ssvc.points import AUTOMATABLE, CISA_LEVELS, UTILITY
from clearhouse.protocol.ssvc.table import Table, decide
from clearhouse.protocol.ssvc.tables import (
    BOD_26_04,
    CISA_COORDINATOR,
    DEPLOYER,
    HUMAN_IMPACT_TABLE,
    TABLES,
)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Table, dict[str, frozenset[str]]]:
    """A table, and for some of its points the values that are still possible."""
    table = draw(st.sampled_from(TABLES))
    known = {
        point.key: draw(st.sets(st.sampled_from(sorted(point.values)), min_size=1).map(frozenset))
        for point in table.inputs
        if draw(st.booleans())
    }
    return table, known


@given(questions())
def test_what_is_not_known_gives_the_union_over_all_that_it_can_be(
    question: tuple[Table, dict[str, frozenset[str]]],
) -> None:
    table, known = question
    completions = product(*(known.get(point.key, point.values) for point in table.inputs))
    keys = [point.key for point in table.inputs]
    union = frozenset[str]().union(
        *(decide(table, dict(zip(keys, row, strict=True))) for row in completions)
    )
    assert decide(table, known) == union


@given(questions(), st.data())
def test_to_know_more_never_adds_an_outcome(
    question: tuple[Table, dict[str, frozenset[str]]], data: st.DataObject
) -> None:
    table, known = question
    point = data.draw(st.sampled_from(table.inputs))
    value = data.draw(st.sampled_from(sorted(known.get(point.key, point.values))))
    assert decide(table, known | {point.key: value}) <= decide(table, known)


def test_one_outcome_is_possible_before_everything_is_known() -> None:
    # Active, automatable and a high impact on the mission: act, whatever the technical impact.
    known = {"E": "A", "A": "Y", "MWI": "H"}
    assert decide(CISA_COORDINATOR, known) == {"AC"}
    assert decide(CISA_COORDINATOR, {}) == set(CISA_LEVELS.values)


def test_an_asset_of_unknown_exposure_has_two_deadlines() -> None:
    possible = decide(BOD_26_04, {"KEV": "N", "A": "Y", "TI": "T"})
    assert REMEDIES.in_order(possible) == ("60D", "3D")


REMEDIES = BOD_26_04.outcome


def test_what_one_table_leaves_possible_is_what_another_is_asked() -> None:
    impacts = decide(HUMAN_IMPACT_TABLE, {"SI": "R"})
    assert impacts == {"M", "H", "VH"}
    assert decide(DEPLOYER, {"E": "A", "EXP": "O", "A": "Y", "HI": impacts}) == {"O", "I"}


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"XX": "Y"}, "XX: CISA BOD 26-04 does not ask this; it asks KEV"),
        ({"KEV": "maybe"}, r"KEV: expected one of N \(No\), Y \(Yes\)"),
        ({"KEV": "y"}, "KEV: expected one of"),
        ({"KEV": ()}, "KEV: expected at least one value"),
    ],
)
def test_what_the_table_does_not_know_is_invalid(
    known: dict[str, str | tuple[str, ...]], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        decide(BOD_26_04, known)


def test_a_table_that_does_not_fit_its_points_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Table.of("x:T:1.0.0", "Short", (AUTOMATABLE,), UTILITY, outcomes="L")
    with pytest.raises(ValueError, match="does not"):
        Table.of("x:T:1.0.0", "Strange", (AUTOMATABLE,), UTILITY, outcomes="L X")


def test_values_have_names_and_an_order() -> None:
    assert UTILITY.name_of("S") == "Super Effective"
    assert UTILITY.in_order({"S", "L"}) == ("L", "S")
    assert UTILITY.id == "ssvc:U:1.0.1"
