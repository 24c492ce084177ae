"""JSON from outside: places in messages, and what is wrong with one of many."""

from __future__ import annotations

import json

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, Problem, Trail, read_each


def test_a_place_is_written_as_people_write_it() -> None:
    top = JsonValue({"a": [{"b c": 1}]}, "x.json")
    (inner,) = top.listed("a")
    assert top.path == ""
    assert str(inner.wrong("odd")) == "x.json: a[0]: odd"
    found = inner.get("b c")
    assert found is not None
    assert found.path == "a[0].b c"


def test_a_place_is_told_however_deep_it_is() -> None:
    value = JsonValue(json.loads("[" * 900 + "]" * 900), "x.json")
    for _ in range(899):
        (value,) = value.items()
    trail: Trail | None = None
    for step in range(5000):
        trail = (trail, step)
    assert value.path == "[0]" * 899
    assert JsonValue([], "x.json", trail=trail).path.endswith("[4999]")


def test_one_that_is_refused_takes_nothing_with_it() -> None:
    problems: list[Problem] = []
    values = JsonValue({"list": ["a", 7, "b"]}, "x.json").listed("list")
    assert read_each(values, JsonValue.text, problems) == ["a", "b"]
    assert [str(one) for one in problems] == ["list[1]: expected a text, found a number"]


def test_a_problem_without_a_place_has_that_of_the_value() -> None:
    assert Problem.of(Invalid("odd"), "list[1]") == Problem("list[1]", "odd")
    assert str(Problem("", "odd")) == "odd"
