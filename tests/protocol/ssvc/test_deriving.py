"""Points that another table answers: the outcomes are those of all that is still possible."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.ssvc.deriving import DERIVED, asked, changes, possible
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    EXPLOITATION,
    MISSION_IMPACT,
    POINTS,
    SAFETY_IMPACT,
    SYSTEM_EXPOSURE,
)
from clearhouse.protocol.ssvc.table import Table, decide
from clearhouse.protocol.ssvc.tables import (
    COORDINATOR_TRIAGE,
    DEPLOYER,
    HUMAN_IMPACT_TABLE,
    SUPPLIER,
    TABLES,
)


def by_hand(table: Table, leaves: dict[str, str]) -> str:
    """The one outcome, each derived point looked up in its own table's rows."""

    def value(key: str) -> str:
        if key not in DERIVED:
            return leaves[key]
        inner = DERIVED[key]
        return inner.rows[tuple(value(point.key) for point in inner.inputs)]

    return table.rows[tuple(value(point.key) for point in table.inputs)]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Table, dict[str, frozenset[str]]]:
    """A table, and for some of the points that people answer what is still possible."""
    table = draw(st.sampled_from([SUPPLIER, DEPLOYER]))
    known = {
        point.key: draw(st.sets(st.sampled_from(sorted(point.values)), min_size=1).map(frozenset))
        for point in asked(table, {})
        if draw(st.booleans())
    }
    return table, known


@given(questions())
def test_the_outcomes_are_those_of_every_completion(
    question: tuple[Table, dict[str, frozenset[str]]],
) -> None:
    table, known = question
    points = asked(table, {})
    rows = product(*(known.get(point.key, point.values) for point in points))
    keys = [point.key for point in points]
    union = {by_hand(table, dict(zip(keys, row, strict=True))) for row in rows}
    assert set(possible(table, known)) == union


@given(questions())
def test_a_change_is_an_answer_that_leaves_less(
    question: tuple[Table, dict[str, frozenset[str]]],
) -> None:
    table, known = question
    now = set(possible(table, known))
    for one in changes(table, known):
        assert set(one.possible) < now
        assert one.value in known.get(one.point.key, one.point.values)
        assert len(known.get(one.point.key, one.point.values)) > 1


def test_a_deployer_is_asked_of_safety_and_mission_until_the_human_impact_is_stated() -> None:
    first = (EXPLOITATION, SYSTEM_EXPOSURE, AUTOMATABLE)
    assert asked(DEPLOYER, {}) == (*first, SAFETY_IMPACT, MISSION_IMPACT)
    assert asked(DEPLOYER, {"HI": "L"}) == (*first, POINTS["HI"])


def test_what_is_stated_of_a_derived_point_counts_before_its_table() -> None:
    answers = {"E": "A", "EXP": "O", "A": "Y", "SI": "C", "MI": "MF"}
    assert possible(DEPLOYER, answers) == ("I",)
    assert possible(DEPLOYER, {**answers, "HI": "L"}) == ("O",)


@pytest.mark.parametrize("row", HUMAN_IMPACT_TABLE.rows, ids="-".join)
def test_every_row_of_human_impact_reaches_the_deployers_table(row: tuple[str, str]) -> None:
    base = {"E": "P", "EXP": "C", "A": "Y"}
    impact = HUMAN_IMPACT_TABLE.rows[row]
    found = possible(DEPLOYER, {**base, "SI": row[0], "MI": row[1]})
    assert set(found) == decide(DEPLOYER, {**base, "HI": impact})


def test_one_set_of_answers_serves_every_table() -> None:
    answers = {"E": "A", "A": "Y", "TI": "T", "VD": "C", "SI": "C", "RP": "N", "KEV": "Y"}
    assert possible(SUPPLIER, answers) == ("I",)
    assert possible(COORDINATOR_TRIAGE, answers) == ("D", "T", "C")


def test_the_points_that_tables_ask_are_all_known_by_one_key_each() -> None:
    asked_of = {point.id: point for table in TABLES for point in table.inputs}
    assert sorted(asked_of.values(), key=lambda one: one.key) == [
        POINTS[key] for key in sorted(POINTS)
    ]


def test_an_answer_that_no_table_asks_is_invalid() -> None:
    with pytest.raises(Invalid, match="XX: no table asks this; known are E, A"):
        possible(DEPLOYER, {"XX": "Y"})
    with pytest.raises(Invalid, match="A: expected one of N"):
        possible(DEPLOYER, {"A": "maybe"})
