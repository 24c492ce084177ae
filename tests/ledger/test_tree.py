"""The Merkle tree: published roots, proofs that hold, and forgeries that do not."""

from __future__ import annotations

import contextlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.ledger.tree import (
    EMPTY_ROOT,
    Node,
    append,
    complete_subtrees,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root,
)

#: The entries and roots that certificate transparency's own implementations are tested with.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
           "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Log:
    """A log in memory: what a database would store."""

    def __init__(self) -> None:
        self.size = 0
        self.stored: dict[Node, bytes] = {}

    def add(self, entry: bytes) -> None:
        for node, found in append(self.size, leaf_hash(entry), self.stored.__getitem__):
            assert node not in self.stored, "a hash is stored once and never changes"
            self.stored[node] = found
        self.size += 1

    def read(self, node: Node) -> bytes:
        return self.stored[node]

    def root(self, size: int) -> bytes:
        return root(size, self.read)


@cache
def log_of(size: int) -> Log:
    log = Log()
    for number in range(size):
        log.add(str(number).encode())
    return log


def naive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    log = Log()
    for entry in ENTRIES[:size]:
        log.add(bytes.fromhex(entry))
    assert log.root(size).hex() == ROOTS[size]


@given(st.integers(0, 200))
def test_every_root_is_that_of_the_definition(size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    assert log_of(200).root(size) == naive_root(leaves)


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, 200))
    return draw(st.integers(0, size - 1)), size


@given(places())
def test_an_entry_is_shown_to_be_where_it_is(place: tuple[int, int]) -> None:
    index, size = place
    log = log_of(200)
    path = prove_inclusion(index, size, log.read)
    leaf = leaf_hash(str(index).encode())
    assert is_included(leaf, index, size, path, log.root(size))


@given(places(), st.data())
def test_no_other_entry_place_or_path_is_believed(
    place: tuple[int, int], data: st.DataObject
) -> None:
    index, size = place
    log = log_of(200)
    path = prove_inclusion(index, size, log.read)
    leaf, top = leaf_hash(str(index).encode()), log.root(size)
    assert not is_included(leaf_hash(b"another"), index, size, path, top)
    elsewhere = data.draw(st.integers(0, size - 1))
    if elsewhere != index:
        with contextlib.suppress(Invalid):  # the path may not even have the length
            assert not is_included(leaf, elsewhere, size, path, top)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:at], leaf_hash(b"x"), *path[at + 1 :]]
        assert not is_included(leaf, index, size, changed, top)
        with pytest.raises(Invalid, match="hashes where"):
            is_included(leaf, index, size, path[:-1], top)


SIZES = st.tuples(st.integers(0, 200), st.integers(0, 200)).map(sorted)


@given(SIZES)
def test_an_earlier_log_is_shown_to_be_the_beginning_of_a_later_one(sizes: list[int]) -> None:
    old, new = sizes
    log = log_of(200)
    proof = prove_consistency(old, new, log.read)
    assert is_consistent(old, new, log.root(old), log.root(new), proof)


@given(SIZES, st.data())
def test_a_log_that_was_rewritten_is_found_out(sizes: list[int], data: st.DataObject) -> None:
    old, new = sizes
    log = log_of(200)
    proof = prove_consistency(old, new, log.read)
    other = leaf_hash(b"rewritten")
    if old:
        assert not is_consistent(old, new, other, log.root(new), proof)
    if old != 0:
        assert not is_consistent(old, new, log.root(old), other, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], other, *proof[at + 1 :]]
        assert not is_consistent(old, new, log.root(old), log.root(new), changed)
        assert not is_consistent(old, new, log.root(old), log.root(new), proof[:-1])
        assert not is_consistent(old, new, log.root(old), log.root(new), [*proof, other])


@given(SIZES)
def test_complete_subtrees_cover_a_range_without_gap(sizes: list[int]) -> None:
    begin, end = sizes
    at = begin
    for level, place in complete_subtrees(begin, end):
        assert place << level == at
        at += 1 << level
    assert at == max(begin, end)


def test_what_is_not_there_cannot_be_proven() -> None:
    log = log_of(200)
    for index, size in ((0, 0), (5, 5), (-1, 3)):
        with pytest.raises(Invalid, match="there is no entry"):
            prove_inclusion(index, size, log.read)
    with pytest.raises(Invalid, match="does not begin"):
        prove_consistency(4, 3, log.read)
