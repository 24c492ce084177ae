"""The order of Python versions, valid ones and the legacy ones that PEP 440 rejects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from clearhouse.versions import OutsideGrammar, pypi
from tests.versions.fixtures import Assertion, assertions

numbers = st.integers(min_value=0, max_value=30)
valid = st.builds(
    lambda epoch, release, pre, post, dev, local: (
        (f"{epoch}!" if epoch else "")
        + ".".join(map(str, release))
        + (f"{pre[0]}{pre[1]}" if pre else "")
        + (f".post{post}" if post is not None else "")
        + (f".dev{dev}" if dev is not None else "")
        + (f"+{local}" if local else "")
    ),
    st.integers(min_value=0, max_value=1),
    st.lists(numbers, min_size=1, max_size=4),
    st.none() | st.tuples(st.sampled_from(["a", "b", "rc"]), numbers),
    st.none() | numbers,
    st.none() | numbers,
    st.none() | st.sampled_from(["1", "abc", "abc.1"]),
)
anything = valid | st.text(alphabet="0123456789.-abcdefgrvx+!", max_size=12)


@pytest.mark.parametrize("name", ["pypi", "pypi-packaging"])
def test_published_orderings_hold_both_ways_round(name: str) -> None:
    wrong = [one for one in assertions(name) if not _holds(one)]
    assert wrong == []


def _holds(one: Assertion) -> bool:
    forward = pypi.compare(one.left, one.right)
    return forward == one.sign and pypi.compare(one.right, one.left) == -one.sign


@given(valid, valid)
def test_valid_versions_are_ordered_as_packaging_orders_them(left: str, right: str) -> None:
    a, b = Version(left), Version(right)
    assert pypi.compare(left, right) == (a > b) - (a < b)


@given(anything, anything)
def test_comparing_the_other_way_round_gives_the_opposite(left: str, right: str) -> None:
    assert pypi.compare(left, right) == -pypi.compare(right, left)


@given(anything, anything, anything)
def test_the_order_is_total(a: str, b: str, c: str) -> None:
    low, middle, high = sorted((a, b, c), key=pypi.sort_key)
    assert pypi.compare(low, middle) <= 0
    assert pypi.compare(middle, high) <= 0
    assert pypi.compare(low, high) <= 0


@given(valid)
def test_a_valid_version_sorts_above_any_legacy_one(version: str) -> None:
    assert pypi.compare("9999-bulbasaur", version) == -1


@pytest.mark.parametrize("version", ["0.3.2g.dev", "trunk", "", "1.0-final", "1..2", "v"])
def test_a_version_outside_the_grammar_is_named_as_such(version: str) -> None:
    assert pypi.parse(version) == OutsideGrammar(version, "PEP 440")


@pytest.mark.parametrize(
    ("left", "right"),
    [("1.0", "1.0.0"), ("1.0a1", "1.0alpha1"), ("1.0-1", "1.0.post1"), ("v1.0", "1.0")],
)
def test_spellings_of_one_version_are_equal(left: str, right: str) -> None:
    assert pypi.compare(left, right) == 0


def test_the_fixture_reader_refuses_a_line_that_is_no_assertion(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("1.0 ~ 2.0\n")
    with pytest.raises(ValueError, match=r"1\.0 ~ 2\.0"):
        assertions("odd", folder=tmp_path)
