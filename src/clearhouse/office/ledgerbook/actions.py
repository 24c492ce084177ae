"""Writing to the ledger: entries, within the transaction of what they tell, and checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple

from django.db import connection, transaction

from clearhouse.errors import Refused
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import JSON, LEAST_SALT_BYTES, Entry
from clearhouse.ledger.note import Note, sign
from clearhouse.ledger.receipt import Receipt
from clearhouse.ledger.tiles import tiles_completed
from clearhouse.ledger.tree import grow, is_consistent, prove_consistency
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.models import (
    LedgerEntry,
    LedgerHead,
    LedgerTile,
    SignedCheckpoint,
)
from clearhouse.office.ledgerbook.queries import (
    Head,
    StoredTree,
    entry_at,
    head,
    inclusion,
    latest_checkpoint,
    peaks_of,
    stored_hashes,
)
from clearhouse.office.viewer import Viewer

_AT_ONCE: Final = 4096


class Decision(NamedTuple):
    """What an entry will say: of which kind, about what, and the facts (ids, digests, states)."""

    kind: str
    subject: str
    facts: Mapping[str, JSON]


def record(kind: str, subject: str, facts: Mapping[str, JSON], *, now: datetime) -> Entry:
    """Write one entry, in the transaction of the decision that it tells of.

    Raises :class:`Invalid` for facts that an entry cannot hold, and RuntimeError outside of a
    transaction, which is a bug of the caller.
    """
    return record_many([Decision(kind, subject, facts)], now=now)[0]


def record_many(decisions: Iterable[Decision], *, now: datetime) -> list[Entry]:
    """Write entries in that order; as :func:`record`, for thousands at once.

    No entry is earlier than the one before it, whatever the clock says.
    """
    if not connection.in_atomic_block:
        msg = "an entry is written in the transaction of its decision: open one"
        raise RuntimeError(msg)
    coming = iter(decisions)
    some = list(islice(coming, _AT_ONCE))
    if not some:
        return []  # nobody has to wait for it
    head = _locked_head()
    at = now.astimezone(UTC)
    if head.last_at is not None:
        at = max(at, head.last_at)
    entries: list[Entry] = []
    while some:
        new = [
            Entry(index, *one[:2], at, one.facts, secrets.token_bytes(LEAST_SALT_BYTES))
            for index, one in enumerate(some, head.size)
        ]
        _append(head, new)
        entries += new
        some = list(islice(coming, _AT_ONCE))
    head.last_at = at
    head.save(force_update=True)
    return entries


def _locked_head() -> LedgerHead:
    """The head; whoever else wants to append waits until this transaction is over."""
    locked = LedgerHead.objects.select_for_update()
    found = locked.filter(pk=1).first()
    if found is None:
        LedgerHead.objects.bulk_create([LedgerHead(pk=1)], ignore_conflicts=True)
        found = locked.get(pk=1)
    return found


def _append(head: LedgerHead, entries: Sequence[Entry]) -> None:
    peaks = peaks_of(head)
    leaves, rows = [], []
    for one in entries:
        leaf, hashed = one.leaf, one.leaf_hash
        rows.append(
            LedgerEntry(
                index=one.index,
                kind=one.kind,
                subject=one.subject,
                at=one.at,
                leaf=leaf,
                leaf_hash=hashed,
            )
        )
        leaves.append(hashed)
        grow(one.index, peaks, hashed)
    tiles = [
        LedgerTile(level=full.level, place=full.index, hashes=full.hashes, root=full.root)
        for full in tiles_completed(head.size, leaves, stored_hashes)
    ]
    LedgerEntry.objects.bulk_create(rows)
    LedgerTile.objects.bulk_create(tiles)
    head.size += len(entries)
    head.peaks = b"".join(peaks)


def sign_checkpoint(*, now: datetime) -> SignedCheckpoint:
    """The signed checkpoint of the ledger as it is now; the stored one where there is one.

    It is signed only after it was shown to begin with the last one that was signed: two that
    contradict each other would show everybody that the ledger was rewritten.  Raises
    :class:`Refused` where it was, and RuntimeError within a transaction: what is signed is out,
    and no rollback takes it back.
    """
    with transaction.atomic(durable=True):
        last = latest_checkpoint()  # before the head, which may grow between the two
        now_is = head()
        if last is not None:
            if last.size == now_is.size and bytes(last.root) == now_is.root:
                return last
            _must_continue(last, now_is)
        key = signing_key()
        text = str(Checkpoint(key.verifier.name, now_is.size, now_is.root))
        note = bytes(sign(text, key)).decode()
        # Ed25519 has one signature for a text (RFC 8032): whoever else signs now writes the same.
        values = {"root": now_is.root, "note": note, "at": now.astimezone(UTC)}
        return SignedCheckpoint.objects.get_or_create(size=now_is.size, defaults=values)[0]


def _must_continue(last: SignedCheckpoint, now_is: Head) -> None:
    sizes = (last.size, now_is.size)
    if last.size <= now_is.size:
        proof = prove_consistency(*sizes, StoredTree().read)
        if is_consistent(*sizes, bytes(last.root), now_is.root, proof):
            return
    raise Refused(
        f"the ledger does not continue the checkpoint that was signed at {last.size} entries;"
        " nothing is signed any more. 'clearhouse ledger verify' says what was changed"
    )


def receipt_for(viewer: Viewer, index: int, *, now: datetime) -> Receipt:
    """The receipt of an entry, by the last checkpoint that has it, or by one signed for it.

    Raises :class:`NotFound` where there is no entry that the viewer may see, and RuntimeError
    within a transaction.
    """
    entry = entry_at(viewer, index)
    signed = latest_checkpoint()
    if signed is None or signed.size <= index:
        signed = sign_checkpoint(now=now)
    proof = inclusion(index, signed.size)
    return Receipt.of(entry, proof.hashes, Note.parse(signed.note.encode()), signing_key().verifier)
