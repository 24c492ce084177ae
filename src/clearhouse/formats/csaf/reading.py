"""What CSAF documents state of products: CSAF 2.0 and 2.1, advisories and VEX.

Product status (section 3.2.3.9), with what flags, threats and remediations say of each product.
Products are known by the package URLs of the tree.  What the tree calls a component of another
product is stated of it inside that product, nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from clearhouse.formats.advisory import Claim
from clearhouse.formats.csaf.tree_reading import Tree, tree_of
from clearhouse.formats.instants import instant
from clearhouse.formats.json_value import JsonValue, Problem, read_each
from clearhouse.formats.vex import Product, Statement, VexDocument

_CLAIMS: Final[Mapping[str, Claim]] = {
    "first_affected": Claim.AFFECTED,
    "known_affected": Claim.AFFECTED,
    "last_affected": Claim.AFFECTED,
    "first_fixed": Claim.FIXED,
    "fixed": Claim.FIXED,
    "known_not_affected": Claim.NOT_AFFECTED,
    "under_investigation": Claim.UNDER_INVESTIGATION,
}
_MOST_SAID: Final = 2_000_000
"""Products, counted each time something is said of them: groups make many of few bytes."""

Said: TypeAlias = Mapping[str, Sequence[str]]
"""What is said of each product, by its identifier."""


@dataclass(frozen=True, slots=True)
class _Head:
    id: str
    author: str
    at: datetime


def read(document: JsonValue) -> VexDocument:
    """Read a document.  Raises Invalid where its frame is malformed."""
    meta = _member(document, "document")
    publisher, tracking = _member(meta, "publisher"), _member(meta, "tracking")
    author = _text(publisher, "name")
    at = instant(tracking.text_at("current_release_date"))
    if at is None:
        raise tracking.wrong("expected current_release_date as a time of RFC 3339")
    # An identifier is one among those of a publisher (section 3.2.1.12.4).
    head = _Head(f"{_text(publisher, 'namespace')} {_text(tracking, 'id')}", author, at)
    tree = tree_of(document)
    problems: list[Problem] = []
    found = read_each(
        document.listed("vulnerabilities"),
        lambda one: list(_statements(one, tree, head, problems)),
        problems,
    )
    return VexDocument(
        head.id,
        _text(tracking, "version"),
        author,
        at,
        tuple(statement for statements in found for statement in statements),
        tuple(problems),
    )


def _statements(
    one: JsonValue, tree: Tree, head: _Head, problems: list[Problem]
) -> Iterator[Statement]:
    """One statement for all products of which the same is said."""
    status = one.get("product_status")
    if status is None:
        return
    ids = tuple(_ids(one))
    if not ids:
        raise one.wrong("names no vulnerability: neither cve nor ids")
    flags = _said(one.listed("flags"), "label", tree)
    threats = [each for each in one.listed("threats") if each.text_at("category") == "impact"]
    impacts = _said(threats, "details", tree)
    actions = _said(one.listed("remediations"), "details", tree)
    grouped: dict[tuple[Claim, str, str, str], dict[Product, None]] = defaultdict(dict)
    for name, claim in _CLAIMS.items():
        for each in status.listed(name):
            product = each.text()
            known = tree.products.get(product)
            if known is None:
                problems.append(Problem(each.path, "is no product of the tree"))
                continue
            same = (
                claim,
                _joined(flags, product) if claim is Claim.NOT_AFFECTED else "",
                _joined(impacts, product),
                _joined(actions, product) if claim is Claim.AFFECTED else "",
            )
            grouped[same].update(dict.fromkeys(known))
    for (claim, justification, impact, action), products in grouped.items():
        yield Statement(
            ids, tuple(products), claim, justification, impact, action,
            head.author, head.at, head.id,
        )  # fmt: skip


def _ids(one: JsonValue) -> Iterator[str]:
    cve = one.text_at("cve")
    if cve:
        yield cve
    for identifier in one.listed("ids"):
        yield _text(identifier, "text")


def _said(entries: Iterable[JsonValue], key: str, tree: Tree) -> Said:
    found: dict[str, list[str]] = defaultdict(list)
    count = 0
    for entry in entries:
        said = _text(entry, key)
        named = [one.text() for one in entry.listed("product_ids")]
        for group in entry.listed("group_ids"):
            named += tree.groups.get(group.text(), ())
        count += len(named)
        if count > _MOST_SAID:
            raise entry.wrong(f"with those before it says {key} of more than {_MOST_SAID:,}")
        for product in dict.fromkeys(named):
            found[product].append(said)
    return found


def _joined(said: Said, product: str) -> str:
    return "; ".join(dict.fromkeys(said.get(product, ())))


def _member(one: JsonValue, key: str) -> JsonValue:
    found = one.get(key)
    if found is None:
        raise one.wrong(f"expected {key}")
    found.table()
    return found


def _text(one: JsonValue, key: str) -> str:
    found = one.text_at(key)
    if not found or not found.strip():
        raise one.wrong(f"expected {key} as text")
    return found
