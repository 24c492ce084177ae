"""What is noticed as unusual, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.protocol.unusual_use import (
    Bounds,
    Consequence,
    Finder,
    Rule,
    consequence,
    hours,
    pattern,
    volume,
)


@pytest.mark.parametrize(
    ("past", "this", "unusual"),
    [
        ([], 10**6, False),  # no past to hold it against
        ([10, 10], 10**6, False),
        ([10, 10, 10], 99, False),
        ([10, 10, 10], 100, False),
        ([10, 10, 10], 101, True),
        ([10, 0, 0, 10, 10], 101, True),
        ([1000] * 5, 9999, False),
    ],
)
def test_an_hour_stands_out_of_its_own_past(past: list[int], this: int, unusual: bool) -> None:
    assert (volume(past, this) is not None) is unusual


def test_agreed_hours_and_refusals() -> None:
    night = datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert hours(night) is None
    assert hours(night, Bounds(hours=frozenset({9, 10}))) is not None
    assert hours(night, Bounds(hours=frozenset({3}))) is None
    assert pattern(30) is None
    assert pattern(31) is not None


def test_a_rule_cuts_only_where_the_developer_said_so_but_for_its_own_secret() -> None:
    assert consequence({}, Rule.VOLUME) is Consequence.ALERT
    assert consequence({Rule.VOLUME: Consequence.CUT}, Rule.VOLUME) is Consequence.CUT
    assert consequence({Rule.CREDENTIAL: Consequence.ALERT}, Rule.CREDENTIAL) is Consequence.CUT


@given(st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(1, 7)))
def test_a_planted_text_is_found_however_it_is_cut(
    before: bytes, after: bytes, sizes: list[int]
) -> None:
    text = before + b"zebra0planted0text" + after
    finder, found, at = Finder(["other0planted0text", "zebra0planted0text"]), False, 0
    for size in [*sizes, len(text)]:
        found = finder.found_in(text[at : at + size]) or found
        at += size
    assert found
    assert not Finder(["zebra0planted0text"]).found_in(before)
    assert not Finder([]).found_in(text)
