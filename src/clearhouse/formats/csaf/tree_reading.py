"""The product tree of a CSAF document as products (section 3.2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from packageurl import PackageURL

from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.vex import Product, purl_of

_VERSION: Final = "product_version"
_RANGE: Final = "product_version_range"


@dataclass(frozen=True, slots=True)
class Tree:
    """Products and groups of them, by identifier."""

    products: Mapping[str, tuple[Product, ...]]
    """One for each package URL of a product."""
    groups: Mapping[str, tuple[str, ...]]


def tree_of(document: JsonValue) -> Tree:
    """The products that the tree names.  Raises Invalid where it is malformed."""
    tree = document.get("product_tree")
    if tree is None:
        return Tree({}, {})
    products: dict[str, tuple[Product, ...]] = {}
    waiting = [*tree.listed("branches")]
    while waiting:
        branch = waiting.pop()
        waiting += branch.listed("branches")
        product = branch.get("product")
        if product is not None:
            named = _product(product)
            category, name = branch.text_at("category"), branch.text_at("name") or ""
            products[_id(product)] = tuple(_versioned(one, category, name) for one in named)
    for product in tree.listed("full_product_names"):
        products[_id(product)] = tuple(_product(product))
    for relationship in tree.listed("relationships"):
        product = relationship.get("full_product_name")
        if product is None:
            raise relationship.wrong("expected full_product_name")
        products[_id(product)] = tuple(_component(relationship, products))
    groups = {
        group.text_at("group_id") or "": tuple(one.text() for one in group.listed("product_ids"))
        for group in tree.listed("product_groups")
    }
    return Tree(products, groups)


def _id(product: JsonValue) -> str:
    found = product.text_at("product_id")
    if not found:
        raise product.wrong("expected product_id as text")
    return found


def _product(product: JsonValue) -> Iterator[Product]:
    """The product once for each package URL, or by its identifier."""
    helper = product.get("product_identification_helper")
    texts: list[str] = []
    if helper is not None:
        single = helper.text_at("purl")  # CSAF 2.0; 2.1 has a list
        texts = [*([single] if single else []), *(one.text() for one in helper.listed("purls"))]
    purls = [(text, purl) for text in texts if (purl := purl_of(text)) is not None]
    if not purls:
        yield Product(_id(product))
    for text, purl in purls:
        yield Product(text, purl)


def _versioned(product: Product, category: str | None, name: str) -> Product:
    """A product whose version stands in the branch's name, not in the package URL."""
    purl = product.purl
    if purl is None:
        return product
    if category == _RANGE:
        return replace(product, span=name or "?")
    if category == _VERSION and not purl.version and name:
        exact = PackageURL(
            purl.type, purl.namespace, purl.name, name, purl.qualifiers, purl.subpath
        )
        return replace(product, purl=exact)
    return product


def _component(
    relationship: JsonValue, products: Mapping[str, tuple[Product, ...]]
) -> Iterator[Product]:
    """A product that is a component of another, or installed on or with it."""
    reference = relationship.text_at("product_reference") or ""
    whole = relationship.text_at("relates_to_product_reference") or ""
    # What is a component of a component has no name that an inventory could have.
    parts = tuple(_flat(one, reference) for one in products.get(reference, (Product(reference),)))
    for one in products.get(whole, (Product(whole),)):
        yield replace(_flat(one, whole), parts=parts)


def _flat(product: Product, name: str) -> Product:
    return Product(name) if product.parts else product
