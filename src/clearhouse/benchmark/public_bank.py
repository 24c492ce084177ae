"""A bank of items as the public may know it: one digest, from which no membership can be told.

Each item is committed to under a salt of its own (``protocol.commitment``); the commitments, in
their own order, are the leaves of a Merkle tree (RFC 6962, section 2.1), whose root is published
before the first attempt.  Later one item can be revealed: its digest, its salt and the path to the
root show that it was in the bank, and say nothing of the others.  Pure: chance is an argument.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.ledger.tree import (
    EMPTY_ROOT,
    Node,
    append,
    is_included,
    leaf_hash,
    prove_inclusion,
)
from clearhouse.ledger.tree import root as tree_root
from clearhouse.protocol.commitment import commit

FORMAT: Final = 1
SALT_BYTES: Final = 32
_KEYS: Final = {"format", "salts"}


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is published of a bank: how many items, and the root over their salted digests."""

    items: int
    root: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {"format": FORMAT, "items": self.items, "root": self.root}

    @classmethod
    def parse(cls, raw: object) -> Commitment:
        """The commitment that :meth:`as_json` gave; further keys are none of its affair.

        Raises Invalid.
        """
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise Invalid(f"expected a commitment of format {FORMAT}")
        items, root = raw.get("items"), raw.get("root")
        if type(items) is not int or items < 1:
            raise Invalid("expected how many items there are", key="items")
        return cls(items, _hexadecimal(root, "root").hex())


@dataclass(frozen=True, slots=True)
class Revealed:
    """What shows that one item was in a bank: its digest and salt, its place, the path upwards."""

    digest: str
    salt: str
    index: int
    path: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As it is handed on."""
        return {
            "format": FORMAT, "digest": self.digest, "salt": self.salt, "index": self.index,
            "path": list(self.path),
        }  # fmt: skip

    @classmethod
    def parse(cls, raw: object) -> Revealed:
        """What :meth:`as_json` gave.  Raises Invalid."""
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise Invalid(f"expected a revealed item of format {FORMAT}")
        index, path = raw.get("index"), raw.get("path")
        if type(index) is not int or index < 0 or not isinstance(path, list) or len(path) > 64:
            raise Invalid("expected the item's place and its path", key="index, path")
        digest = raw.get("digest")
        if not isinstance(digest, str) or not digest.startswith("sha256:"):
            raise Invalid("expected the item's digest", key="digest")
        return cls(
            digest=digest,
            salt=_hexadecimal(raw.get("salt"), "salt").hex(),
            index=index,
            path=tuple(_hexadecimal(one, "path").hex() for one in path),
        )


def _hexadecimal(value: object, key: str) -> bytes:
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) != SALT_BYTES:
        raise Invalid(f"expected {SALT_BYTES} bytes in hexadecimal", key=key)
    return found


class Bank:
    """Digests of items with their salts: what a keeper holds."""

    def __init__(self, salts: Mapping[str, bytes]) -> None:
        if not salts:
            raise Invalid("a bank without items commits to nothing")
        self.salts = MappingProxyType(dict(salts))
        leaves = sorted((_leaf(digest, salt), digest) for digest, salt in salts.items())
        self._places = {digest: place for place, (_, digest) in enumerate(leaves)}
        self._nodes: dict[Node, bytes] = {}
        for size, (leaf, _) in enumerate(leaves):
            self._nodes.update(append(size, leaf_hash(leaf), self._nodes.__getitem__))

    @classmethod
    def of(cls, digests: Iterable[str], chance: Callable[[int], bytes]) -> Bank:
        """The bank of items with these digests; ``chance`` returns so many random bytes."""
        return cls({digest: chance(SALT_BYTES) for digest in digests})

    @classmethod
    def parse(cls, raw: bytes) -> Bank:
        """The bank that :meth:`as_bytes` gave.  Raises Invalid."""
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            raise Invalid("expected JSON") from None
        if not isinstance(document, dict) or document.keys() != _KEYS:
            raise Invalid("expected the salts of a bank")
        salts = document["salts"]
        if document["format"] != FORMAT or not isinstance(salts, dict):
            raise Invalid("expected the salts of a bank")
        return cls({digest: _hexadecimal(salt, "salts") for digest, salt in salts.items()})

    def as_bytes(self) -> bytes:
        """Digests and salts, sealed together with the items."""
        salts = {digest: salt.hex() for digest, salt in sorted(self.salts.items())}
        return (json.dumps({"format": FORMAT, "salts": salts}, indent=1) + "\n").encode()

    @property
    def commitment(self) -> Commitment:
        """What is published."""
        size = len(self.salts)
        found = tree_root(size, self._nodes.__getitem__) if size else EMPTY_ROOT
        return Commitment(size, found.hex())

    def reveal(self, digest: str) -> Revealed:
        """What shows that an item is in the bank.  Raises Invalid for one that is not."""
        place = self._places.get(digest)
        if place is None:
            raise Invalid("the bank has no such item, or it was altered", key=digest)
        path = prove_inclusion(place, len(self.salts), self._nodes.__getitem__)
        salt = self.salts[digest].hex()
        return Revealed(digest, salt, place, tuple(node.hex() for node in path))


def _leaf(digest: str, salt: bytes) -> bytes:
    return commit(salt, hashlib.sha256(digest.encode()).digest())


def was_in(commitment: Commitment, revealed: Revealed) -> bool:
    """Whether an item was in the bank that was committed to."""
    if revealed.index >= commitment.items:
        return False
    return is_included(
        leaf_hash(_leaf(revealed.digest, bytes.fromhex(revealed.salt))),
        revealed.index,
        commitment.items,
        [bytes.fromhex(node) for node in revealed.path],
        bytes.fromhex(commitment.root),
    )
