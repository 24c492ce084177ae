"""The files in what is given: one file, a folder, a zip archive, any of them packed with gzip.

What is unpacked is counted while it is read: an archive may be a small file that never ends.  A
file that cannot be read is set aside and takes nothing with it.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from clearhouse.errors import Invalid

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
Reader: TypeAlias = Callable[[io.BufferedReader, str, str], Iterator[T]]
"""Reads a stream, given the file's name and where it stands for messages."""

MOST_MEMBERS: Final = 2_000_000
MOST_UNPACKED_BYTES: Final = 64 << 30
"""Out of one file; all of OSV and all CVE records are less than a tenth of it."""
MOST_TIMES: Final = 200
"""How many times the size of its file something unpacks to; advisories come to about 30."""
FREE_BYTES: Final = 16 << 20
"""Unpacked bytes of which the file's size is not asked: small files may be very regular."""
LINES: Final = (".ndjson", ".jsonl")
NAMES: Final = (".json", ".xml", ".csv", ".zip", *LINES)
#: Signatures and sums beside documents, as CSAF's providers have three for each.
_BESIDE: Final = (".asc", ".sig", ".sha256", ".sha512")
_NAMED: Final = 10
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
#: What damaged archives make the libraries raise.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetAside:
    """What could not be read, and why."""

    where: str
    reason: str


@dataclass(slots=True)
class PassedOver:
    """Files of a folder or an archive that are not looked at, as their names are of no feed."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    """The first of them."""

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        if len(self.names) < _NAMED:
            self.names.append(name)


class _Unreadable(Exception):
    """Why a stream cannot be read on."""


class _Endless(_Unreadable):
    """There is too much of it."""


class _Meter:
    """Counts what comes out of one file."""

    def __init__(self, packed: int) -> None:
        self._most = min(MOST_UNPACKED_BYTES, max(FREE_BYTES, MOST_TIMES * packed))
        self._total = 0

    def count(self, size: int) -> None:
        self._total += size
        if self._total > self._most:
            message = f"unpacks to more than {self._most:,} bytes; the rest is left out"
            raise _Endless(message)


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Unpacked(io.RawIOBase):
    """A stream of which each read is counted, and fails in one way only."""

    def __init__(self, stream: _Source, meter: _Meter) -> None:
        self._stream = stream
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            found = self._stream.read(len(view))
        except _BROKEN as error:
            message = f"cannot be unpacked: {error}"
            raise _Unreadable(message) from None
        self._meter.count(len(found))
        view[: len(found)] = found
        return len(found)


def is_packed(start: bytes) -> bool:
    """Whether bytes are the beginning of an archive or of what gzip packed."""
    return start.startswith((*_ZIP, _GZIP))


def each(path: Path, read: Reader[T], passed: PassedOver) -> Iterator[T | SetAside]:
    """What ``read`` makes of every file in ``path``, in the order of their names.

    Of a folder and an archive those are taken that are called ``.json``, ``.csv``, lines, gzip or
    zip; what else there is goes into ``passed``, but for signatures, sums and what is hidden.  A
    link to a folder inside is passed over too: what is there is read where it lies.  Links out of a
    folder, and those that lead nowhere, are set aside.  Raises Invalid where ``path`` itself cannot
    be opened.
    """
    where = str(path)
    try:
        if not path.is_dir():
            yield from _of_file(path, where, read, passed)
            return
        root = path.resolve()
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror or error}", where=where) from None
    for one in _inside(path, passed):
        if one.is_symlink() and (reason := _not_followed(one, root)):
            yield SetAside(str(one), reason)
            continue
        try:
            if one.is_file():
                yield from _of_file(one, str(one), read, passed)
            elif one.is_dir():
                passed.add(f"{one} (a link to a folder in here)")
            else:
                yield SetAside(str(one), "is no file")
        except OSError as error:
            yield SetAside(str(one), f"cannot be read: {error.strerror or error}")


def _not_followed(link: Path, root: Path) -> str:
    """Why a link in a folder is not followed; empty where it is."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop is either, as the version of Python is
        return "is a link that leads nowhere, or in a circle"
    if not target.is_relative_to(root):
        return "is a link out of the folder, which is not followed"
    return ""


def _inside(folder: Path, passed: PassedOver) -> Iterator[Path]:
    """Files of a folder and of those in it, and links to folders, in the order of names."""

    def refuse(error: OSError) -> None:
        raise Invalid(f"cannot be read: {error.strerror}", where=str(error.filename)) from None

    for place, folders, files in os.walk(folder, onerror=refuse):
        linked = {one for one in folders if Path(place, one).is_symlink()}
        folders.sort()
        for name in sorted([*files, *linked]):
            one = Path(place, name)
            if name in linked or _is_feed(name):
                yield one
            elif not _is_beside(one.relative_to(folder).as_posix()):
                passed.add(str(one))


def _is_feed(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(NAMES)


def _is_beside(name: str) -> bool:
    """Whether nobody misses a file of this name and place."""
    is_hidden = any(part.startswith(".") for part in name.split("/"))
    return is_hidden or name.lower().endswith(_BESIDE)


def _of_file(path: Path, where: str, read: Reader[T], passed: PassedOver) -> Iterator[T | SetAside]:
    name = path.name.lower()
    with path.open("rb") as raw:
        start = raw.peek(4)[:4]
        if start.startswith(_ZIP) or name.endswith(".zip"):
            yield from _of_zip(raw, where, read, passed)
            return
        packed = start.startswith(_GZIP) or name.endswith(".gz")
        meter = _Meter(os.fstat(raw.fileno()).st_size)
        try:
            if packed:
                yield from _of_gzip(raw, meter, name.removesuffix(".gz"), where, read)
            else:
                yield from read(raw, name, where)
        except _Unreadable as error:
            yield SetAside(where, str(error))


def _of_gzip(raw: IO[bytes], meter: _Meter, name: str, where: str, read: Reader[T]) -> Iterator[T]:
    with gzip.open(raw) as unpacked:
        yield from read(io.BufferedReader(_Unpacked(unpacked, meter)), name, where)


def _of_zip(
    raw: io.BufferedReader, where: str, read: Reader[T], passed: PassedOver
) -> Iterator[T | SetAside]:
    meter = _Meter(os.fstat(raw.fileno()).st_size)
    try:
        archive = zipfile.ZipFile(raw)
    except _BROKEN as error:
        yield SetAside(where, f"is no zip file that can be read: {error}")
        return
    with archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            yield SetAside(where, f"has more than {MOST_MEMBERS:,} members")
            return
        for one in sorted(members, key=lambda member: member.filename):
            if one.is_dir():
                continue
            if not _is_feed(one.filename):
                if not _is_beside(one.filename):
                    passed.add(f"{where}/{one.filename}")
                continue
            try:
                yield from _of_member(archive, one, meter, f"{where}/{one.filename}", read)
            except _Endless as error:
                yield SetAside(where, str(error))
                return
            except _Unreadable as error:
                yield SetAside(f"{where}/{one.filename}", str(error))


def _of_member(
    archive: zipfile.ZipFile, one: zipfile.ZipInfo, meter: _Meter, where: str, read: Reader[T]
) -> Iterator[T]:
    try:
        opened = archive.open(one)
    except _BROKEN as error:
        message = f"cannot be unpacked: {error}"
        raise _Unreadable(message) from None
    name = one.filename.lower()
    with opened:
        if name.endswith(".gz"):
            yield from _of_gzip(opened, meter, name.removesuffix(".gz"), where, read)
        else:
            yield from read(io.BufferedReader(_Unpacked(opened, meter)), name, where)
