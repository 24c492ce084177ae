"""Variants of an input: those that nest deeper."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.variant_runs import exhausts_the_stack
from clearhouse.proof.variants import DEEPER, deeper
from tests.proof.seen import raising, run


def test_what_opens_and_what_closes_is_repeated_alike() -> None:
    first, second = deeper(b"x = " + b"[" * 100 + b"1" + b"]" * 100)
    assert first.data == b"x = " + b"[" * 800 + b"1" + b"]" * 800
    assert second.data == b"x = " + b"[" * 3200 + b"1" + b"]" * 3200
    assert first.changes == (DEEPER,)


def test_a_repeated_unit_of_several_bytes_is_nested_deeper() -> None:
    first, _ = deeper(b"\x30\x80" * 500)
    assert first.data == b"\x30\x80" * 4000


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 20 + b"]" * 20, bytes(range(256))])
def test_what_hardly_repeats_is_left_alone(data: bytes) -> None:
    assert list(deeper(data)) == []


def test_nothing_becomes_larger_than_a_fixed_target_can_be_asked_for() -> None:
    assert [len(one.data) for one in deeper(b"(" * 100_000)] == [800_000]


@given(st.binary(max_size=400))
def test_a_deeper_input_is_larger_and_of_the_same_bytes(data: bytes) -> None:
    for one in deeper(data):
        assert len(one.data) > len(data) or data[:2] == gzip.compress(b"")[:2]


def test_only_exhausted_stacks_are_asked_for_more() -> None:
    assert exhausts_the_stack(raising("RecursionError"))
    assert not exhausts_the_stack(raising("KeyError"))
    assert not exhausts_the_stack(run())
