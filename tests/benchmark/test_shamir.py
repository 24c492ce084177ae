"""Shamir's sharing: enough shares give the secret back, one fewer say nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.shamir import join, split
from clearhouse.errors import Invalid


def _chance(data: st.DataObject) -> Callable[[int], bytes]:
    return lambda count: data.draw(st.binary(min_size=count, max_size=count))


@given(st.binary(min_size=1, max_size=80), st.integers(1, 6), st.integers(0, 3), st.data())
def test_any_so_many_shares_give_the_secret_back(
    secret: bytes, needed: int, more: int, data: st.DataObject
) -> None:
    shares = split(secret, shares=needed + more, needed=needed, chance=_chance(data))
    for numbers in combinations(shares, needed):
        assert join({number: shares[number] for number in numbers}) == secret
    assert join(shares) == secret


def test_one_share_too_few_is_as_likely_under_every_secret() -> None:
    for number in (1, 2, 3):
        seen = []
        for secret in (0, 1, 0x53, 255):
            chances = (
                split(bytes([secret]), shares=3, needed=2, chance=_always(byte))
                for byte in range(256)
            )
            seen.append(Counter(shares[number] for shares in chances))
        assert all(counts == seen[0] for counts in seen)
        assert set(seen[0].values()) == {1}


def _always(byte: int) -> Callable[[int], bytes]:
    return lambda count: bytes([byte] * count)


def test_the_field_is_that_of_aes() -> None:
    # FIPS 197, section 4.2: {57} times {83} is {c1}; a line through (0, 57) with the slope 83.
    shares = split(b"\x57", shares=1, needed=1, chance=bytes)
    assert shares == {1: b"\x57"}
    slope = split(b"\x00", shares=0x57, needed=2, chance=lambda _: b"\x83")
    assert slope[0x57] == b"\xc1"


@pytest.mark.parametrize(("shares", "needed"), [(2, 3), (2, 0), (256, 2), (0, 0)])
def test_a_rule_that_cannot_be_is_refused(shares: int, needed: int) -> None:
    with pytest.raises(Invalid, match="cannot be needed"):
        split(b"x", shares=shares, needed=needed, chance=bytes)


@pytest.mark.parametrize("shares", [{}, {1: b"a", 2: b"ab"}, {0: b"a"}, {256: b"a"}])
def test_what_are_no_shares_of_one_secret_is_refused(shares: dict[int, bytes]) -> None:
    with pytest.raises(Invalid, match="no shares"):
        join(shares)
