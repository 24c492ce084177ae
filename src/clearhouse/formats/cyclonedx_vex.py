"""What CycloneDX documents state of components: VEX, alone or in a bill of materials (1.4 to 1.7).

``vulnerabilities[].analysis`` (ECMA-424).  A component is known by its package URL: that of the
component with its ``bom-ref`` here, or in the document that a BOM-Link names.  A vulnerability
without analysis is listed, and nothing is stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import Claim
from clearhouse.formats.instants import instant
from clearhouse.formats.inventory import check_count
from clearhouse.formats.json_value import JsonValue, Problem, read_each
from clearhouse.formats.vex import Product, Statement, VexDocument, purl_of

_CLAIMS: Final[Mapping[str, Claim]] = {
    "resolved": Claim.FIXED,
    "resolved_with_pedigree": Claim.FIXED,
    "exploitable": Claim.AFFECTED,
    "in_triage": Claim.UNDER_INVESTIGATION,
    "false_positive": Claim.NOT_AFFECTED,
    "not_affected": Claim.NOT_AFFECTED,
}
_SERIAL: Final = re.compile(r"urn:uuid:([0-9a-fA-F-]{36})")
#: What a version's own status says where it is given, beside what the analysis says of the rest.
_OF_VERSION: Final[Mapping[str, Claim]] = {
    "affected": Claim.AFFECTED,
    "unknown": Claim.UNDER_INVESTIGATION,
}
_SAFE: Final = frozenset({Claim.NOT_AFFECTED, Claim.FIXED})


@dataclass(frozen=True, slots=True)
class _Head:
    id: str
    author: str
    at: datetime | None
    refs: Mapping[str, PackageURL]


def read(document: JsonValue, *, name: str) -> VexDocument:
    """Read a document; ``name`` stands for its identifier where it has no serial number.

    Raises Invalid where its frame is malformed.
    """
    metadata = document.get("metadata")
    at = instant(metadata.text_at("timestamp")) if metadata is not None else None
    serial = document.text_at("serialNumber") or name
    head = _Head(serial, _author(metadata), at, _refs(document) | bom_links(document))
    problems: list[Problem] = []
    found = read_each(
        document.listed("vulnerabilities"), lambda one: list(_statements(one, head)), problems
    )
    return VexDocument(
        serial,
        str(document.table().get("version", "")),
        head.author,
        at,
        tuple(statement for statements in found for statement in statements),
        tuple(problems),
    )


def bom_links(document: JsonValue) -> dict[str, PackageURL]:
    """The package URLs of its components by BOM-Link; none where it has no serial number."""
    serial = _SERIAL.fullmatch(str(document.table().get("serialNumber")))
    version = document.table().get("version", 1)
    return (
        {f"urn:cdx:{serial[1]}/{version}#{ref}": purl for ref, purl in _refs(document).items()}
        if serial
        else {}
    )


def _refs(document: JsonValue) -> dict[str, PackageURL]:
    """The same by ``bom-ref``; one that stands for two package URLs stands for none."""
    found: dict[str, PackageURL] = {}
    twice: set[str] = set()
    for ref, purl in _components(document):
        if found.setdefault(ref, purl) != purl:
            twice.add(ref)
    return {ref: purl for ref, purl in found.items() if ref not in twice}


def _components(document: JsonValue) -> Iterator[tuple[str, PackageURL]]:
    metadata = document.get("metadata")
    subject = metadata.get("component") if metadata is not None else None
    waiting = [*document.listed("components"), *([subject] if subject is not None else [])]
    count = 0
    while waiting:
        one = waiting.pop()
        check_count(count := count + 1, one.path)
        try:
            waiting += one.listed("components")
            ref, purl = one.text_at("bom-ref"), purl_of(one.text_at("purl") or "")
        except Invalid:
            continue  # the inventory says so; here it only has no package URL
        if ref and purl is not None:
            yield ref, purl


def _author(metadata: JsonValue | None) -> str:
    """Who made the document: the supplier or manufacturer of what it is about, else an author."""
    if metadata is None:
        return ""
    authors = [*metadata.listed("authors")][:1]
    organisations = (metadata.get(key) for key in ("supplier", "manufacturer", "manufacture"))
    for one in (*organisations, *authors):
        name = one.text_at("name") if one is not None else None
        if name:
            return name
    return ""


def _statements(one: JsonValue, head: _Head) -> Iterator[Statement]:
    """One statement for each claim that the analysis and the versions' own status make."""
    analysis = one.get("analysis")
    state = analysis.text_at("state") if analysis is not None else None
    if analysis is None or state is None:
        return
    if state not in _CLAIMS:
        raise analysis.wrong(f"expected one of {', '.join(_CLAIMS)} as state")
    products: dict[Claim, dict[Product, None]] = {}
    for affected in one.listed("affects"):
        for claim, product in _products(affected, _CLAIMS[state], head):
            products.setdefault(claim, {})[product] = None
    if not products:
        raise one.wrong("affects no component")
    ids = tuple(_ids(one))
    at = instant(analysis.text_at("lastUpdated")) or instant(one.text_at("updated")) or head.at
    responses = [each.text() for each in analysis.listed("response")]
    actions = (*responses, one.text_at("recommendation"), one.text_at("workaround"))
    action = "; ".join(each for each in actions if each)
    for claim, named in products.items():
        yield Statement(
            ids,
            tuple(named),
            claim,
            (analysis.text_at("justification") or "") if claim is Claim.NOT_AFFECTED else "",
            analysis.text_at("detail") or "",
            action,
            head.author,
            at,
            head.id,
        )


def _ids(one: JsonValue) -> Iterator[str]:
    identifier = one.text_at("id")
    if not identifier:
        raise one.wrong("expected id as text")
    yield identifier
    for reference in one.listed("references"):  # to the same flaw in other databases
        alias = reference.text_at("id")
        if alias:
            yield alias


def _products(affected: JsonValue, claim: Claim, head: _Head) -> Iterator[tuple[Claim, Product]]:
    ref = affected.text_at("ref")
    if not ref:
        raise affected.wrong("expected ref as text")
    whole = Product(ref, head.refs.get(ref))
    versions = [*affected.listed("versions")]
    if not versions:
        yield claim, whole
    for one in versions:
        yield _claim(one.text_at("status"), claim), _version(one, whole)


def _claim(status: str | None, claim: Claim) -> Claim:
    if status == "unaffected":
        return claim if claim in _SAFE else Claim.NOT_AFFECTED
    return claim if status is None else _OF_VERSION.get(status, Claim.UNDER_INVESTIGATION)


def _version(one: JsonValue, whole: Product) -> Product:
    """The product in that version, or in those of a range."""
    version, span = one.text_at("version"), one.text_at("range")
    if not (version or span):
        raise one.wrong("expected version or range as text")
    purl = whole.purl
    name = f"{whole.name} {version or span}"  # no reference: it does not name the component as such
    if purl is not None:
        purl = PackageURL(
            purl.type, purl.namespace, purl.name, version, purl.qualifiers, purl.subpath
        )
    return replace(whole, name=name, purl=purl, span="" if version else span or "")
