"""Tests on products and groups of products: CSAF 2.0, sections 6.1.1 to 6.1.6, 13, 25 and 31."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from packageurl import PackageURL

from clearhouse.formats.csaf.document import (
    STATUSES,
    Object,
    branches,
    member,
    objects,
    products,
    repeated,
    text,
    texts,
    vulnerabilities,
)

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

_WITH_PRODUCTS: Final = (
    ("flags", "product_ids"),
    ("remediations", "product_ids"),
    ("scores", "products"),
    ("threats", "product_ids"),
)
#: Statuses that say the same; those of different groups contradict each other (6.1.6).
STATUS_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "affected": ("first_affected", "known_affected", "last_affected"),
    "not affected": ("known_not_affected",),
    "fixed": ("first_fixed", "fixed"),
    "under investigation": ("under_investigation",),
}
_RANGE_WORDS: Final = frozenset({"after", "all", "before", "earlier", "later", "prior", "versions"})


def undefined_products(document: Object) -> Found:
    """6.1.1: each product that is referred to is defined."""
    defined = {text(one, "product_id") for _, one in products(document)}
    for path, product in _references(document):
        if product not in defined:
            yield path, f"the product {product!r} is not defined in the product tree"


def _references(document: Object) -> Iterator[tuple[str, str]]:
    tree = member(document, "product_tree")
    for path, group in objects(tree, "product_groups", "/product_tree"):
        yield from texts(group, "product_ids", path)
    for path, relationship in objects(tree, "relationships", "/product_tree"):
        for name in ("product_reference", "relates_to_product_reference"):
            if (product := text(relationship, name)) is not None:
                yield f"{path}/{name}", product
    for path, vulnerability in vulnerabilities(document):
        status = member(vulnerability, "product_status")
        for name in STATUSES:
            yield from texts(status, name, f"{path}/product_status")
        for name, key in _WITH_PRODUCTS:
            for place, one in objects(vulnerability, name, path):
                yield from texts(one, key, place)


def repeated_products(document: Object) -> Found:
    """6.1.2: each product is defined once."""
    ids = ((f"{path}/product_id", text(one, "product_id")) for path, one in products(document))
    for path, product in repeated(pair for pair in ids if pair[1] is not None):
        yield path, f"the product {product!r} is defined more than once"


def circular_products(document: Object) -> Found:
    """6.1.3: no relationship defines a product by way of itself."""
    tree = member(document, "product_tree")
    parts: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for path, one in objects(tree, "relationships", "/product_tree"):
        product = text(member(one, "full_product_name"), "product_id")
        if product is None:
            continue
        of = (text(one, "product_reference"), text(one, "relates_to_product_reference"))
        parts.setdefault(product, set()).update(part for part in of if part is not None)
        places.setdefault(product, f"{path}/full_product_name/product_id")
    for product, path in places.items():
        waiting, seen = list(parts[product]), set[str]()
        while waiting:
            part = waiting.pop()
            if part not in seen:
                seen.add(part)
                waiting += parts.get(part, ())
        if product in seen:
            yield path, f"the product {product!r} is defined by way of itself"


def undefined_groups(document: Object) -> Found:
    """6.1.4: each group that is referred to is defined."""
    tree = member(document, "product_tree")
    defined = {text(one, "group_id") for _, one in objects(tree, "product_groups", "")}
    for path, vulnerability in vulnerabilities(document):
        for name in ("flags", "remediations", "threats"):
            for place, one in objects(vulnerability, name, path):
                for where, group in texts(one, "group_ids", place):
                    if group not in defined:
                        yield where, f"the group {group!r} is not defined in the product tree"


def repeated_groups(document: Object) -> Found:
    """6.1.5: each group is defined once."""
    found = objects(member(document, "product_tree"), "product_groups", "/product_tree")
    ids = ((f"{path}/group_id", text(one, "group_id")) for path, one in found)
    for path, group in repeated(pair for pair in ids if pair[1] is not None):
        yield path, f"the group {group!r} is defined more than once"


def contradicting_statuses(document: Object) -> Found:
    """6.1.6: no product is in two statuses that contradict each other."""
    for path, vulnerability in vulnerabilities(document):
        status = member(vulnerability, "product_status")
        members = {
            group: {one for name in names for _, one in texts(status, name, "")}
            for group, names in STATUS_GROUPS.items()
        }
        for left, right in combinations(members, 2):
            for product in sorted(members[left] & members[right]):
                yield f"{path}/product_status", f"{product!r} is both {left} and {right}"


def invalid_purls(document: Object) -> Found:
    """6.1.13: each package URL is valid."""
    for path, product in products(document):
        purl = text(member(product, "product_identification_helper"), "purl")
        if purl is None:
            continue
        try:
            PackageURL.from_string(purl)
        except ValueError as error:
            yield f"{path}/product_identification_helper/purl", f"is no package URL: {error}"


def repeated_hash_algorithms(document: Object) -> Found:
    """6.1.25: one file has one hash of each algorithm."""
    for path, product in products(document):
        helper = member(product, "product_identification_helper")
        for place, one in objects(helper, "hashes", f"{path}/product_identification_helper"):
            hashes = objects(one, "file_hashes", place)
            names = ((where, text(each, "algorithm")) for where, each in hashes)
            for where, algorithm in repeated(pair for pair in names if pair[1] is not None):
                yield where, f"{algorithm} is used more than once for one file"


def ranges_as_versions(document: Object) -> Found:
    """6.1.31: the name of a product version is not a range."""
    for path, branch in branches(document):
        name = text(branch, "name")
        if branch.get("category") == "product_version" and name and looks_like_range(name):
            yield f"{path}/name", f"{name!r} reads as a range, not as one version"


def looks_like_range(name: str) -> bool:
    """Whether a version's name reads as a range.

    An operator anywhere, or one of the listed words standing alone: the official documents hold
    ``after-eight`` to be a version.
    """
    words = re.split(r"[\s,;:()]+", name.lower())
    return any(sign in name for sign in "<>") or not _RANGE_WORDS.isdisjoint(words)
