"""The journal of one gateway process: what it let through, in a chain of hashes, on the disk.

A line is ``<hash> <document>``; the hash is SHA-256 over the hash of the line before and the
document, so that a line that was altered, removed or put elsewhere shows in every later one.  The
name of the journal is the first link.

``begin`` is written before a request goes on, so that a process that is killed leaves a trace of
all it has sent; what the kernel has taken outlives the process.  ``end`` is on the disk before the
end of an answer is sent: lines that wait together share one flush.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from clearhouse.errors import Invalid, Unavailable
from clearhouse.protocol.access import Entry, first_link, link

_SUFFIX: Final = ".journal"
_TAKEN: Final = ".taken"
_HASH_CHARACTERS: Final = 64
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """The journal that this process writes; held by a lock that ends with it."""

    def __init__(self, folder: Path) -> None:
        """Start one in a folder.  Raises :class:`Unavailable` where that is not possible."""
        self.name = f"J-{secrets.token_hex(8)}"
        self.path = folder / f"{self.name}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(
                self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600
            )
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sync_folder(folder)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be written: {error.strerror}") from error
        self._head = first_link(self.name)
        self._number = 0
        self._entries: list[Entry] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    @property
    def number(self) -> int:
        """How many lines it has."""
        return self._number

    def write(self, document: Mapping[str, Any]) -> None:
        """Append a line: at once, without waiting for the disk.

        Raises :class:`Unavailable` where it could not be written whole; nothing may go on then.
        """
        raw = _ENCODE(document).encode()
        head = link(self._head, raw)
        line = head.encode() + b" " + raw + b"\n"
        try:
            written = os.write(self._file, line)
            if written < len(line):  # the disk is full: no half of a line stays
                os.truncate(self._file, os.fstat(self._file).st_size - written)
        except OSError as error:
            raise Unavailable(f"the journal cannot be written: {error.strerror}") from error
        if written < len(line):
            raise Unavailable("the journal cannot be written: the disk is full")
        self._head = head
        self._number += 1
        self._entries.append(Entry(self._number, raw, head))

    async def flushed(self) -> None:
        """Return once all that was written so far is on the disk."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        await waiting

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                now, self._waiting = self._waiting, []
                error: Exception | None = None
                try:
                    await loop.run_in_executor(self._thread, os.fdatasync, self._file)
                except OSError as failed:
                    error = Unavailable(f"the journal cannot be written: {failed.strerror}")
                for one in now:
                    if one.done():
                        continue
                    if error is None:
                        one.set_result(None)
                    else:
                        one.set_exception(error)
        finally:
            self._flusher = None

    def take(self) -> list[Entry]:
        """The lines since the last call."""
        entries, self._entries = self._entries, []
        return entries

    def close(self) -> None:
        """Write no more; whoever looks after journals takes it up where something is left."""
        self._thread.shutdown()
        os.close(self._file)


def left_behind(folder: Path) -> Iterator[Path]:
    """Journals in a folder whose process is gone, each held while it is looked at."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # somebody else has taken it up
        try:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists():
                    yield path
        finally:
            os.close(file)


def name_of(path: Path) -> str:
    """The name of the journal in a file."""
    return path.name.removesuffix(_SUFFIX)


def mark_taken(path: Path) -> None:
    """Say by its name that all of it was taken.  It is kept: it is what the chain was made from."""
    path.rename(path.with_name(path.name + _TAKEN))
    _sync_folder(path.parent)


def read(path: Path) -> Iterator[Entry]:
    """The lines of a journal, each checked against the one before.

    A last line without an end was cut off by the death of its process, before anything was done
    that it tells of.  Raises :class:`Invalid` for a line that does not continue the chain.
    """
    head = first_link(name_of(path))
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            said, raw = line[:_HASH_CHARACTERS], line[_HASH_CHARACTERS + 1 : -1]
            head = link(head, raw)
            if said.decode(errors="replace") != head:
                raise Invalid(f"line {number} does not continue the chain", where=path.name)
            yield Entry(number, raw, head)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
