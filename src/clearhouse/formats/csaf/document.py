"""Walking through a CSAF document that may be malformed.

What has the wrong type is passed over here: the schema reports it.  Each thing found comes with
its place, a JSON pointer (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

#: Where a vulnerability lists its products by status (section 3.2.3.9).
STATUSES: Final = (
    "first_affected",
    "first_fixed",
    "fixed",
    "known_affected",
    "known_not_affected",
    "last_affected",
    "recommended",
    "under_investigation",
)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, where, and which test says so: ``6.1.11``, or ``schema``."""

    test: str
    path: str
    text: str


def member(raw: Object, *names: str) -> Object:
    """The object under these names; an empty one where it is missing or something else."""
    found: Any = raw
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def text(raw: Object, name: str) -> str | None:
    """The text under this name, None where there is none."""
    found = raw.get(name)
    return found if isinstance(found, str) else None


def texts(raw: Object, name: str, path: str) -> Iterator[tuple[str, str]]:
    """Each text of the list under this name, with its place."""
    for number, one in enumerate(_list(raw, name)):
        if isinstance(one, str):
            yield f"{path}/{name}/{number}", one


def objects(raw: Object, name: str, path: str) -> Iterator[tuple[str, Object]]:
    """Each object of the list under this name, with its place."""
    for number, one in enumerate(_list(raw, name)):
        if isinstance(one, Mapping):
            yield f"{path}/{name}/{number}", one


def _list(raw: Object, name: str) -> Sequence[Any]:
    found = raw.get(name)
    return found if isinstance(found, list | tuple) else ()


def vulnerabilities(document: Object) -> Iterator[tuple[str, Object]]:
    """Each vulnerability with its place."""
    return objects(document, "vulnerabilities", "")


def branches(document: Object) -> Iterator[tuple[str, Object]]:
    """Each branch of the product tree, parents before children."""
    waiting = list(objects(member(document, "product_tree"), "branches", "/product_tree"))
    while waiting:
        path, branch = waiting.pop(0)
        yield path, branch
        waiting += objects(branch, "branches", path)


def products(document: Object) -> Iterator[tuple[str, Object]]:
    """Each full product name: of the branches, the flat list, and the relationships."""
    tree = member(document, "product_tree")
    for path, branch in branches(document):
        if isinstance(branch.get("product"), Mapping):
            yield f"{path}/product", branch["product"]
    yield from objects(tree, "full_product_names", "/product_tree")
    for path, relationship in objects(tree, "relationships", "/product_tree"):
        if isinstance(relationship.get("full_product_name"), Mapping):
            yield f"{path}/full_product_name", relationship["full_product_name"]


def groups(document: Object) -> Mapping[str, frozenset[str]]:
    """The products of each group."""
    tree = member(document, "product_tree")
    return {
        str(group.get("group_id")): frozenset(one for _, one in texts(group, "product_ids", path))
        for path, group in objects(tree, "product_groups", "/product_tree")
    }


def products_of(raw: Object, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The products that something names by itself or through one of the ``known`` groups."""
    named = {one for _, one in texts(raw, "product_ids", "")}
    for _, group in texts(raw, "group_ids", ""):
        named |= known.get(group, frozenset())
    return frozenset(named)


def repeated(found: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The places at which something is there that an earlier place had."""
    seen = set()
    for path, one in found:
        if one in seen:
            yield path, one
        seen.add(one)
