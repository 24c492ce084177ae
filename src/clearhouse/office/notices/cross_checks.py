"""Notices held against the ledger: what an organisation was told stands as it was told."""

from __future__ import annotations

from collections.abc import Iterator

from clearhouse.ledger.entry import Entry
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.notices.models import Notice
from clearhouse.office.notices.told import PARTS, digest_of
from clearhouse.office.viewer import SYSTEM

_COLUMNS = (*(name for name, _ in PARTS), "urgency", "tlp", "headline", "page", "due_at")


@cross_check
def told() -> Iterator[Contradiction]:
    """Each notice says what its last entry says that was told, and is acknowledged by an entry."""
    said: dict[str, list[Entry]] = {}
    for entry in entries_of(SYSTEM, ("notice.told", "notice.acknowledged")):
        said.setdefault(entry.subject, []).append(entry)
    for row in Notice.objects.order_by("pk").iterator(chunk_size=1000):
        yield from _against(row, said.pop(row.name, []))
    for name, entries in said.items():
        yield Contradiction(name, entries[0].index, "the notice of these entries is gone")


def _against(row: Notice, entries: list[Entry]) -> Iterator[Contradiction]:
    last = next((one for one in reversed(entries) if one.kind == "notice.told"), None)
    if last is None or last.index != row.entry:
        yield Contradiction(row.name, None, "it was told without an entry")
        return
    columns = {name: getattr(row, name) for name in _COLUMNS}
    if last.facts.get("digest") != digest_of(row.topic, columns):
        yield Contradiction(row.name, last.index, "the entry names another text")
    is_said = any(one.kind == "notice.acknowledged" and one.index > last.index for one in entries)
    if (row.acknowledged_at is not None) != is_said:
        yield Contradiction(row.name, last.index, "row and entries disagree on who has read it")
