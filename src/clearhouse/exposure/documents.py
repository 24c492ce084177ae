"""Documents of feeds: which kind each is, told by what is in it, and what it says.

OSV, KEV, EPSS, CVE records, CSAF, OpenVEX and CycloneDX with vulnerabilities.  A document is kept
as it came beside what was read from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from clearhouse.errors import Invalid
from clearhouse.exposure.unpacking import SetAside
from clearhouse.formats import (
    cve_reading,
    cyclonedx_vex,
    cyclonedx_xml,
    epss,
    kev,
    openvex_reading,
    osv_reading,
)
from clearhouse.formats.csaf import reading as csaf_reading
from clearhouse.formats.cve_reading import CveRecord
from clearhouse.formats.inventory import text_of
from clearhouse.formats.json_value import JsonValue, Problem, decode
from clearhouse.formats.vex import VexDocument

MOST_DOCUMENT_BYTES: Final = 32 << 20
_LONGEST_ID: Final = 1024
_HEAD: Final = 512
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

Value: TypeAlias = osv_reading.Record | kev.Listing | epss.Score | CveRecord | VexDocument


class Kind(StrEnum):
    """What a document is."""

    OSV = "osv"
    KEV = "kev"
    EPSS = "epss"
    CVE = "cve"
    CSAF = "csaf"
    OPENVEX = "openvex"
    CYCLONEDX = "cyclonedx"


ALL: Final = frozenset(Kind)
VEX: Final = frozenset({Kind.CSAF, Kind.OPENVEX, Kind.CYCLONEDX})
#: How a person calls them.
NAMES: Final = {
    Kind.OSV: "OSV", Kind.KEV: "the KEV catalogue", Kind.EPSS: "EPSS", Kind.CVE: "a CVE record",
    Kind.CSAF: "CSAF", Kind.OPENVEX: "OpenVEX", Kind.CYCLONEDX: "CycloneDX",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """One document, or one entry of a catalogue or table."""

    kind: Kind
    id: str
    """With ``kind`` its key: the same for each of its versions."""
    modified: datetime | None
    """When it was changed last; of an entry in a catalogue, when that came out."""
    raw: bytes
    """As it came; what stood in a list or a catalogue is JSON again, a table's row and XML too."""
    where: str
    """Where it stood, for messages."""
    value: Value
    problems: tuple[Problem, ...] = ()
    """What of it could not be read; the rest counts."""

    @property
    def digest(self) -> str:
        """SHA-256 of ``raw``, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()


def kind_of(document: JsonValue) -> Kind | None:
    """What a JSON object is; None where it is no kind that is known."""
    table = document.table()
    meta = table.get("document")
    if table.get("dataType") == "CVE_RECORD" or {"cveMetadata", "containers"} <= table.keys():
        return Kind.CVE
    if isinstance(meta, dict) and "csaf_version" in meta:
        return Kind.CSAF
    if openvex_reading.is_openvex(document):
        return Kind.OPENVEX
    if table.get("bomFormat") == "CycloneDX":
        return Kind.CYCLONEDX
    if kev.is_kev(document):
        return Kind.KEV
    if "id" in table and not table.keys().isdisjoint({"affected", "modified", "schema_version"}):
        return Kind.OSV
    return None


def of_json(raw: bytes, where: str, kinds: frozenset[Kind]) -> Iterator[Document | SetAside]:
    """The document that ``raw`` is, or those of a list or a catalogue.

    What is not of ``kinds`` is set aside.
    """
    try:
        found = decode(raw, where, most_bytes=MOST_DOCUMENT_BYTES)
    except Invalid as error:
        yield SetAside(where, error.message)
        return
    if not isinstance(found, list):
        yield from _of_object(JsonValue(found, where), raw, where, kinds)
        return
    for index, one in enumerate(found):
        try:
            yield from _of_object(JsonValue(one, where), encoded(one), f"{where}[{index}]", kinds)
        except Invalid as error:
            yield SetAside(f"{where}[{index}]", error.message)


def of_xml(raw: bytes, where: str, kinds: frozenset[Kind]) -> Iterator[Document | SetAside]:
    """The CycloneDX document that ``raw`` is in XML; kept is the JSON that it would be."""
    try:
        text = text_of(raw, where, most_bytes=MOST_DOCUMENT_BYTES)
        found = cyclonedx_xml.decode(text, where)
        yield from _of_object(JsonValue(found, where), encoded(found), where, kinds)
    except Invalid as error:
        yield SetAside(where, error.message)


def of_bytes(raw: bytes, where: str, kinds: frozenset[Kind]) -> Iterator[Document | SetAside]:
    """The documents that ``raw`` is, in JSON or XML: how it begins tells."""
    start = raw[:_HEAD].decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig", "replace")
    is_xml = start.lstrip().startswith("<")
    yield from (of_xml if is_xml else of_json)(raw, where, kinds)


def encoded(value: object) -> bytes:
    """JSON again of what was decoded.  Raises Invalid for what JSON cannot say."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Invalid("has a number that is too large, or is nested too deeply") from None


def _of_object(
    document: JsonValue, raw: bytes, where: str, kinds: frozenset[Kind]
) -> Iterator[Document | SetAside]:
    try:
        kind = kind_of(document)
        if kind not in kinds:
            yield SetAside(where, _unwanted(kind, kinds))
        elif kind is Kind.KEV:
            yield from _of_catalogue(document, where)
        elif kind is not None:
            yield checked(_read(kind, document, raw, where))
    except Invalid as error:
        yield SetAside(where, ": ".join(filter(None, (error.key, error.message))))


def _unwanted(kind: Kind | None, kinds: frozenset[Kind]) -> str:
    wanted = ", ".join(NAMES[one] for one in Kind if one in kinds)
    return f"is {NAMES[kind] if kind else 'of no known kind'}; expected {wanted}"


def _read(kind: Kind, document: JsonValue, raw: bytes, where: str) -> Document:
    vex: VexDocument
    match kind:
        case Kind.OSV:
            osv = osv_reading.read(document.raw, where)
            return Document(kind, osv.id, osv.modified_at, raw, where, osv, osv.problems)
        case Kind.CVE:
            cve = cve_reading.read(document)
            return Document(kind, cve.id, cve.updated, raw, where, cve, cve.problems)
        case Kind.CSAF:
            vex = csaf_reading.read(document)
        case Kind.OPENVEX:
            vex = openvex_reading.read(document)
        case Kind.CYCLONEDX:
            if document.table().get("vulnerabilities") is None:
                raise Invalid("is an inventory: it has no vulnerabilities", where=where)
            vex = cyclonedx_vex.read(document, name=f"sha256:{hashlib.sha256(raw).hexdigest()}")
        case _:
            message = f"{kind} has many entries in one document"
            raise AssertionError(message)
    return Document(kind, vex.id, vex.at, raw, where, vex, vex.problems)


def _of_catalogue(document: JsonValue, where: str) -> Iterator[Document | SetAside]:
    released = kev.edition(document).released
    for entry in kev.entries(document):
        try:
            found = kev.read(entry)
            raw = encoded(entry.raw)
            yield Document(Kind.KEV, found.cve, released, raw, f"{where}: {entry.path}", found)
        except Invalid as error:
            yield SetAside(f"{where}: {error.key or entry.path}", error.message)


def checked(document: Document) -> Document:
    """The document.  Raises Invalid where its identifier cannot be one in any store."""
    if not document.id.isprintable() or len(document.id) > _LONGEST_ID:
        raise Invalid(
            f"expected an identifier of up to {_LONGEST_ID} printable characters",
            where=document.where,
        )
    return document
