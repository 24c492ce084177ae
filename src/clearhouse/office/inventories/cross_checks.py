"""Inventories held against the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from clearhouse.office.inventories.models import Inventory
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
