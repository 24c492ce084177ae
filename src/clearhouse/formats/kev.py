"""CISA's catalogue of known exploited vulnerabilities (KEV), as JSON and as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.cve import CVE_ID
from clearhouse.formats.instants import instant
from clearhouse.formats.json_value import JsonValue

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_COLUMNS: Final = (
    "cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "shortDescription",
    "requiredAction", "dueDate", "knownRansomwareCampaignUse", "notes",
)  # fmt: skip
_NEEDED: Final = ("cveID", "vendorProject", "product", "dateAdded")


@dataclass(frozen=True, slots=True)
class Listing:
    """One vulnerability that is known to be exploited."""

    cve: str
    vendor: str
    product: str
    name: str
    added: date
    due: date | None
    """Until when CISA's directive asked federal agencies to act."""
    action: str
    in_ransomware: bool | None
    """Whether it is known in ransomware campaigns; None where that is not known."""
    description: str
    notes: str
    cwe_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """Which edition of the catalogue."""

    version: str
    released: datetime | None


def is_kev(document: JsonValue) -> bool:
    """Whether a JSON object is the catalogue."""
    return {"catalogVersion", "vulnerabilities"} <= document.table().keys()


def is_kev_header(line: str) -> bool:
    """Whether a line is the catalogue's first in CSV."""
    return line.lstrip("\ufeff").replace('"', "").startswith("cveID,vendorProject,")


def edition(document: JsonValue) -> Edition:
    """Which edition a JSON document is.  Raises Invalid where it is malformed."""
    return Edition(
        document.text_at("catalogVersion") or "", instant(document.text_at("dateReleased"))
    )


def entries(document: JsonValue) -> Iterator[JsonValue]:
    """The catalogue's entries, for :func:`read`.  Raises Invalid where they are no list."""
    return document.listed("vulnerabilities")


def read(entry: JsonValue) -> Listing:
    """Read an entry.  Raises Invalid where it is malformed."""
    texts = {column: entry.text_at(column) or "" for column in _COLUMNS}
    cwes = tuple(one.text() for one in entry.listed("cwes"))
    try:
        return _listing(texts, cwes)
    except Invalid as error:
        raise entry.wrong(error.message) from None


def rows(lines: Iterable[str]) -> Iterator[Mapping[str, str] | Invalid]:
    """The rows of the catalogue in CSV (RFC 4180), for :func:`from_row`, the header first in it.

    A row that cannot be read is an error in its place.
    """
    table = csv.reader(lines, strict=True)
    header: list[str] | None = None
    while True:
        try:
            row = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield Invalid(f"is no CSV: {error}", key=f"line {table.line_num}")
            continue
        if header is None:
            header = [one.lstrip("\ufeff").strip() for one in row]
        elif row:
            yield dict(zip(header, row, strict=False))


def from_row(row: Mapping[str, str]) -> Listing:
    """Read a row of the catalogue in CSV.  Raises Invalid where it is malformed."""
    texts = {column: row.get(column, "") for column in _COLUMNS}
    cwes = tuple(one.strip() for one in row.get("cwes", "").split(",") if one.strip())
    return _listing(texts, cwes)


def _listing(texts: Mapping[str, str], cwes: tuple[str, ...]) -> Listing:
    for column in _NEEDED:
        if not texts[column].strip():
            raise Invalid(f"expected {column} as text")
    if not CVE_ID.fullmatch(texts["cveID"].strip()):
        raise Invalid("expected cveID as a CVE identifier")
    return Listing(
        texts["cveID"].strip(),
        texts["vendorProject"],
        texts["product"],
        texts["vulnerabilityName"],
        _day(texts["dateAdded"], "dateAdded"),
        _day(texts["dueDate"], "dueDate") if texts["dueDate"].strip() else None,
        texts["requiredAction"],
        True if texts["knownRansomwareCampaignUse"].strip().lower() == "known" else None,
        texts["shortDescription"],
        texts["notes"],
        cwes,
    )


def _day(text: str, key: str) -> date:
    try:
        if _DAY.fullmatch(text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise Invalid(f"expected {key} as a day, such as 2026-11-22")
