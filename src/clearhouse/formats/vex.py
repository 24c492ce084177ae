"""What VEX documents state, whatever their format: which flaw touches which products, or does not.

CISA, "Minimum Requirements for VEX" (2023).  Read from OpenVEX, CSAF and CycloneDX; which statement
counts for what is installed is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packageurl import PackageURL

from clearhouse.formats.advisory import Claim
from clearhouse.formats.json_value import Problem

_LONGEST_PURL: Final = 4096


@dataclass(frozen=True, slots=True)
class Product:
    """What a statement is about."""

    name: str
    """As the document names it: a package URL, an IRI, a BOM-Link, a product's identifier."""
    purl: PackageURL | None = None
    """Without version: every version, or those in ``span``."""
    span: str = ""
    """A range in vers notation, or whatever stands in its place; empty where none is given."""
    parts: tuple[Product, ...] = ()
    """Components inside the product that alone are meant."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody states of products and one flaw."""

    ids: tuple[str, ...]
    """The flaw's names in the document, the main one first."""
    products: tuple[Product, ...]
    claim: Claim
    justification: str = ""
    """The format's label for why a product is not affected."""
    impact: str = ""
    action: str = ""
    author: str = ""
    at: datetime | None = None
    """Since when it holds; None where the document does not say."""
    source: str = ""
    """The document's identifier."""


@dataclass(frozen=True, slots=True)
class VexDocument:
    """One document."""

    id: str
    """Stays the same over its versions, where the format has one that does."""
    version: str
    author: str
    at: datetime | None
    """When it was issued or changed last."""
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...] = ()
    """What of it cannot be read; the rest counts."""


def purl_of(text: str) -> PackageURL | None:
    """The package URL that ``text`` is; None where it is none."""
    # Without what cannot be written again: lone surrogates, as JSON may have them.
    if not text.startswith("pkg:") or len(text) > _LONGEST_PURL or not text.isprintable():
        return None
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None
