"""Seeds: every submission gets an order of items of its own, fixed before anybody submitted.

One secret gives a seed to each of a number of slots; the slots' seeds are the leaves of a Merkle
tree (RFC 6962, section 2.1) whose root stands in the committed plan.  So no seed can be chosen once
a submission is known, and to show one submission's seed reveals nothing of another's.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.ledger.entry import canonical
from clearhouse.ledger.tree import Node, append, is_included, leaf_hash, prove_inclusion, root

FORMAT: Final = "clearhouse-seeds/1"
SEED_BYTES: Final = 32
MOST_SLOTS: Final = 1 << 16
_MOST_PATH: Final = 16
_MOST_FILE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Opening:
    """One slot's seed, with the path that leads from it to the committed root."""

    slot: int
    seed: bytes
    path: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.slot < 0 or len(self.seed) != SEED_BYTES or len(self.path) > _MOST_PATH:
            raise Invalid(f"a slot has a number and a seed of {SEED_BYTES} bytes")

    def is_of(self, committed: bytes, slots: int) -> bool:
        """Whether this is the seed of its slot under the root that was committed."""
        if not self.slot < slots:
            return False
        try:
            return is_included(leaf_hash(self.seed), self.slot, slots, self.path, committed)
        except Invalid:  # a path that fits no tree of that size
            return False


class Seeds:
    """The seeds of all slots, from the secret; whoever holds this can predict every order."""

    def __init__(self, secret: bytes, slots: int) -> None:
        if len(secret) < SEED_BYTES:
            raise Invalid(f"the secret of the seeds has at least {SEED_BYTES} bytes")
        if not 1 <= slots <= MOST_SLOTS:
            raise Invalid(f"there are 1 to {MOST_SLOTS} slots for submissions")
        self._secret = secret
        self.slots = slots
        self._nodes: dict[Node, bytes] = {}
        for slot in range(slots):
            stored = append(slot, leaf_hash(self.seed(slot)), self._nodes.__getitem__)
            self._nodes.update(stored)

    def seed(self, slot: int) -> bytes:
        """HMAC-SHA256 (RFC 2104) of the slot's number under the secret."""
        return hmac.digest(self._secret, f"clearhouse-seed/1 {slot}".encode(), "sha256")

    @property
    def root(self) -> bytes:
        """What the plan commits to."""
        return root(self.slots, self._nodes.__getitem__)

    def opening(self, slot: int) -> Opening:
        """What one submission's evidence shows.  Raises :class:`Invalid` for no such slot."""
        path = prove_inclusion(slot, self.slots, self._nodes.__getitem__)
        return Opening(slot, self.seed(slot), tuple(path))

    def __bytes__(self) -> bytes:
        """The document that a plan's maker keeps: the secret itself, in canonical form."""
        return (
            canonical({"format": FORMAT, "slots": self.slots, "secret": self._secret.hex()}) + b"\n"
        )

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Seeds:
        """Read that document.  Raises :class:`Invalid`, without a word of what stands in it."""
        document = JsonValue(decode(raw, where, most_bytes=_MOST_FILE), where)
        document.check_keys(("format", "slots", "secret"), ())
        if document.text_at("format") != FORMAT:
            raise document.wrong(f"expected the format {FORMAT}")
        try:
            secret = bytes.fromhex(document.text_at("secret") or "")
        except ValueError:
            raise document.wrong("the secret is written in hexadecimal") from None
        return cls(secret, document.integer_at("slots") or 0)
