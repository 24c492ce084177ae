"""Inventories held against the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from clearhouse.office.inventories.models import Inventory, OwnStatements
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM


@cross_check
def received() -> Iterator[Contradiction]:
    """Each list that came in is here as its entry says, and none is here without one."""
    said = {one.subject: one for one in entries_of(SYSTEM, ["inventory.received"])}
    rows = Inventory.objects.order_by("pk").values_list("name", "entry", "blob", "system__name")
    for name, index, blob, system in rows.iterator(chunk_size=2000):
        entry = said.pop(name, None)
        if entry is None or entry.index != index:
            yield Contradiction(name, index, "it was taken in without an entry")
        elif entry.facts.get("content") != blob or entry.facts.get("system") != system:
            yield Contradiction(name, index, "the entry names another content or system")
    for name, entry in said.items():
        yield Contradiction(name, entry.index, "the list of this entry is gone")


@cross_check
def stated() -> Iterator[Contradiction]:
    """Each VEX document that came in is here as its entry says, and counts unless taken back."""
    said = {one.subject: one for one in entries_of(SYSTEM, ["statements.received"])}
    over = {one.subject for one in entries_of(SYSTEM, ["statements.withdrawn"])}
    for row in OwnStatements.objects.select_related("system").order_by("pk"):
        entry = said.pop(row.name, None)
        if entry is None or entry.index != row.entry:
            yield Contradiction(row.name, row.entry, "it was taken in without an entry")
        elif entry.facts.get("content") != row.blob:
            yield Contradiction(row.name, row.entry, "the entry names another content")
        if (row.withdrawn_at is not None) is not (row.name in over):
            yield Contradiction(row.name, row.entry, "the entries say else of whether it counts")
    for name, entry in said.items():
        yield Contradiction(name, entry.index, "the document of this entry is gone")
