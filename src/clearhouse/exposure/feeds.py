"""OSV records from files: one record, a list, lines, a folder, an archive, any of them compressed.

A record that cannot be read is set aside with the reason; the others count.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from clearhouse.errors import Invalid
from clearhouse.exposure.vulnerabilities import Vulnerability, read
from clearhouse.formats.json_value import decode

MOST_RECORD_BYTES: Final = 16 << 20
_MOST_MEMBERS: Final = 2_000_000
_LINES: Final = (".ndjson", ".jsonl")
MOST_SET_ASIDE: Final = 10_000
#: What a damaged archive makes the library raise.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that could not be read."""

    where: str
    reason: str


def load(path: Path) -> Iterator[Vulnerability | SetAside]:
    """Every record in ``path``, in the order of the names of files.

    A folder is searched for ``.json``, lines, gzip and zip files.  Raises Invalid where ``path``
    itself cannot be read, or more than ``MOST_SET_ASIDE`` records cannot: it has no records then.
    """
    aside = 0
    for one in _load(path):
        aside += isinstance(one, SetAside)
        if aside > MOST_SET_ASIDE:
            raise Invalid(
                f"has more than {MOST_SET_ASIDE:,} records that cannot be read; expected OSV",
                where=str(path),
            )
        yield one


def _load(path: Path) -> Iterator[Vulnerability | SetAside]:
    try:
        if path.is_dir():
            for one in sorted(path.rglob("*")):
                if one.is_file() and _is_feed(one.name):
                    yield from _of_file(one, str(one))
        else:
            yield from _of_file(path, str(path))
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror or error}", where=str(path)) from None


def _is_feed(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith((".json", ".zip", *_LINES))


def _of_file(path: Path, where: str) -> Iterator[Vulnerability | SetAside]:
    name = path.name.lower()
    if name.endswith(".zip"):
        yield from _of_zip(path, where)
        return
    with path.open("rb") as raw:
        if name.endswith(".gz"):
            yield from _of_gzip(raw, name.removesuffix(".gz"), where)
        else:
            yield from _of_stream(raw, name, where)


def _of_gzip(raw: IO[bytes], name: str, where: str) -> Iterator[Vulnerability | SetAside]:
    try:
        with gzip.open(raw) as unpacked:
            yield from _of_stream(io.BufferedReader(unpacked), name, where)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield SetAside(where, "is cut off or no gzip file")


def _of_zip(path: Path, where: str) -> Iterator[Vulnerability | SetAside]:
    try:
        archive = zipfile.ZipFile(path)
    except (*_BROKEN, OSError) as error:
        yield SetAside(where, f"is no zip file that can be read: {error}")
        return
    with archive:
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS:
            raise Invalid(f"has more than {_MOST_MEMBERS:,} members", where=where)
        for one in sorted(members, key=lambda member: member.filename):
            if not one.is_dir() and _is_feed(one.filename):
                yield from _of_member(archive, one, f"{where}/{one.filename}")


def _of_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str
) -> Iterator[Vulnerability | SetAside]:
    """What one member of an archive holds; a broken one takes nothing with it."""
    name = member.filename.lower()
    try:
        with archive.open(member) as stream:
            if name.endswith(".gz"):
                yield from _of_gzip(stream, name.removesuffix(".gz"), where)
            elif name.endswith(".zip"):
                yield SetAside(where, "is an archive in an archive; unpack it first")
            else:
                yield from _of_stream(stream, name, where)
    except (*_BROKEN, OSError) as error:
        yield SetAside(where, f"cannot be unpacked: {error}")


def _of_stream(stream: IO[bytes], name: str, where: str) -> Iterator[Vulnerability | SetAside]:
    if not name.endswith(_LINES):
        yield from _of_document(stream.read(MOST_RECORD_BYTES + 1), where)
        return
    number = 0
    while line := stream.readline(MOST_RECORD_BYTES + 1):
        number += 1
        if line.strip():
            yield from _of_document(line, f"{where}:{number}")
        while len(line) > MOST_RECORD_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MOST_RECORD_BYTES + 1)


def _of_document(raw: bytes, where: str) -> Iterator[Vulnerability | SetAside]:
    """One record, or a list of records."""
    try:
        document = decode(raw, where, most_bytes=MOST_RECORD_BYTES)
    except Invalid as error:
        yield SetAside(where, error.message)
        return
    for one in document if isinstance(document, list) else [document]:
        try:
            yield read(one, where)
        except Invalid as error:
            yield SetAside(where, ": ".join(filter(None, (error.key, error.message))))
