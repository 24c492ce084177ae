"""Tiles: paths as C2SP spells them, contents from which a client computes every hash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.ledger.tiles import (
    Tile,
    bundle_bytes,
    entries_of,
    hash_in_tile,
    tile_bytes,
    tiles_of,
)
from clearhouse.ledger.tree import Node, prove_consistency, prove_inclusion, root
from tests.ledger.test_tree import log_of


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the example of the specification
        (Tile(1, 0, 112), "tile/1/000.p/112"),
        (Tile(None, 999), "tile/entries/999"),
        (Tile(None, 1000, 1), "tile/entries/x001/000.p/1"),
    ],
)
def test_a_path_is_spelt_as_specified(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    ["", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/0/x000/000", "tile/0/000.p/256",
     "tile/0/000.p/0", "tile/0/000.p/999", "tile/64/000", "tile/-1/000", "tile/0/000/",
     "../tile/0/000", "tile/0/\u0660\u0660\u0660", "tile/entries/000.p/",
     "tile/0/" + "x001/" * 60 + "000"],
)  # fmt: skip
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="is no tile"):
        Tile.parse(path)


@given(st.integers(0, 10**15), st.one_of(st.none(), st.integers(0, 63)), st.integers(1, 256))
def test_every_tile_has_one_path(index: int, level: int | None, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path) == tile


def test_a_log_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    levels = [tile for tile in tiles_of(70_000) if tile.level is not None]
    assert [len([t for t in levels if t.level == level]) for level in range(3)] == [274, 2, 1]
    assert Tile(0, 273, 112) in levels
    assert Tile(1, 1, 17) in levels
    assert Tile(2, 0, 1) in levels


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_growing_brings_exactly_the_tiles_that_were_not_there(one: int, other: int) -> None:
    since, size = sorted((one, other))
    before, after = set(tiles_of(since)), set(tiles_of(size))
    assert set(tiles_of(size, since)) == after - before
    assert all(tile.fits(size) for tile in after)
    assert not any(tile.fits(since) for tile in after - before)


@given(st.integers(1, 700), st.data())
def test_a_client_with_nothing_but_tiles_computes_roots_and_proofs(
    size: int, data: st.DataObject
) -> None:
    log = log_of(700)
    served = {tile: tile_bytes(tile, log.read) for tile in tiles_of(size) if tile.level is not None}

    def read(node: Node) -> bytes:
        return hash_in_tile(node, served.__getitem__, size)

    assert root(size, read) == log.root(size)
    index = data.draw(st.integers(0, size - 1))
    assert prove_inclusion(index, size, read) == prove_inclusion(index, size, log.read)
    assert prove_consistency(index, size, read) == prove_consistency(index, size, log.read)


@given(st.lists(st.binary(max_size=300), max_size=20), st.data())
def test_a_bundle_gives_its_entries_back_and_one_that_is_cut_off_is_refused(
    entries: list[bytes], data: st.DataObject
) -> None:
    bundle = bundle_bytes(entries)
    assert entries_of(bundle) == entries
    if entries:
        cut = data.draw(st.integers(1, min(len(bundle), 2 + len(entries[-1])) - 1 or 1))
        if len(entries[-1]) + 2 > cut:
            with pytest.raises(Invalid, match="the bundle ends"):
                entries_of(bundle[:-cut])


def test_an_entry_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="65535 are the most"):
        bundle_bytes([b"x" * 65_536])
