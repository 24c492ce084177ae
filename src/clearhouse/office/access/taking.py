"""What gateway processes have written, taken into the office's tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import F

from clearhouse.errors import Conflict
from clearhouse.ledger.entry import JSON
from clearhouse.office.access.models import (
    AccessGrant,
    AccessUse,
    GatewayJournal,
    JournalLines,
    Loan,
)
from clearhouse.office.access.unusual import look_at
from clearhouse.office.batches import batches
from clearhouse.office.ledgerbook.actions import record
from clearhouse.protocol.access import Settled, Settlement, first_link
from clearhouse.protocol.grants import Amounts

_NOTED_EVERY: Final = timedelta(minutes=1)
_COLUMNS: Final = (
    "name", "grant_id", "begun_at", "ended_at", "call", "model", "outcome", "address", "requests",
    "tokens", "micros", "request_digest", "response_digest", "contents",
)  # fmt: skip


def journal_held(name: str) -> GatewayJournal:
    """A journal's row, held until the transaction ends; made where it is not there yet."""
    held = GatewayJournal.objects.select_for_update()
    found = held.filter(name=name).first()
    if found is None:
        GatewayJournal.objects.bulk_create(
            [GatewayJournal(name=name, head=first_link(name))], ignore_conflicts=True
        )
        found = held.get(name=name)
    return found


def take(journal: GatewayJournal, settlement: Settlement, *, now: datetime) -> None:
    """Take lines and uses, in the transaction that is open; the caller saves the journal.

    1. Lines continue those that are there.  2. Uses are stored, each once, and 3. what they used
    up goes from lent to spent.  4. What is returned is lent no more, and its rates are free in
    their minute.  5. What is unusual is told.  6. Once a minute the ledger has the last hash.
    """
    if settlement.entries:  # 1
        if settlement.entries[0].number != journal.lines + 1:
            raise Conflict(f"the lines do not continue {journal.name} after {journal.lines}")
        JournalLines.objects.create(
            journal=journal,
            first=settlement.entries[0].number,
            raw=b"".join(one.raw + b"\n" for one in settlement.entries),
        )
        journal.lines = settlement.entries[-1].number
        journal.head = settlement.entries[-1].head
    names = {one.grant for one in settlement.settled} | {one.grant for one in settlement.returned}
    names |= set(settlement.refused)
    held = AccessGrant.objects.select_for_update(of=("self",)).select_related("endpoint", "party")
    rows = {one.name: one for one in held.filter(name__in=names).order_by("pk")}
    new = _store(settlement, rows)  # 2
    spent: dict[str, Amounts] = defaultdict(Amounts)
    counts: dict[str, int] = defaultdict(int)
    for one in new:
        spent[one.grant] += one.spent
        counts[one.grant] += 1
    for name, amounts in spent.items():  # 3
        row = rows[name]
        row.spent_requests += amounts.requests
        row.spent_tokens += amounts.tokens
        row.spent_micros += amounts.micros
        row.seen_at = max(row.seen_at, now)
        _less(journal, row, amounts, 0)
    for back in settlement.returned:  # 4
        row = rows[back.grant]
        _less(journal, row, back.amounts, back.streams)
        if back.minute == row.minute:
            row.minute_requests -= back.amounts.requests
            row.minute_tokens -= back.amounts.tokens
    for row in rows.values():
        row.save(
            update_fields=[
                "spent_requests", "spent_tokens", "spent_micros", "seen_at", "minute_requests",
                "minute_tokens",
            ]
        )  # fmt: skip
        refused = sum(settlement.refused.get(row.name, {}).values())
        look_at(row, counts.get(row.name, 0), refused, now=now)  # 5
    if journal.noted_at is None or now - journal.noted_at >= _NOTED_EVERY:  # 6
        note_head(journal, now=now)


def note_head(journal: GatewayJournal, *, now: datetime) -> None:
    """Write the hash of a journal's last line to the ledger, if it is not there yet."""
    if journal.lines > journal.noted:
        facts: dict[str, JSON] = {"lines": journal.lines, "head": journal.head}
        record("access.used", journal.name, facts, now=now)
        journal.noted, journal.noted_at = journal.lines, now


def _store(settlement: Settlement, rows: Mapping[str, AccessGrant]) -> list[Settled]:
    """Store uses; those that were not there."""
    names = [one.use for one in settlement.settled]
    there: set[str] = set()
    for some in batches(names):
        rows_there = AccessUse.objects.filter(name__in=some)
        there |= set(rows_there.values_list("name", flat=True))
    new = [one for one in settlement.settled if one.use not in there]
    _insert([_columns(one, rows[one.grant].pk) for one in new])
    return new


def _columns(one: Settled, grant: int) -> tuple[Any, ...]:
    ops = connection.ops
    return (
        one.use,
        grant,
        ops.adapt_datetimefield_value(one.begun_at),
        ops.adapt_datetimefield_value(one.ended_at),
        one.call,
        one.model[:200],
        one.outcome[:60],
        one.address,
        one.spent.requests,
        one.spent.tokens,
        one.spent.micros,
        one.request_digest,
        one.response_digest,
        one.contents,
    )


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert uses past the models: they are many, and a model costs ten times what its row does."""
    if not rows:
        return
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(one) for one in _COLUMNS)
    places = ", ".join(["%s"] * len(_COLUMNS))
    table = quoted(AccessUse._meta.db_table)
    insert = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own
    with connection.cursor() as cursor:
        cursor.executemany(insert, rows)


def _less(journal: GatewayJournal, row: AccessGrant, amounts: Amounts, streams: int) -> None:
    """Let a process hold less of a grant."""
    loans = Loan.objects.filter(journal=journal, grant=row)
    loans.update(
        requests=F("requests") - amounts.requests,
        tokens=F("tokens") - amounts.tokens,
        micros=F("micros") - amounts.micros,
        streams=F("streams") - streams,
    )
