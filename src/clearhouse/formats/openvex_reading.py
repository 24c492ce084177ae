"""OpenVEX documents, read (OpenVEX specification 0.2.0, and 0.0.1 as it is still written).

A statement that the specification would not let stand is left out and told of: nothing is taken as
not affected without a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from clearhouse.formats.advisory import Claim
from clearhouse.formats.instants import instant
from clearhouse.formats.json_value import JsonValue, Problem, nearest, read_each
from clearhouse.formats.vex import Product, Statement, VexDocument, purl_of

CONTEXT: Final = "https://openvex.dev/ns"
JUSTIFICATIONS: Final = (
    "component_not_present",
    "inline_mitigations_already_exist",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_not_present",
)


def is_openvex(document: JsonValue) -> bool:
    """Whether a JSON object says that it is OpenVEX."""
    context = document.table().get("@context")
    contexts = context if isinstance(context, list) else [context]
    return any(isinstance(one, str) and one.startswith(CONTEXT) for one in contexts)


@dataclass(frozen=True, slots=True)
class _Head:
    id: str
    author: str
    at: datetime | None


def read(document: JsonValue) -> VexDocument:
    """Read a document.  Raises Invalid where its frame is malformed."""
    head = _Head(_text(document, "@id"), _text(document, "author"), _time(document, "timestamp"))
    if head.at is None:
        raise document.wrong("expected a timestamp")
    problems: list[Problem] = []
    statements = read_each(
        document.listed("statements"), lambda one: _statement(one, head), problems
    )
    return VexDocument(
        head.id,
        str(document.table().get("version", "")),
        head.author,
        _time(document, "last_updated") or head.at,
        tuple(statements),
        tuple(problems),
    )


def _statement(one: JsonValue, head: _Head) -> Statement:
    status = _text(one, "status")
    if status not in set(Claim):
        known = ", ".join(Claim)
        raise one.wrong(f"expected one of {known} as status")
    claim = Claim(status)
    justification = one.text_at("justification") or ""
    impact = one.text_at("impact_statement") or ""
    if justification and justification not in JUSTIFICATIONS:
        near = nearest(justification, JUSTIFICATIONS)
        raise one.wrong(f"unknown justification; did you mean '{near or JUSTIFICATIONS[0]}'?")
    if claim is Claim.NOT_AFFECTED and not (justification or impact.strip()):
        raise one.wrong("is not affected without justification or impact_statement")
    products = tuple(_products(one))
    if not products:
        raise one.wrong("names no product")
    return Statement(
        tuple(_ids(one)),
        products,
        claim,
        justification if claim is Claim.NOT_AFFECTED else "",
        impact or one.text_at("status_notes") or "",
        one.text_at("action_statement") or "",
        head.author,
        _time(one, "last_updated") or _time(one, "timestamp") or head.at,
        head.id,
    )


def _ids(one: JsonValue) -> Iterator[str]:
    found = one.get("vulnerability")
    if found is None:
        raise one.wrong("expected a vulnerability")
    if isinstance(found.raw, str):  # as in 0.0.1
        yield _text(one, "vulnerability")
        return
    yield _text(found, "name")
    for alias in found.listed("aliases"):
        yield alias.text()


def _products(one: JsonValue) -> Iterator[Product]:
    """Each package URL of each product; in 0.0.1 the components are the statement's."""
    common = tuple(_named(one, "subcomponents"))
    for product in one.listed("products"):
        inner = product.table().get("subcomponents") if isinstance(product.raw, dict) else None
        parts = tuple(_named(product, "subcomponents")) if inner else common
        for found in _component(product):
            yield replace(found, parts=parts)


def _named(one: JsonValue, key: str) -> Iterator[Product]:
    for component in one.listed(key):
        yield from _component(component)


def _component(one: JsonValue) -> Iterator[Product]:
    if isinstance(one.raw, str):
        yield Product(one.raw, purl_of(one.raw))
        return
    identifier = one.text_at("@id") or ""
    identifiers = one.get("identifiers")
    purl = identifiers.text_at("purl") if identifiers is not None else None
    names = [name for name in dict.fromkeys((identifier, purl or "")) if name]
    if not names:
        raise one.wrong("expected @id, or a purl among its identifiers")
    known = [name for name in names if purl_of(name) is not None]
    for name in known or names[:1]:
        yield Product(name, purl_of(name))


def _text(one: JsonValue, key: str) -> str:
    found = one.text_at(key)
    if not found or not found.strip():
        raise one.wrong(f"expected {key} as text")
    return found


def _time(one: JsonValue, key: str) -> datetime | None:
    raw = one.text_at(key)
    found = instant(raw)
    if raw is not None and found is None:
        raise one.wrong(f"expected {key} as a time of RFC 3339")
    return found
