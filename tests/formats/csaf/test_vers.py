"""Ranges in vers notation are canonical."""

from __future__ import annotations

import pytest

from clearhouse.formats.csaf.vers import in_words, is_range, range_of
from clearhouse.formats.osv import Event
from tests.formats.csaf.advisories import interval


@pytest.mark.parametrize(
    ("kind", "events", "without", "expected"),
    [
        ("pypi", interval("1.0", fixed="2.0"), (), "vers:pypi/>=1.0|<2.0"),
        ("pypi", interval("1.0", last_affected="2.0"), (), "vers:pypi/>=1.0|<=2.0"),
        ("pypi", interval("0", fixed="2.0"), (), "vers:pypi/<2.0"),
        ("npm", interval("1.0.0"), (), "vers:npm/>=1.0.0"),
        ("npm", interval("0"), (), "vers:all/*"),
        ("npm", interval("0"), ("1.0.0",), "vers:npm/!=1.0.0"),
        ("npm", interval("0", limit="*"), (), "vers:all/*"),
        (
            "pypi",
            interval("1.0", fixed="2.0"),
            ("1.10", "1.9"),
            "vers:pypi/>=1.0|!=1.9|!=1.10|<2.0",
        ),
        ("pypi", interval("1.0", fixed="2.0"), ("1.0.0",), "vers:pypi/>1.0|<2.0"),
        ("pypi", interval("1", last_affected="2"), ("2",), "vers:pypi/>=1|<2"),
        ("pypi", interval("1.0+a|b"), (), "vers:pypi/>=1.0%2Ba%7Cb"),
    ],
)
def test_an_interval_is_written_in_canonical_form(
    kind: str, events: tuple[Event, ...], without: tuple[str, ...], expected: str
) -> None:
    assert range_of(kind, events, without=without) == expected
    assert is_range(expected)


def test_people_read_the_versions_as_they_are_written() -> None:
    assert in_words("vers:pypi/>=1.0%2Bx|<2.0") == ">=1.0+x, <2.0"
    assert in_words("vers:all/*") == "all versions"


@pytest.mark.parametrize("text", ["", "<1.0", "vers:pypi", "vers:PyPI/<1", "vers:pypi/"])
def test_other_texts_are_no_ranges(text: str) -> None:
    assert not is_range(text)
