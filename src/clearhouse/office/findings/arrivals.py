"""Findings in bulk: one a line, each read by itself.  No database."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import decode
from clearhouse.formats.report import parse_report
from clearhouse.formats.report_schema import RECORD_BYTES
from clearhouse.office.findings.intake import Item, of_bundle, of_report
from clearhouse.proof.door import read_archive
from clearhouse.proof.members import MIB

#: A line of bulk: a report, or a bundle of the usual size in base64.
LINE_BYTES: Final = 96 * MIB


@dataclass(frozen=True, slots=True)
class Line:
    """A line of bulk, by its number: a finding, or what is wrong with it."""

    number: int
    item: Item | None
    wrong: Invalid | None = None


def submissions_in(raw: bytes, *, where: str) -> Mapping[str, bytes]:
    """The files of an archive of submissions, or the one submission that ``raw`` is."""
    if raw.lstrip()[:1] == b"{":
        return {"submission.json": raw}
    return read_archive(raw, where=where)


def lines(raw_lines: Iterable[bytes], *, where: str) -> Iterator[Line]:
    """Read newline-delimited JSON: a report a line, or ``{"bundle": "<base64 of the archive>"}``.

    One line that is wrong stops no other; blank lines are none, and count.
    """
    for number, raw in enumerate(raw_lines, 1):
        if not raw.strip():
            continue
        place = f"{where}, line {number}"
        try:
            yield Line(number, _item(raw, place))
        except Invalid as wrong:
            yield Line(number, None, wrong)


def _item(raw: bytes, where: str) -> Item:
    value = decode(raw, where, most_bytes=LINE_BYTES)
    if isinstance(value, dict) and "bundle" in value:
        return of_bundle(_archive(value, where), where=where)
    if len(raw) > RECORD_BYTES:
        raise Invalid(f"a report has at most {RECORD_BYTES >> 20} MiB", where=where)
    return of_report(parse_report(value, where), where=where)


def _archive(value: Mapping[str, Any], where: str) -> bytes:
    encoded = value["bundle"]
    unknown = sorted(set(value) - {"bundle"})
    if unknown:
        raise Invalid(f"expected nothing beside it, found {unknown[0][:60]!r}", where=where,
                      key="bundle")  # fmt: skip
    if not isinstance(encoded, str):
        raise Invalid("expected text", where=where, key="bundle")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("expected base64 (RFC 4648, section 4)", where=where, key="bundle") from None
