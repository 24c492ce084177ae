"""Ranges in vers notation: the specification's examples, and intervals written in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from clearhouse.exposure.spans import contains
from clearhouse.formats.csaf.vers import range_of
from clearhouse.formats.osv import Bound, Event


def has(span: str, version: str, kind: str = "npm", ecosystem: str = "npm") -> bool:
    return contains(span, kind=kind, ecosystem=ecosystem, version=version)


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        ("vers:npm/1.2.3|>=2.0.0|<5.0.0", "1.2.3 2.0.0 4.9.9", "1.2.2 1.9.9 5.0.0"),
        ("vers:npm/>1|<=2|!=1.5.0", "1.0.1 2.0.0", "1.0.0 1.5.0 2.0.1"),
        ("vers:npm/<1|>2", "0.9.0 3.0.0", "1.0.0 1.5.0 2.0.0"),
        ("vers:npm/*", "0.0.1 9.0.0", ""),
        ("vers:all/*", "1.0.0", ""),
        ("vers:semver/>=1.0.0", "1.0.0", "0.9.0"),
        ("vers:npm/=1.0.0", "1.0.0", "1.0.1"),
        ("vers:npm/!=1.0.0", "", "1.0.0 1.0.1"),
        ("vers:npm/1.0.0-rc%2e1", "1.0.0-rc.1", "1.0.0"),
    ],
)
def test_versions_are_in_a_range_or_not(span: str, inside: str, outside: str) -> None:
    assert [one for one in inside.split() if not has(span, one)] == []
    assert [one for one in outside.split() if has(span, one)] == []


@pytest.mark.parametrize(
    "span",
    [
        "", "1.0.0", "vers:npm", "vers:npm/", "vers:pypi/>=1", "vers:generic/>=1", "vers:npm/>=one",
        "vers:npm/>=1|>=1", "vers:npm/>=1||<2", "vers:npm/=>1", "vers:npm/>=1 |<2", "?",
        "vers:npm/" + "|".join(f"{n}.0.0" for n in range(1001)),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_outside(span: str) -> None:
    assert not has(span, "1.0.0")


def test_a_version_without_place_in_the_order_is_outside() -> None:
    assert not has("vers:npm/*", "latest")
    assert not has("vers:generic/*", "1.0", kind="generic", ecosystem="")


numbers = st.integers(0, 8)


@given(numbers, numbers, st.sampled_from([Bound.FIXED, Bound.LAST_AFFECTED]), numbers)
def test_intervals_that_we_write_hold_what_they_should(
    low: int, high: int, bound: Bound, number: int
) -> None:
    if low >= high:
        return
    events = (Event(Bound.INTRODUCED, f"1.{low}"), Event(bound, f"1.{high}"))
    span = range_of("pypi", events, without=["1.4"])
    version = Version(f"1.{number}")
    end = version < Version(f"1.{high}") or (number == high and bound is Bound.LAST_AFFECTED)
    expected = version >= Version(f"1.{low}") and end and number != 4
    assert has(span, str(version), "pypi", "PyPI") == expected


@given(st.text(alphabet="<>=!|*1.2%-a", max_size=15))
def test_any_range_is_read(text: str) -> None:
    assert has(f"vers:npm/{text}", "1.2.0") in (True, False)
