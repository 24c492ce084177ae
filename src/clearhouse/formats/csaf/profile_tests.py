"""Tests of the profiles: CSAF 2.0, sections 6.1.27.1 to 6.1.27.11.

Each is for the document categories that its table row names; ``mandatory`` holds that table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from clearhouse.formats.csaf.document import (
    Object,
    groups,
    member,
    objects,
    products_of,
    text,
    texts,
    vulnerabilities,
)

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

_TELLING_NOTES: Final = frozenset({"description", "details", "general", "summary"})
_VEX_STATUSES: Final = ("fixed", "known_affected", "known_not_affected", "under_investigation")


def no_document_note(document: Object) -> Found:
    """6.1.27.1: a note of the document tells what it is about."""
    notes = objects(member(document, "document"), "notes", "/document")
    if not any(text(note, "category") in _TELLING_NOTES for _, note in notes):
        yield "/document/notes", "no note is a description, details, general or a summary"


def no_external_reference(document: Object) -> Found:
    """6.1.27.2: a reference leads outside; without a category it is external."""
    references = objects(member(document, "document"), "references", "/document")
    if not any(one.get("category", "external") == "external" for _, one in references):
        yield "/document/references", "no reference is external"


def vulnerabilities_present(document: Object) -> Found:
    """6.1.27.3: there are no vulnerabilities."""
    if "vulnerabilities" in document:
        yield "/vulnerabilities", "this category of document has no vulnerabilities"


def no_product_tree(document: Object) -> Found:
    """6.1.27.4: there is a product tree."""
    if "product_tree" not in document:
        yield "/product_tree", "is missing"


def no_vulnerability_notes(document: Object) -> Found:
    """6.1.27.5: each vulnerability has notes."""
    yield from _missing(document, "notes")


def no_product_status(document: Object) -> Found:
    """6.1.27.6: each vulnerability has a product status."""
    yield from _missing(document, "product_status")


def _missing(document: Object, name: str) -> Found:
    for path, vulnerability in vulnerabilities(document):
        if name not in vulnerability:
            yield f"{path}/{name}", "is missing"


def no_vex_status(document: Object) -> Found:
    """6.1.27.7: each vulnerability has one of the four statuses of VEX."""
    for path, vulnerability in vulnerabilities(document):
        status: Mapping[str, object] = member(vulnerability, "product_status")
        if not any(name in status for name in _VEX_STATUSES):
            yield f"{path}/product_status", f"has none of {', '.join(_VEX_STATUSES)}"


def no_vulnerability_id(document: Object) -> Found:
    """6.1.27.8: each vulnerability has an identifier."""
    for path, vulnerability in vulnerabilities(document):
        if "cve" not in vulnerability and "ids" not in vulnerability:
            yield path, "has neither cve nor ids"


def no_impact_statement(document: Object) -> Found:
    """6.1.27.9: what is not affected has a flag or a threat of category impact."""
    known = groups(document)
    for path, vulnerability in vulnerabilities(document):
        stated = [flag for _, flag in objects(vulnerability, "flags", path)]
        threats = objects(vulnerability, "threats", path)
        stated += [threat for _, threat in threats if threat.get("category") == "impact"]
        said = {product for one in stated for product in products_of(one, known)}
        yield from _unsaid(path, vulnerability, "known_not_affected", said, "impact statement")


def no_action_statement(document: Object) -> Found:
    """6.1.27.10: what is affected has a remediation."""
    known = groups(document)
    for path, vulnerability in vulnerabilities(document):
        remedies = objects(vulnerability, "remediations", path)
        said = {product for _, one in remedies for product in products_of(one, known)}
        yield from _unsaid(path, vulnerability, "known_affected", said, "action statement")


def _unsaid(path: str, vulnerability: Object, status: str, said: set[str], what: str) -> Found:
    listed = member(vulnerability, "product_status")
    for place, product in texts(listed, status, f"{path}/product_status"):
        if product not in said:
            yield place, f"there is no {what} for {product!r}"


def no_vulnerabilities(document: Object) -> Found:
    """6.1.27.11: there are vulnerabilities."""
    if "vulnerabilities" not in document:
        yield "/vulnerabilities", "is missing"
