"""What owners are asked: every question can be left open, and answers mean values of the points."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

import pytest

from clearhouse.errors import Invalid
from clearhouse.protocol.ssvc.points import (
    HUMAN_IMPACT,
    MISSION_IMPACT,
    POINTS,
    SAFETY_IMPACT,
    SYSTEM_EXPOSURE,
)
from clearhouse.protocol.ssvc.tables import HUMAN_IMPACT_TABLE
from clearhouse.protocol.system_questions import (
    CRITICALITY,
    EXPOSURE,
    KIND,
    MISSION,
    QUESTIONS,
    SAFETY,
    UNKNOWN,
    Kind,
    Question,
    criticalities,
    kinds_of,
    points_of,
    question,
)

each = pytest.mark.parametrize("asked", QUESTIONS, ids=lambda one: one.key)


@each
def test_every_question_can_be_answered_with_not_knowing(asked: Question) -> None:
    assert asked.choices[-1].key == UNKNOWN
    assert points_of({asked.key: UNKNOWN}) == {}


@each
def test_keys_are_unique_and_texts_are_there(asked: Question) -> None:
    assert question(asked.key) is asked
    assert len({one.key for one in asked.choices}) == len(asked.choices)
    assert asked.text.endswith("?")
    for one in asked.choices:
        assert re.fullmatch("[a-z-]+", one.key)
        assert one.text
        assert one.explanation.endswith(".")


@each
def test_answers_stand_for_values_that_the_points_have(asked: Question) -> None:
    for one in asked.choices:
        for key, value in one.points.items():
            assert POINTS[key].name_of(value)


@pytest.mark.parametrize(
    ("asked", "key", "values"),
    [
        (MISSION, "MI", MISSION_IMPACT.values),
        (SAFETY, "SI", SAFETY_IMPACT.values),
        (CRITICALITY, "HI", HUMAN_IMPACT.values),
        (EXPOSURE, "EXP", reversed(list(SYSTEM_EXPOSURE.values))),
    ],
)
def test_each_value_of_a_point_has_its_answer_in_order(
    asked: Question, key: str, values: Iterable[str]
) -> None:
    assert [one.points[key] for one in asked.choices[:-1]] == list(values)


def test_answers_together() -> None:
    assert points_of({"exposure": "internet", "safety": "one-death", "mission": UNKNOWN}) == {
        "PE": "Y",
        "EXP": "O",
        "SI": "R",
    }


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"colour": "red"}, "colour: expected one of exposure, mission"),
        ({"exposure": "maybe"}, "exposure: expected one of internet, protected, isolated, unknown"),
    ],
)
def test_what_nobody_asks_is_invalid(answers: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        points_of(answers)


def test_kinds_of_system() -> None:
    assert {one.key for one in KIND.choices} == {*Kind, UNKNOWN}
    assert kinds_of([]) is None
    assert kinds_of([UNKNOWN]) is None
    assert kinds_of(["none"]) == frozenset()
    assert kinds_of(["medical", "military"]) == frozenset({Kind.MEDICAL, Kind.MILITARY})
    for given in (["none", "medical"], ["unknown", "medical"]):
        with pytest.raises(Invalid, match="choose"):
            kinds_of(given)
    with pytest.raises(Invalid, match="kind: expected one of national-security"):
        kinds_of(["toaster"])


def test_criticality_is_what_safety_and_mission_say_together() -> None:
    for safety, mission in product(SAFETY_IMPACT.values, MISSION_IMPACT.values):
        found = criticalities({"SI": safety, "MI": mission, "HI": "L"})
        assert found == (HUMAN_IMPACT_TABLE.rows[safety, mission],)


def test_criticality_is_the_short_answer_where_one_leaves_room_for_it() -> None:
    assert criticalities({"SI": "R", "HI": "M"}) == ("M",)
    assert criticalities({"SI": "C", "HI": "M"}) == ("VH",)
    assert criticalities({"SI": "R", "HI": "L"}) == ("M", "H", "VH")
    assert criticalities({"SI": "N", "HI": "H"}) == ("H",)  # between its values
    assert criticalities({"SI": "C"}) == ("VH",)
    assert criticalities({"SI": "R"}) == ("M", "H", "VH")
    assert criticalities({}) == tuple(HUMAN_IMPACT.values)
