"""Grants and their use held against the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from clearhouse.ledger.entry import Entry
from clearhouse.office.access.actions.grants import terms_digest
from clearhouse.office.access.models import AccessGrant, AccessUse, GatewayJournal
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.access import first_link, link

_KINDS: Final = (
    "access.granted", "access.paused", "access.resumed", "access.shortened", "access.revoked",
    "access.withdrawn",
)  # fmt: skip
_LOST: Final = "lost"


@cross_check
def granted() -> Iterator[Contradiction]:
    """Each grant allows what its entry says, and ends when and as the entries say."""
    said: dict[str, list[Entry]] = {}
    for entry in entries_of(SYSTEM, _KINDS):
        said.setdefault(entry.subject, []).append(entry)
    rows = AccessGrant.objects.select_related("endpoint", "party").order_by("pk")
    for row in rows.iterator(chunk_size=1000):
        yield from _against(row, said.pop(row.name, []))
    for name, entries in said.items():
        yield Contradiction(name, entries[0].index, "the grant of these entries is gone")


def _against(row: AccessGrant, entries: list[Entry]) -> Iterator[Contradiction]:
    if not entries or entries[0].kind != "access.granted" or entries[0].index != row.entry:
        yield Contradiction(row.name, None, "it was granted without an entry")
        return
    first = entries[0]
    if first.facts.get("terms") != terms_digest(row):
        yield Contradiction(row.name, first.index, "the entry names other terms")
    if first.facts.get("from") != row.starts_at.isoformat():
        yield Contradiction(row.name, first.index, "the entry names another start")
    kinds = {one.kind: one.index for one in entries}
    ends = [one for one in entries if "until" in one.facts]
    if datetime.fromisoformat(str(ends[-1].facts["until"])) != row.ends_at:
        yield Contradiction(row.name, ends[-1].index, "the entry names another end")
    held = kinds.get("access.paused", -1) > kinds.get("access.resumed", -1)
    for what, is_so, was in (
        ("revoked", row.revoked_at is not None, "access.revoked" in kinds),
        ("withdrawn", row.withdrawn_at is not None, "access.withdrawn" in kinds),
        ("paused", row.paused_at is not None, held),
    ):
        if is_so and not was:
            yield Contradiction(row.name, None, f"it is {what} without an entry")
        elif was and not is_so:
            yield Contradiction(row.name, kinds[f"access.{what}"], f"an entry says it is {what}")


@cross_check
def used() -> Iterator[Contradiction]:
    """The lines of each journal make the hashes that the ledger has, and the uses are theirs."""
    noted: dict[str, list[Entry]] = {}
    for entry in entries_of(SYSTEM, ["access.used"]):
        noted.setdefault(entry.subject, []).append(entry)
    for journal in GatewayJournal.objects.order_by("pk"):
        yield from _chain(journal, noted.pop(journal.name, []))
    for name, entries in noted.items():
        yield Contradiction(name, entries[0].index, "the journal of this entry is gone")


def _chain(journal: GatewayJournal, noted: list[Entry]) -> Iterator[Contradiction]:
    expected = {one.facts.get("lines"): one for one in noted}
    head, count = first_link(journal.name), 0
    begun: dict[str, dict[str, Any]] = {}
    for count, (number, raw) in enumerate(_lines(journal), 1):
        head = link(head, raw)
        entry = expected.pop(number, None)
        if number != count or (entry is not None and entry.facts.get("head") != head):
            index = entry.index if entry else None
            yield Contradiction(journal.name, index, f"line {count} is not what was written")
            return
        document = json.loads(raw)
        if document["t"] == "begin":
            begun[document["use"]] = document
        else:
            yield from _use(document, begun.pop(document["use"], {}))
    if expected or head != journal.head or count != journal.lines:
        yield Contradiction(journal.name, None, "lines that were taken are gone")
    if journal.closed_at is not None:
        for document in begun.values():
            ended = {"use": document["use"], "spent": document["most"], "outcome": _LOST}
            yield from _use(ended, document)


def _lines(journal: GatewayJournal) -> Iterator[tuple[int, bytes]]:
    """The lines that were taken, with the number that each is stored under."""
    rows = journal.taken.order_by("first").values_list("first", "raw")
    for first, raw in rows.iterator(chunk_size=100):
        yield from enumerate(bytes(raw).splitlines(), first)


def _use(ended: dict[str, Any], begun: dict[str, Any]) -> Iterator[Contradiction]:
    rows = AccessUse.objects.filter(name=ended["use"])
    row = rows.values_list(
        "requests", "tokens", "micros", "outcome", "grant__name", "request_digest"
    ).first()
    if row is None:
        yield Contradiction(ended["use"], None, "a journal tells of this use, and it is gone")
        return
    said = [*ended["spent"], ended["outcome"], begun.get("grant"), begun.get("request")]
    if list(row) != said:
        yield Contradiction(ended["use"], None, "the journal says else of this use")
