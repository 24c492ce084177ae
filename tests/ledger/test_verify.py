"""Verifying: what is whole is found whole, and nothing can be changed unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.note import SigningKey, sign
from clearhouse.ledger.tiles import tiles_completed
from clearhouse.ledger.tree import grow, leaf_hash, root_of_peaks
from clearhouse.ledger.verify import (
    Result,
    StoredCheckpoint,
    StoredEntry,
    StoredHead,
    StoredTile,
    Wrong,
    verify,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey("office.example/ledger", bytes(range(32)))
STRANGER = SigningKey("office.example/ledger", bytes(32))
SIZE = 700
SIGNED = (0, 1, 256, 600)
few = settings(max_examples=25)


class Store:
    """A store in memory, whose rows can be changed as somebody with a database shell could."""

    def __init__(self) -> None:
        self.rows: list[StoredEntry] = []
        self.full: list[StoredTile] = []
        self.signed: list[StoredCheckpoint] = []
        self.head = StoredHead(0, b"", None)

    def heads(self) -> Sequence[StoredHead]:
        return [self.head]

    def entries(self) -> Iterator[StoredEntry]:
        return iter(sorted(self.rows, key=lambda row: row.index))

    def tiles(self) -> Iterator[StoredTile]:
        return iter(sorted(self.full))

    def tile(self, level: int, place: int) -> StoredTile | None:
        return next((one for one in self.full if (one.level, one.place) == (level, place)), None)

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        return iter(sorted(self.signed))

    def copy(self) -> Store:
        found = Store()
        found.rows, found.full, found.signed = [*self.rows], [*self.full], [*self.signed]
        found.head = self.head
        return found

    def rebuild(self) -> None:
        """Make everything fit the entries again, as an insider would who has no key."""
        peaks: list[bytes] = []
        leaves = []
        for place, row in enumerate(self.rows):
            hashed = leaf_hash(row.leaf)
            self.rows[place] = replace(row, index=place, leaf_hash=hashed)
            grow(place, peaks, hashed)
            leaves.append(hashed)
        self.full = [
            StoredTile(one.level, one.index, one.hashes, one.root)
            for one in tiles_completed(0, leaves, lambda *_: [])
        ]
        last = self.rows[-1].at if self.rows else None
        self.head = StoredHead(len(self.rows), b"".join(peaks), last)


def entry(index: int, subject: str) -> StoredEntry:
    at = NOW + timedelta(seconds=index)
    one = Entry(index, "finding.received", subject, at, {"number": index}, index.to_bytes(16))
    return StoredEntry(index, one.kind, one.subject, one.at, one.leaf, one.leaf_hash)


@cache
def whole(size: int) -> Store:
    store = Store()
    peaks: list[bytes] = []
    for index in range(size + 1):
        if index in SIGNED:
            root = root_of_peaks(peaks)
            note = sign(str(Checkpoint(KEY.verifier.name, index, root)), KEY)
            store.signed.append(StoredCheckpoint(index, root, bytes(note).decode()))
        if index < size:
            store.rows.append(entry(index, f"F-{index}"))
            grow(index, peaks, store.rows[-1].leaf_hash)
    store.rebuild()
    return store


def checked(store: Store, older: Checkpoint | None = None, most: int = 20) -> Result:
    return verify(store, keys=[KEY.verifier], older=older, most_problems=most)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700])
def test_what_was_not_touched_fits(size: int) -> None:
    result = checked(whole(size))
    assert result.problems == ()
    assert result.holds
    assert result.size == size
    assert result.last_signed == max(at for at in SIGNED if at <= size)


def test_an_altered_hash_of_an_upper_tile_is_found() -> None:
    store = whole(65_600).copy()
    assert checked(store).holds
    upper = next(one for one in store.full if one.level == 1)
    store.full.remove(upper)
    store.full.append(upper._replace(hashes=bytes(32) + upper.hashes[32:]))
    says = [problem.says for problem in checked(store).problems]
    assert len(says) == 2
    assert "another root than its hashes" in says[0]
    assert "another hash at 0 than the tile below" in says[1]


def _flip(raw: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(raw)
    changed[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(changed)


def _altered(row: StoredEntry, column: str, data: st.DataObject) -> StoredEntry:
    if column == "leaf":
        return replace(row, leaf=_flip(row.leaf, data))
    return replace(row, leaf_hash=_flip(row.leaf_hash, data))


@few
@given(st.integers(0, SIZE - 1), st.sampled_from(["leaf", "leaf_hash"]), st.data())
def test_an_altered_byte_of_an_entry_is_found_where_it_is(
    index: int, column: str, data: st.DataObject
) -> None:
    store = whole(SIZE).copy()
    row = store.rows[index]
    store.rows[index] = _altered(row, column, data)
    result = checked(store)
    assert (Wrong.ALTERED, index) in {(one.wrong, one.index) for one in result.problems}


@few
@given(
    st.integers(0, SIZE - 1),
    st.sampled_from([{"kind": "case.opened"}, {"subject": "F-0x"}, {"at": NOW - timedelta(1)},
                     {"at": None}]),
)  # fmt: skip
def test_an_altered_column_beside_an_entry_is_found(index: int, change: dict[str, object]) -> None:
    store = whole(SIZE).copy()
    store.rows[index] = replace(store.rows[index], **change)  # type: ignore[arg-type]
    (problem,) = checked(store).problems
    assert (problem.wrong, problem.index) == (Wrong.ALTERED, index)


@few
@given(st.integers(0, SIZE - 2))
def test_a_removed_entry_is_found(index: int) -> None:
    store = whole(SIZE).copy()
    del store.rows[index]
    problems = checked(store).problems
    assert (problems[0].wrong, problems[0].index) == (Wrong.REMOVED, index)


@few
@given(st.data())
def test_swapped_entries_are_found_and_told_from_altered_ones_where_tiles_are_full(
    data: st.DataObject,
) -> None:
    one, other = data.draw(st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=2, unique=True))
    store = whole(SIZE).copy()
    first, second = store.rows[one], store.rows[other]
    store.rows[one], store.rows[other] = (
        replace(second, index=one),
        replace(first, index=other),
    )
    result = checked(store)
    assert not result.holds
    assert Wrong.REORDERED in {problem.wrong for problem in result.problems}


@few
@given(st.integers(0, SIZE - 1))
def test_entries_cut_off_are_found(left: int) -> None:
    store = whole(SIZE).copy()
    del store.rows[left:]
    assert Wrong.TRUNCATED in {problem.wrong for problem in checked(store).problems}


@few
@given(st.integers(0, 599))
def test_entries_cut_off_with_all_that_tells_of_them_are_found_by_signed_checkpoints(
    left: int,
) -> None:
    store = whole(SIZE).copy()
    del store.rows[left:]
    store.rebuild()
    result = checked(store)
    assert Wrong.TRUNCATED in {problem.wrong for problem in result.problems}


def test_without_a_checkpoint_a_clean_cut_cannot_be_seen_and_an_older_one_shows_it() -> None:
    store = whole(SIZE).copy()
    kept = Checkpoint.parse(store.signed[-1].note.partition("\n\n")[0] + "\n")
    del store.rows[500:]
    store.rebuild()
    store.signed = [one for one in store.signed if one.size <= 500]
    result = checked(store)
    assert result.holds
    assert result.last_signed == 256
    assert Wrong.TRUNCATED in {problem.wrong for problem in checked(store, kept).problems}
    assert checked(whole(SIZE), kept).holds


ALTERATIONS: list[Callable[[Store, int], None]] = [
    lambda store, at: store.rows.__setitem__(at, entry(at, "F-other")),
    lambda store, at: store.rows.__delitem__(at),
    lambda store, at: store.rows.insert(at, entry(at, "F-other")),
]


@few
@given(st.sampled_from(ALTERATIONS), st.integers(0, 599))
def test_a_history_rewritten_with_all_hashes_contradicts_a_signed_checkpoint(
    alter: Callable[[Store, int], None], at: int
) -> None:
    store = whole(SIZE).copy()
    alter(store, at)
    store.rebuild()
    wrongs = {problem.wrong for problem in checked(store).problems}
    assert Wrong.CONTRADICTED in wrongs


@few
@given(st.integers(0, 1), st.sampled_from(["hashes", "root"]), st.data())
def test_an_altered_byte_of_a_tile_is_found(at: int, column: str, data: st.DataObject) -> None:
    store = whole(SIZE).copy()
    tile = store.full[at]
    altered = {"hashes": tile.hashes, "root": tile.root}
    altered[column] = _flip(altered[column], data)
    store.full[at] = StoredTile(tile.level, tile.place, altered["hashes"], altered["root"])
    assert Wrong.ALTERED in {problem.wrong for problem in checked(store).problems}


@pytest.mark.parametrize("at", [0, 1])
def test_a_removed_tile_is_found(at: int) -> None:
    store = whole(SIZE).copy()
    del store.full[at]
    assert [problem.wrong for problem in checked(store).problems] == [Wrong.REMOVED]


@few
@given(st.data())
def test_an_altered_byte_of_the_peaks_is_found(data: st.DataObject) -> None:
    store = whole(SIZE).copy()
    store.head = store.head._replace(peaks=_flip(store.head.peaks, data))
    (problem,) = checked(store).problems
    assert "peaks" in problem.says


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1])
def test_a_head_that_counts_otherwise_is_found(size: int) -> None:
    store = whole(SIZE).copy()
    store.head = store.head._replace(size=size)
    assert not checked(store).holds


def test_a_head_with_another_time_is_found() -> None:
    store = whole(SIZE).copy()
    store.head = store.head._replace(last_at=NOW)
    assert not checked(store).holds


@few
@given(st.integers(0, len(SIGNED) - 1), st.data())
def test_an_altered_character_of_a_signed_checkpoint_is_found(at: int, data: st.DataObject) -> None:
    store = whole(SIZE).copy()
    signed = store.signed[at]
    altered = _flip(signed.note.encode(), data).decode(errors="replace")
    store.signed[at] = signed._replace(note=altered)
    assert not checked(store).holds


def test_a_checkpoint_signed_by_another_key_is_found_only_with_the_key() -> None:
    store = whole(SIZE).copy()
    signed = store.signed[-1]
    forged = sign(signed.note.partition("\n\n")[0] + "\n", STRANGER)
    store.signed[-1] = signed._replace(note=bytes(forged).decode())
    (problem,) = checked(store).problems
    assert problem.wrong == Wrong.UNSIGNED
    assert verify(store).holds


def test_only_the_first_problems_are_kept_and_all_are_counted() -> None:
    store = whole(SIZE).copy()
    store.rows = [replace(row, kind="case.opened") for row in store.rows]
    result = checked(store, most=3)
    assert len(result.problems) == 3
    assert result.count == SIZE
