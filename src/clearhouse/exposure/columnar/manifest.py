"""Which files are the store: one document for each state, and one name that says which counts.

Files are written once and never changed.  A state is a manifest, ``state-12.json``; the file
``current`` names the one that counts and is replaced by a rename, which readers see whole or not at
all.  A reader holds a shared lock on its manifest for as long as it reads; a writer removes the
files of older states only where nobody holds one.  Locks end with their process, whatever ends it,
so that nothing has to be repaired after a crash: what no manifest names is removed by the next
writer.  Needs a file system with ``flock`` and atomic renames, shared or not.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from clearhouse.errors import Conflict, Invalid, Unavailable
from clearhouse.exposure.columnar.layout import TABLES
from clearhouse.formats.json_value import JsonValue, decode

_FORMAT: Final = "clearhouse-exposure/1"
_CURRENT: Final = "current"
SPILL: Final = "spill"
"""The folder for what does not fit into a writer's memory."""
#: What may be removed; anything else in the folder is somebody else's.
_OURS: Final = re.compile(
    rf"({'|'.join(TABLES)})-\d+-\d+\.parquet|state-\d+\.json(\.new)?|current\.new"
)
_MOST_BYTES: Final = 16 << 20
_TRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file of a table."""

    name: str
    rows: int
    low: int = 0
    """The least dimension in it, where the table has dimensions."""
    high: int = 0
    """The greatest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of a store."""

    generation: int = 0
    editions: Mapping[str, str] = field(default_factory=dict)
    """The order of each ecosystem by which keys were made."""
    files: Mapping[str, tuple[File, ...]] = field(default_factory=dict)
    """By table, older ones first."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """The next free number of dimensions, records, packages and segments."""

    def of(self, table: str) -> tuple[File, ...]:
        """The files of ``table``."""
        return self.files.get(table, ())


class Folder:
    """The folder of a store: its files, locks and states."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[Manifest]:
        """The state that counts; its files stay until the block ends."""
        for _ in range(_TRIES):
            name = self._named()
            if name is None:
                yield Manifest()
                return
            try:
                held = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # it was replaced and removed meanwhile
            try:
                fcntl.flock(held, fcntl.LOCK_SH)
                if os.fstat(held).st_nlink:
                    yield self._read(name)
                    return
            finally:
                os.close(held)
        raise Unavailable(f"{self.path.name} has no state that can be read; try again")

    @contextmanager
    def writing(self) -> Iterator[Manifest]:
        """The state that counts, with nobody else writing; waits for another writer to end."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "writer", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            name = self._named()
            self._sweep(name)
            yield self._read(name) if name else Manifest()
        finally:
            os.close(lock)

    def swap(self, manifest: Manifest) -> None:
        """Make ``manifest`` the state that counts; only while ``writing``."""
        name = f"state-{manifest.generation}.json"
        if name == self._named():
            raise Conflict("this state counts already")
        for files in manifest.files.values():
            for one in files:
                _to_disk(self.path / one.name)
        _to_disk(self.path)
        self._write(name, json.dumps({"format": _FORMAT, **asdict(manifest)}))
        self._write(_CURRENT, name)
        self._sweep(name)

    def _write(self, name: str, text: str) -> None:
        unfinished = self.path / f"{name}.new"
        unfinished.write_text(text)
        _to_disk(unfinished)
        unfinished.rename(self.path / name)
        _to_disk(self.path)

    def _named(self) -> str | None:
        try:
            return (self.path / _CURRENT).read_text()
        except FileNotFoundError:
            return None

    def _read(self, name: str) -> Manifest:
        raw = (self.path / name).read_bytes()
        known = JsonValue(decode(raw, name, most_bytes=_MOST_BYTES), name)
        if known.text_at("format") != _FORMAT:
            raise Invalid(f"is no state of a store; expected {_FORMAT}", where=name, key="format")
        return _manifest(known)

    def _sweep(self, current: str | None) -> None:
        """Remove what no state needs that counts or that somebody reads."""
        kept = set()
        for state in sorted(self.path.glob("state-*.json")):
            if state.name == current or not _freed(state):
                kept.add(state.name)
                files = self._read(state.name).files.values()
                kept.update(one.name for table in files for one in table)
        for one in self.path.iterdir():
            if _OURS.fullmatch(one.name) and one.name not in kept:
                one.unlink()
        shutil.rmtree(self.path / SPILL, ignore_errors=True)


def _freed(state: Path) -> bool:
    """Remove a manifest, and say whether that could be: nobody reads by it."""
    held = os.open(state, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        state.unlink()
        return True
    finally:
        os.close(held)


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _manifest(known: JsonValue) -> Manifest:
    return Manifest(
        _part(known, "generation").integer(),
        {name: one.text() for name, one in _parts(_part(known, "editions"))},
        {name: _files(name, one) for name, one in _parts(_part(known, "files"))},
        {name: one.integer() for name, one in _parts(_part(known, "counters"))},
    )


def _files(table: str, listed: JsonValue) -> tuple[File, ...]:
    if table not in TABLES:
        raise listed.wrong(f"expected a table of {', '.join(TABLES)}")
    return tuple(
        File(
            _part(one, "name").text(),
            *(_part(one, key).integer() for key in ("rows", "low", "high")),
        )
        for one in listed.items()
    )


def _part(value: JsonValue, key: str) -> JsonValue:
    found = value.get(key)
    if found is None:
        raise value.wrong(f"lacks {key}")
    return found


def _parts(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    return ((key, _part(value, key)) for key in value.table())
