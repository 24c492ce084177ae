"""Receipts: what somebody keeps to show, without us, that an entry is in the ledger.

A receipt is one JSON document: the entry, its place, the path to the root, and the checkpoint with
that root, signed by the ledger's key.  Everything to check it is in it but one thing: whether the
key is the ledger's, which its holder has to know from elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import Entry, time_text
from clearhouse.ledger.note import Note, VerifierKey
from clearhouse.ledger.tree import HASH_BYTES, is_included, leaf_hash

FORMAT: Final = "clearhouse-ledger-receipt/1"
PROVES: Final = (
    "The entry below was in the ledger, at this place and with this time, when the ledger signed"
    " the checkpoint below. Whoever holds another checkpoint of the ledger can have it shown that"
    " both belong to one history, which nobody has rewritten."
)
MOST_BYTES: Final = 1_000_000
_MOST_HASHES: Final = 64
_KEYS: Final = frozenset(
    {"format", "proves", "key", "index", "leaf", "entry", "inclusion", "checkpoint"}
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The parts of a receipt; nothing has been checked yet but the form.

    ``leaf`` is what was hashed, ``readable`` what the receipt says that it means.
    """

    key: VerifierKey
    index: int
    leaf: bytes
    readable: Any
    inclusion: tuple[bytes, ...]
    checkpoint: Note

    @classmethod
    def of(
        cls, entry: Entry, inclusion: Sequence[bytes], checkpoint: Note, key: VerifierKey
    ) -> Receipt:
        """The receipt of an entry."""
        return cls(key, entry.index, entry.leaf, _readable(entry), tuple(inclusion), checkpoint)

    @classmethod
    def parse(cls, raw: bytes) -> Receipt:
        """Read a receipt.  Raises :class:`Invalid` naming what has not the form of one."""
        document = _document(raw)
        return cls(
            VerifierKey.parse(_text(document, "key")),
            _index(document),
            _decoded(_text(document, "leaf"), "leaf"),
            document["entry"],
            _hashes(document),
            Note.parse(_text(document, "checkpoint").encode()),
        )

    def __bytes__(self) -> bytes:
        """The document as it is handed out."""
        document = {
            "format": FORMAT,
            "proves": PROVES,
            "index": self.index,
            "entry": self.readable,
            "leaf": base64.b64encode(self.leaf).decode(),
            "inclusion": [base64.b64encode(one).decode() for one in self.inclusion],
            "checkpoint": bytes(self.checkpoint).decode(),
            "key": str(self.key),
        }
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


class Outcome(StrEnum):
    """How a check ended."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One step: what was looked at, how it ended, and why."""

    number: int
    subject: str
    outcome: Outcome
    why: str


def check_receipt(
    raw: bytes, *, trusted_key: VerifierKey | None, checkpoint: Checkpoint | None
) -> list[Check]:
    """Check a receipt by itself, without asking anybody.

    ``trusted_key`` is the ledger's key as its holder knows it from elsewhere; ``checkpoint`` one
    that was obtained elsewhere, whose signature the caller has checked.

    1. the entry says what the receipt says of it
    2. the key is the ledger's (not checked without ``trusted_key``)
    3. that key has signed the checkpoint, under its own name
    4. the path leads from the entry to the root of the checkpoint
    5. the checkpoint is the one obtained elsewhere (only with ``checkpoint``)

    All of them hold or the receipt proves nothing.  Raises :class:`Invalid` for what is no receipt.
    """
    receipt = Receipt.parse(raw)
    found = [
        _entry_check(receipt),
        _key_check(receipt, trusted_key),
        _signature_check(receipt, trusted_key or receipt.key),
        _inclusion_check(receipt),
    ]
    if checkpoint is not None:
        found.append(_other_checkpoint_check(receipt, checkpoint))
    return found


def _entry_check(receipt: Receipt) -> Check:  # 1
    subject = "the entry says what the receipt says of it"
    try:
        entry = Entry.parse(receipt.leaf, index=receipt.index)
    except Invalid as error:
        return Check(1, subject, Outcome.FAILS, f"what was hashed is no entry: {error}")
    if not _is_same(receipt.readable, _readable(entry)):
        return Check(1, subject, Outcome.FAILS, "what was hashed says something else")
    why = f"{entry.kind} about {entry.subject} at {time_text(entry.at)}"
    return Check(1, subject, Outcome.HOLDS, why)


def _key_check(receipt: Receipt, trusted: VerifierKey | None) -> Check:  # 2
    subject = "the key is the ledger's"
    if trusted is None:
        why = (
            f"the receipt itself names the key {receipt.key}; anybody can make a key and a receipt"
            " that fits it, so compare it with the key that the office publishes"
        )
        return Check(2, subject, Outcome.NOT_CHECKED, why)
    if trusted != receipt.key:
        why = f"the receipt names {receipt.key}, which is not the key given"
        return Check(2, subject, Outcome.FAILS, why)
    return Check(2, subject, Outcome.HOLDS, f"it is the key given, {trusted.name}")


def _signature_check(receipt: Receipt, key: VerifierKey) -> Check:  # 3
    subject = "the key has signed the checkpoint"
    try:
        receipt.checkpoint.signed_by([key])
        signed = Checkpoint.parse(receipt.checkpoint.text)
    except (Invalid, Refused) as error:
        return Check(3, subject, Outcome.FAILS, str(error))
    if signed.origin != key.name:
        why = f"it is a checkpoint of {signed.origin[:80]!r}, the key is named {key.name!r}"
        return Check(3, subject, Outcome.FAILS, why)
    why = f"{signed.origin} with {signed.size} entries"
    return Check(3, subject, Outcome.HOLDS, why)


def _inclusion_check(receipt: Receipt) -> Check:  # 4
    subject = "the entry is in the ledger of the checkpoint"
    try:
        signed = Checkpoint.parse(receipt.checkpoint.text)
        leaf = leaf_hash(receipt.leaf)
        path = receipt.inclusion
        held = is_included(leaf, receipt.index, signed.size, path, signed.root)
    except Invalid as error:
        return Check(4, subject, Outcome.FAILS, str(error))
    if not held:
        return Check(4, subject, Outcome.FAILS, "the path leads to another root")
    why = f"as number {receipt.index} of {signed.size}, by {len(path)} hashes"
    return Check(4, subject, Outcome.HOLDS, why)


def _other_checkpoint_check(receipt: Receipt, other: Checkpoint) -> Check:  # 5
    subject = "the checkpoint is the one obtained elsewhere"
    try:
        signed = Checkpoint.parse(receipt.checkpoint.text)
    except Invalid as error:
        return Check(5, subject, Outcome.FAILS, str(error))
    if signed.origin != other.origin:
        why = f"they are of different ledgers: {signed.origin[:80]!r} and {other.origin[:80]!r}"
        return Check(5, subject, Outcome.FAILS, why)
    if signed.size != other.size:
        old, new = sorted((signed.size, other.size))
        why = (
            f"they are of different sizes, {signed.size} and {other.size}: ask the ledger for the"
            f" proof that they are of one history (proof/consistency?old={old}&new={new})"
        )
        return Check(5, subject, Outcome.NOT_CHECKED, why)
    if signed.root != other.root:
        why = (
            "same size, different roots: the ledger has shown different histories to different"
            " people. Keep both, and show them"
        )
        return Check(5, subject, Outcome.FAILS, why)
    return Check(5, subject, Outcome.HOLDS, "same size, same root")


def _readable(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "subject": entry.subject,
        "at": time_text(entry.at),
        "facts": entry.facts,
    }


def _is_same(one: object, other: object) -> bool:
    """Equality as JSON has it: true is not 1, 1.0 is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _document(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise Invalid(f"a receipt of {len(raw)} bytes; {MOST_BYTES} are the most")
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Invalid("a receipt is a JSON document in UTF-8") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Invalid(f"expected a document with the format {FORMAT!r}")
    if document.keys() != _KEYS:
        raise Invalid("a receipt has exactly the keys " + ", ".join(sorted(_KEYS)))
    return document


def _text(document: dict[str, Any], key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        raise Invalid("expected a text", key=key)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid("half of a surrogate pair is no text", key=key) from error
    return value


def _index(document: dict[str, Any]) -> int:
    value = document["index"]
    if type(value) is not int or value < 0:
        raise Invalid("expected a whole number from 0", key="index")
    return value


def _hashes(document: dict[str, Any]) -> tuple[bytes, ...]:
    key, value = "inclusion", document["inclusion"]
    if not isinstance(value, list) or len(value) > _MOST_HASHES:
        raise Invalid(f"expected a list of at most {_MOST_HASHES} hashes", key=key)
    found = tuple(_decoded(one, key) for one in value)
    if any(len(one) != HASH_BYTES for one in found):
        raise Invalid(f"a hash has {HASH_BYTES} bytes", key=key)
    return found


def _decoded(value: object, key: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        pass
    raise Invalid("expected base64", key=key)
