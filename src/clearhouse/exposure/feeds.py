"""OSV records from files: one record, a list, lines, a folder, an archive, any of them compressed.

A record that cannot be read is set aside with the reason; the others count.
"""

from __future__ import annotations

import gzip
import io
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


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that could not be read."""

    where: str
    reason: str


def load(path: Path) -> Iterator[Vulnerability | SetAside]:
    """Every record in ``path``, in the order of the names of files.

    A folder is searched for ``.json``, lines, gzip and zip files.  Raises Invalid where ``path``
    itself cannot be read.
    """
    where = str(path)
    try:
        if path.is_dir():
            for one in sorted(path.rglob("*")):
                if one.is_file() and _is_feed(one.name):
                    yield from _of_file(one, str(one))
        else:
            yield from _of_file(path, where)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror or error}", where=where) from None


def _is_feed(name: str) -> bool:
    return name.removesuffix(".gz").endswith((".json", ".zip", *_LINES))


def _of_file(path: Path, where: str) -> Iterator[Vulnerability | SetAside]:
    if path.suffix == ".zip":
        yield from _of_zip(path, where)
        return
    with path.open("rb") as raw:
        if path.suffix != ".gz":
            yield from _of_stream(raw, path.name, where)
            return
        try:
            with gzip.open(raw) as unpacked:
                yield from _of_stream(io.BufferedReader(unpacked), path.stem, where)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield SetAside(where, "is cut off or no gzip file")


def _of_zip(path: Path, where: str) -> Iterator[Vulnerability | SetAside]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise Invalid(f"has more than {_MOST_MEMBERS:,} members", where=where)
            for one in sorted(members, key=lambda member: member.filename):
                if one.filename.endswith((".json", *_LINES)):
                    at = f"{where}/{one.filename}"
                    with archive.open(one) as stream:
                        yield from _of_stream(stream, one.filename, at)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        yield SetAside(where, f"is no zip file that can be read: {error}")


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
