"""Proofs as JSON documents, the same on the pages and in the API; hashes are in base64."""

from __future__ import annotations

from base64 import b64encode
from typing import TypedDict

from clearhouse.office.ledgerbook import queries


class InclusionDocument(TypedDict):
    """That an entry, of which only the hash is told, is in the log of that size."""

    index: int
    size: int
    leaf_hash: str
    root: str
    hashes: list[str]


class ConsistencyDocument(TypedDict):
    """That the log of one size begins with the log of another."""

    old: int
    new: int
    old_root: str
    new_root: str
    hashes: list[str]


def inclusion_document(index: int, size: int) -> InclusionDocument:
    """The proof for an entry.  Raises as :func:`queries.inclusion`."""
    found = queries.inclusion(index, size)
    return {
        "index": found.index,
        "size": found.size,
        "leaf_hash": text_of(found.leaf_hash),
        "root": text_of(found.root),
        "hashes": [text_of(one) for one in found.hashes],
    }


def consistency_document(old: int, new: int) -> ConsistencyDocument:
    """The proof for two sizes.  Raises as :func:`queries.consistency`."""
    found = queries.consistency(old, new)
    return {
        "old": found.old,
        "new": found.new,
        "old_root": text_of(found.old_root),
        "new_root": text_of(found.new_root),
        "hashes": [text_of(one) for one in found.hashes],
    }


def text_of(hashed: bytes | memoryview) -> str:
    """A hash as text."""
    return b64encode(bytes(hashed)).decode()
