"""Writing to the ledger: entries, within the transaction of what they tell, and checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple

from django.db import connection

from clearhouse.ledger.entry import JSON, LEAST_SALT_BYTES, Entry
from clearhouse.ledger.tiles import tiles_completed
from clearhouse.ledger.tree import grow
from clearhouse.office.ledgerbook.models import LedgerEntry, LedgerHead, LedgerTile
from clearhouse.office.ledgerbook.queries import peaks_of, stored_hashes

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
    head = _locked_head()
    at = now.astimezone(UTC)
    if head.last_at is not None:
        at = max(at, head.last_at)
    entries: list[Entry] = []
    coming = iter(decisions)
    while some := list(islice(coming, _AT_ONCE)):
        new = [
            Entry(index, *one[:2], at, one.facts, secrets.token_bytes(LEAST_SALT_BYTES))
            for index, one in enumerate(some, head.size)
        ]
        _append(head, new)
        entries += new
    if entries:
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
