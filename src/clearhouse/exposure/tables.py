"""Feeds that are tables and lines: EPSS and KEV in CSV, JSON in lines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.exposure.documents import (
    MOST_DOCUMENT_BYTES,
    NAMES,
    Document,
    Kind,
    encoded,
    of_json,
    of_xml,
)
from clearhouse.exposure.unpacking import LINES, SetAside, is_packed
from clearhouse.formats import epss, kev
from clearhouse.formats.json_value import decode

_LONGEST_LINE: Final = 1 << 20
_HEAD: Final = 512
_EMPTY: Final = (b"", b"#")
_MOST_EMPTY: Final = 1_000_000
_BOM: Final = b"\xef\xbb\xbf"


def documents_in(
    stream: io.BufferedReader, name: str, where: str, kinds: frozenset[Kind]
) -> Iterator[Document | SetAside]:
    """The documents of one file; its content tells which they are, its name whether it is lines.

    Where the name does not tell, as a pipe's, the first line does.
    """
    start = stream.peek(_HEAD)[:_HEAD]
    head = start.removeprefix(_BOM).lstrip().splitlines()
    first = head[0].decode("utf-8", "replace") if head else ""
    try:
        if is_packed(start):
            yield SetAside(where, "is an archive in an archive; unpack it first")
        elif first.startswith("<") or name.endswith(".xml"):
            yield from of_xml(stream.read(MOST_DOCUMENT_BYTES + 1), where, kinds)
        elif epss.is_epss_head(first):
            yield from _table(Kind.EPSS, stream, where, kinds)
        elif kev.is_kev_header(first):
            yield from _table(Kind.KEV, stream, where, kinds)
        elif name.endswith(".csv"):
            reason = "is a table of no known kind; known are EPSS and the KEV catalogue"
            yield SetAside(where, reason)
        elif name.endswith(LINES):
            yield from _of_lines(stream, where, kinds, 1)
        elif name.endswith(".json"):
            yield from of_json(stream.read(MOST_DOCUMENT_BYTES + 1), where, kinds)
        else:
            yield from _of_unnamed(stream, where, kinds)
    except Invalid as error:
        yield SetAside(where, error.message)


def _of_lines(
    stream: io.BufferedReader, where: str, kinds: frozenset[Kind], first: int
) -> Iterator[Document | SetAside]:
    for number, line in _lines(stream, MOST_DOCUMENT_BYTES):
        if line.strip():
            yield from of_json(line.strip(), f"{where}:{number + first - 1}", kinds)


def _of_unnamed(
    stream: io.BufferedReader, where: str, kinds: frozenset[Kind]
) -> Iterator[Document | SetAside]:
    """What has no telling name, as a pipe has: lines where the first is a document whole."""
    head = stream.readline(MOST_DOCUMENT_BYTES + 1)
    if stream.peek(1) and _is_object(head):
        yield from of_json(head.strip(), f"{where}:1", kinds)
        yield from _of_lines(stream, where, kinds, 2)
    else:
        yield from of_json(head + stream.read(MOST_DOCUMENT_BYTES + 1 - len(head)), where, kinds)


def _is_object(line: bytes) -> bool:
    try:
        found = decode(line, "", most_bytes=MOST_DOCUMENT_BYTES)
    except Invalid:
        return False
    return isinstance(found, dict)


def _lines(stream: io.BufferedReader, most: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of one that is too long its beginning, too long too.

    Raises Invalid where too many say nothing: a small packed file can have them without end.
    """
    number = empty = 0
    while line := stream.readline(most + 1):
        number += 1
        empty += line.strip() in _EMPTY
        if empty > _MOST_EMPTY:
            raise Invalid(f"has more than {_MOST_EMPTY:,} empty lines; the rest is left out")
        yield number, line
        while len(line) > most and not line.endswith(b"\n"):
            line = stream.readline(most + 1)


def _table(
    kind: Kind, stream: io.BufferedReader, where: str, kinds: frozenset[Kind]
) -> Iterator[Document | SetAside]:
    if kind not in kinds:
        wanted = ", ".join(NAMES[one] for one in Kind if one in kinds)
        yield SetAside(where, f"is {NAMES[kind]}; expected {wanted}")
    elif kind is Kind.EPSS:
        yield from _epss(stream, where)
    else:
        yield from _kev(stream, where)


def _epss(stream: io.BufferedReader, where: str) -> Iterator[Document | SetAside]:
    edition: epss.Edition | None = None
    for number, line in _lines(stream, _LONGEST_LINE):
        raw = line.strip()
        try:
            text = _text(raw)
            if number == 1:
                edition = epss.edition(text)
            if not text or text.startswith("#") or text.lower() == epss.HEADER:
                continue
            found = epss.read(text, edition.model if edition else "")
        except Invalid as error:
            yield SetAside(f"{where}:{number}", error.message)
            continue
        scored = edition.scored if edition else None
        yield Document(Kind.EPSS, found.cve, scored, raw, f"{where}:{number}", found)


def _kev(stream: io.BufferedReader, where: str) -> Iterator[Document | SetAside]:
    lines = (line.decode("utf-8", "surrogateescape") for _, line in _lines(stream, _LONGEST_LINE))
    for number, row in enumerate(kev.rows(lines), 1):
        place = f"{where}: row {number}"
        if isinstance(row, Invalid):
            yield SetAside(place, row.message)
            continue
        try:
            if not "".join(row.values()).isascii():
                _text("".join(row.values()).encode("utf-8", "surrogateescape"))
            found = kev.from_row(row)
            yield Document(Kind.KEV, found.cve, None, encoded(dict(row)), place, found)
        except Invalid as error:
            yield SetAside(place, error.message)


def _text(raw: bytes) -> str:
    if len(raw) > _LONGEST_LINE:
        raise Invalid(f"has a line of more than {_LONGEST_LINE:,} bytes")
    try:
        return raw.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8") from None
