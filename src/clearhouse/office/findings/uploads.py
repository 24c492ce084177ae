"""Files that are handed in: what each of them is, and what is in it, one by one.  No database.

A file is told by its content first and its name second: an archive of one bundle, of several, or
of submissions; a SARIF document; one report; or reports line by line.  What is wrong with one
stops no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import decode
from clearhouse.formats.report import parse_report
from clearhouse.formats.sarif import LOG_BYTES
from clearhouse.office.findings import arrivals
from clearhouse.office.findings.intake import (
    Item,
    Left,
    bundles_in,
    of_aixcc,
    of_bundle,
    of_report,
    of_sarif,
)
from clearhouse.proof.door import read_archive
from clearhouse.proof.manifest import MANIFEST
from clearhouse.proof.members import BUNDLE_LIMITS, MIB, Limits, size_text
from clearhouse.proof.tars import looks_like_tar
from clearhouse.proof.text import printable
from clearhouse.proof.zips import looks_like_zip

ARCHIVE_BYTES: Final = 256 * MIB
#: A thousand bundles of a few kilobytes are the usual case; what is unpacked lies in memory.
_ARCHIVE_LIMITS: Final = Limits(
    total_bytes=ARCHIVE_BYTES, members=20_000, member_bytes=BUNDLE_LIMITS.total_bytes
)
#: A hundred times what a finder with a large model hands in on a day.
LINES: Final = 100_000
_HEAD: Final = 4096
_LINE_NAMES: Final = (".ndjson", ".jsonl", ".ldjson")


@dataclass(frozen=True, slots=True)
class Taken:
    """One finding of a file, and where in it it stood."""

    where: str
    item: Item


Read = Taken | Left


def read_upload(
    name: str, stream: IO[bytes], size: int, *, target: PackageURL | None = None
) -> Iterator[Read]:
    """What is in a file of that name and size, read from its beginning.

    ``target`` is the package of scanners' results and submissions that name none.
    """
    where = printable(name, limit=100)
    if not size:
        yield Left(where, "is empty")
        return
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    try:
        if looks_like_zip(head) or looks_like_tar(head):
            _must_fit(size, ARCHIVE_BYTES, where)
            yield from _archive(stream.read(), target=target, where=where)
        elif _is_lines(name, head):
            yield from _lines(stream, where)
        else:
            yield from _document(stream, size, target=target, where=where)
    except Invalid as error:
        yield Left(where, _reason(error, where))


def _must_fit(size: int, most: int, where: str) -> None:
    if size > most:
        raise Invalid(f"larger than {size_text(most)}", where=where)


def _is_lines(name: str, head: bytes) -> bool:
    """Whether it is named so, or its first line is an object and its second begins one."""
    if name.lower().endswith(_LINE_NAMES):
        return True
    first, _, rest = head.partition(b"\n")
    is_object = first.lstrip().startswith(b"{") and first.rstrip().endswith(b"}")
    return is_object and rest.lstrip().startswith(b"{")


def _archive(data: bytes, *, target: PackageURL | None, where: str) -> Iterator[Read]:
    files = read_archive(data, where=where, limits=_ARCHIVE_LIMITS)
    if _is_bundle(files):
        yield Taken(where, of_bundle(data, where=where))
        return
    if any(name.lower().endswith(".json") for name in files) and not _has_manifest(files):
        items, left = of_aixcc(files, target=target, where=where)
        yield from (Taken(f"{where}: {one.origin_id}", one) for one in items)
        yield from left
        return
    for one in bundles_in(files, where=where):
        yield one if isinstance(one, Left) else Taken(f"{where}: {one.origin_id}", one)


def _is_bundle(files: Mapping[str, bytes]) -> bool:
    """Whether the archive is one bundle: its manifest at the root, or in the only top folder."""
    tops = {name.partition("/")[0] for name in files}
    return MANIFEST in files or (len(tops) == 1 and f"{next(iter(tops))}/{MANIFEST}" in files)


def _has_manifest(files: Iterable[str]) -> bool:
    return any(name.endswith(f"/{MANIFEST}") for name in files)


def _lines(stream: IO[bytes], where: str) -> Iterator[Read]:
    """Findings of newline-delimited JSON, as the API takes them."""
    for one in arrivals.lines(raw_lines(stream), where=where):
        place = f"{where}, line {one.number}"
        if one.number > LINES:
            yield Left(place, f"is beyond {LINES} lines: send the rest in another file")
            return
        if one.item is not None:
            yield Taken(place, one.item)
        elif one.wrong is not None:
            yield Left(place, _reason(one.wrong, place))


def raw_lines(stream: IO[bytes], longest: int = arrivals.LINE_BYTES) -> Iterator[bytes]:
    """Line by line; one that is longer comes out cut, one byte too long, and its rest is lost."""
    while line := stream.readline(longest + 1):
        yield line
        while len(line) > longest and not line.endswith(b"\n"):
            line = stream.readline(longest + 1)
            if len(line) <= longest:
                break


def _document(
    stream: IO[bytes], size: int, *, target: PackageURL | None, where: str
) -> Iterator[Read]:
    """A SARIF document, or one report."""
    _must_fit(size, LOG_BYTES, where)
    raw = stream.read()
    if not raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise Invalid(
            "is neither an archive (.zip, .tar.gz) nor SARIF nor a report in JSON; several reports"
            " stand one on each line of an .ndjson file",
            where=where,
        )
    value = decode(raw, where, most_bytes=LOG_BYTES)
    if isinstance(value, dict) and ("runs" in value or where.lower().endswith(".sarif")):
        items, left = of_sarif(raw, target=target, where=where)
        for number, one in enumerate(items, 1):
            yield Taken(f"{where}, result {number}", one)
        yield from left
        return
    yield Taken(where, of_report(parse_report(value, where), where=where))


def _reason(error: Invalid, where: str) -> str:
    """The error without the place that stands beside it anyway."""
    if error.where not in (where, None):
        return str(error)
    return ": ".join(part for part in (error.key, error.message) if part)
