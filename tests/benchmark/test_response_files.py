"""Responses are read from matrices, systems and runs, and put together without losing a cell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.response_files import FORMAT, read_column, read_given, together
from clearhouse.errors import Invalid

SYSTEMS = {
    "format": FORMAT,
    "families": {"a": "heap", "b": "parser", "c": "heap"},
    "systems": [
        {"name": "one", "model": "m", "solved": ["a"], "failed": ["b"]},
        {"name": "two", "solved": ["c"]},
    ],
}
RUN = {
    "format": 1,
    "system": "openai/x",
    "outcomes": {},
    "items": [
        {"item": "a", "family": "heap", "attempt": 1, "outcome": "solved"},
        {"item": "a", "family": "heap", "attempt": 2, "outcome": "failed"},
        {"item": "b", "family": "parser", "attempt": 1, "outcome": "gave-up"},
        {"item": "c", "family": "heap", "attempt": 1, "outcome": "error"},
    ],
}


def _raw(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_systems_say_what_they_solved() -> None:
    found = read_given(_raw(SYSTEMS), "s.json")
    assert found.responses.systems == ("one", "two")
    assert found.responses.models == ("m", "two")
    assert found.responses.of("one") == {"a": True, "b": False}
    assert found.responses.of("two") == {"c": True}
    assert found.families == SYSTEMS["families"]


def test_of_a_run_the_first_attempts_count_and_errors_say_nothing() -> None:
    found = read_given(_raw(RUN), "run.json", models={"openai/x": "x"})
    assert found.responses.models == ("x",)
    assert found.responses.of("openai/x") == {"a": True, "b": False}
    assert found.families == {"a": "heap", "b": "parser", "c": "heap"}


def test_files_are_taken_together() -> None:
    matrix = read_given(b"system,a,d\nthree,0,1\n", "m.csv")
    found = together([read_given(_raw(SYSTEMS), "s"), matrix, read_given(_raw(RUN), "r")])
    assert found.responses.systems == ("one", "two", "three", "openai/x")
    assert set(found.responses.items) == {"a", "b", "c", "d"}
    assert found.responses.of("three") == {"a": False, "d": True}
    with pytest.raises(Invalid, match="'one' stands in two files"):
        together([read_given(_raw(SYSTEMS), "s")] * 2)
    other = {**RUN, "items": [{"item": "a", "family": "parser", "outcome": "solved"}]}
    with pytest.raises(Invalid, match="'a' has two families"):
        together([read_given(_raw(SYSTEMS), "s"), read_given(_raw(other), "r")])


CELLS = st.dictionaries(st.sampled_from("abcd"), st.booleans(), min_size=1)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_no_cell_is_lost_or_made_up(rows: list[dict[str, bool]]) -> None:
    given = []
    for number, row in enumerate(rows):
        system = {"name": f"s{number}", "solved": [k for k, v in row.items() if v],
                  "failed": [k for k, v in row.items() if not v]}  # fmt: skip
        given.append(read_given(_raw({"format": FORMAT, "systems": [system]}), "s"))
    found = together(given).responses
    assert [found.of(f"s{number}") for number in range(len(rows))] == rows


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"format": "other"}, "expected the format"),
        ({"format": FORMAT, "systems": []}, "names no system"),
        ({"format": FORMAT, "systems": [{"name": " "}]}, "has no name"),
        (
            {"format": FORMAT, "systems": [{"name": "x", "solved": ["a"], "failed": ["a"]}]},
            "'a' stands twice",
        ),
        ({**RUN, "system": None}, "does not say which system ran"),
        ({**RUN, "items": [{"item": "a", "outcome": "won"}]}, "an outcome is one of"),
    ],
)
def test_what_are_no_responses_is_refused(document: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_given(_raw(document), "x.json")


def test_a_column_is_read_by_its_name() -> None:
    assert read_column(b"task,minutes,family\na,3,heap\nb,,parser\nc,1,\n", "f", "family") == {
        "a": "heap", "b": "parser",
    }  # fmt: skip
    for raw, message in (
        (b"task,minutes\na,3\n", "has no column 'family'"),
        (b"task,family\na,heap\na,heap\n", "line 3: 'a' stands twice"),
        (b"task,family\na\n", "'a' has no family"),
        (b"\xff", "is not CSV"),
    ):
        with pytest.raises(Invalid, match=message):
            read_column(raw, "f.csv", "family")
