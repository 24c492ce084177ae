"""The journal: chained, taken up where its process is gone, and found out where it was altered."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.gateway import journal as journals
from clearhouse.gateway.clerk import take_up
from clearhouse.gateway.contents import Kept, sealed
from clearhouse.gateway.journal import Journal, left_behind, mark_taken, read
from clearhouse.gateway.records import LOST, Begun, end_document, settled_in
from clearhouse.protocol.access import first_link, link
from clearhouse.protocol.grants import Amounts
from tests.gateway.memory_book import MemoryBook, a_grant, an_upstream

AT = datetime(2026, 11, 1, tzinfo=UTC)


def begun(use: str) -> Begun:
    return Begun(use, "G-1", AT, "messages", "m", "127.0.0.1", Amounts(1, 50, 70), "ab")


def written(folder: Path, uses: int, *, unended: int = 0) -> Journal:
    """A journal of so many requests; the last ones have no end."""
    made = Journal(folder)
    for number in range(uses):
        one = begun(f"U-{number}")
        made.write(one.document())
        if number < uses - unended:
            made.write(end_document(one.ended(AT, Amounts(1, 5, 7), "answered", "cd", b"\x00")))
    return made


def test_lines_are_chained_and_read_again(tmp_path: Path) -> None:
    made = written(tmp_path, 3)
    entries = list(read(made.path))
    assert entries == made.take()
    assert made.take() == []
    head = first_link(made.name)
    for entry in entries:
        head = link(head, entry.raw)
        assert entry.head == head
    made.close()


def test_a_journal_is_left_alone_while_its_process_lives(tmp_path: Path) -> None:
    made = written(tmp_path, 1)
    assert list(left_behind(tmp_path)) == []
    made.close()
    [path] = left_behind(tmp_path)
    mark_taken(path)
    assert list(left_behind(tmp_path)) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [*lines[:2], lines[2].replace(b"U-1", b"U-9"), *lines[3:]],
        lambda lines: [lines[0].replace(b'"m"', b'"x"'), *lines[1:]],
        lambda lines: [b"\xff" + lines[0], *lines[1:]],
    ],
)
def test_a_line_that_was_altered_is_found_and_nothing_of_it_taken(
    tmp_path: Path, damage: object
) -> None:
    made = written(tmp_path, 3)
    made.close()
    lines = made.path.read_bytes().splitlines(keepends=True)
    made.path.write_bytes(b"".join(damage(lines)))  # type: ignore[operator]
    with pytest.raises(Invalid, match="does not continue the chain"):
        list(read(made.path))
    book = MemoryBook()
    assert take_up(book, tmp_path) == 0
    assert book.settled == []
    assert made.path.exists()


@given(st.integers(0, 4), st.integers(0, 400))
def test_however_a_process_dies_each_request_that_went_on_is_settled_once(
    tmp_path_factory: pytest.TempPathFactory, unended: int, cut_off: int
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    made = written(folder, 4, unended=unended)
    made.close()
    raw = made.path.read_bytes()
    kept = raw[: max(0, len(raw) - cut_off)]
    os.truncate(made.path, len(kept))
    whole = kept[: kept.rfind(b"\n") + 1]
    book = MemoryBook()
    book.put(a_grant(), an_upstream("http://127.0.0.1:9"), "token")
    assert take_up(book, folder) == 1
    assert take_up(book, folder) == 0
    assert len(book.settled) == whole.count(b'"t":"begin"')
    assert sum(one.outcome != LOST for one in book.settled) == whole.count(b'"t":"end"')
    for one in book.settled:
        assert one.spent == (Amounts(1, 50, 70) if one.outcome == LOST else Amounts(1, 5, 7))


def test_what_was_taken_before_is_not_taken_again(tmp_path: Path) -> None:
    made = written(tmp_path, 3, unended=1)
    entries = made.take()
    later = list(settled_in(entries, since=4))
    assert [one.use for one in later] == ["U-2"]
    assert [one.outcome for one in later] == [LOST]
    assert len(list(settled_in(entries, since=0))) == 3
    made.close()


def test_many_wait_for_one_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes: list[int] = []
    flush = os.fdatasync

    def counted(file: int) -> None:
        flushes.append(file)
        flush(file)

    monkeypatch.setattr(os, "fdatasync", counted)
    made = Journal(tmp_path)

    async def all_at_once() -> None:
        made.write({"t": "x"})
        await asyncio.gather(*(made.flushed() for _ in range(100)))

    asyncio.run(all_at_once())
    assert 1 <= len(flushes) <= 2
    made.close()


def test_contents_open_for_the_developer_alone() -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    kept = Kept(8)
    for piece in (b"12345", b"67890", b"more"):
        kept.add(piece)
    assert kept.all() == b"12345678"
    closed = sealed(b"asked", kept.all(), [str(mine.to_public())])
    assert b"asked" in pyrage.decrypt(closed, [mine]) or b"YXNrZWQ=" in pyrage.decrypt(
        closed, [mine]
    )
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(closed, [other])


def test_a_name_of_a_journal_is_its_files(tmp_path: Path) -> None:
    made = Journal(tmp_path)
    assert journals.name_of(made.path) == made.name
    made.close()
