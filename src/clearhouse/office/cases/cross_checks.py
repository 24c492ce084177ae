"""Cases held against the ledger: each line of a timeline, and when it became public."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clearhouse.office.cases.models import Case, CaseEvent
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_at, entries_of
from clearhouse.office.viewer import SYSTEM

_AT_ONCE: Final = 2000


@cross_check
def timelines() -> Iterator[Contradiction]:
    """Each line of a timeline has an entry of its kind, about its case."""
    rows = CaseEvent.objects.order_by("pk").values_list("case__name", "kind", "entry")
    batch: list[tuple[str, str, int | None]] = []
    for row in rows.iterator(chunk_size=_AT_ONCE):
        batch.append(row)
        if len(batch) == _AT_ONCE:
            yield from _lines(batch)
            batch = []
    yield from _lines(batch)


def _lines(rows: list[tuple[str, str, int | None]]) -> Iterator[Contradiction]:
    there = entries_at(SYSTEM, [index for _, _, index in rows if index is not None])
    for name, kind, index in rows:
        entry = there.get(index) if index is not None else None
        if entry is None:
            yield Contradiction(name, index, f"{kind} stands in its timeline without an entry")
        elif (entry.kind, entry.subject) != (f"case.{kind}", name):
            yield Contradiction(name, index, f"the entry is {entry.kind} of {entry.subject}")


@cross_check
def public() -> Iterator[Contradiction]:
    """Cases are public exactly where an entry says so."""
    said = {entry.subject: entry.index for entry in entries_of(SYSTEM, ("case.public",))}
    rows = Case.objects.order_by("pk").values_list("name", "public_at")
    for name, public_at in rows.iterator(chunk_size=_AT_ONCE):
        if public_at is not None and name not in said:
            yield Contradiction(name, None, "it is public without an entry")
        elif public_at is None and name in said:
            yield Contradiction(name, said[name], "the entry says that it is public")
