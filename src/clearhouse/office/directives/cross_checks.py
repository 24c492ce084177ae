"""Directives and obligations held against the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from clearhouse.errors import ClearhouseError
from clearhouse.ledger.entry import Entry
from clearhouse.office.blobs import store
from clearhouse.office.directives.actions.noting import KINDS
from clearhouse.office.directives.models import DirectiveRow, Evidence, ObligationRow
from clearhouse.office.directives.stored import digest_of, time_text
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.proof.absence import concluded

_ANSWERS: Final = {
    Evidence.Verdict.ACCEPTED: "obligation.accept",
    Evidence.Verdict.REFUSED: "obligation.refuse",
}


@cross_check
def directives() -> Iterator[Contradiction]:
    """Each directive was issued with the text that it has, and ended where an entry says so."""
    issued = {one.subject: one for one in entries_of(SYSTEM, ["directive.issued"])}
    ended = {one.subject: one for one in entries_of(SYSTEM, ["directive.ended"])}
    for row in DirectiveRow.objects.exclude(state=DirectiveRow.State.DRAFT).order_by("pk"):
        entry = issued.pop(row.name, None)
        if entry is None or entry.index != row.entry:
            yield Contradiction(row.name, row.entry, "it was issued without an entry")
        elif entry.facts.get("document") != digest_of(row.document):
            yield Contradiction(row.name, row.entry, "the entry names another text")
        over = ended.pop(row.name, None)
        if (over.index if over is not None else None) != row.end_entry or (
            (row.state == DirectiveRow.State.ENDED) is not (over is not None)
        ):
            yield Contradiction(row.name, row.end_entry, "the entries say else of whether it ended")
    for name, entry in (issued | ended).items():
        yield Contradiction(name, entry.index, "the directive of this entry is gone")


@cross_check
def obligations() -> Iterator[Contradiction]:
    """Each obligation stands, and is due, as the last of its entries says."""
    last: dict[str, Entry] = {}
    for entry in entries_of(SYSTEM, KINDS):
        if entry.subject not in last or last[entry.subject].index < entry.index:
            last[entry.subject] = entry
    rows = ObligationRow.objects.order_by("pk").values_list("name", "entry", "state", "due")
    for name, index, state, due in rows.iterator(chunk_size=2000):
        said = last.pop(name, None)
        if said is None or said.index != index:
            yield Contradiction(name, index, "it came to stand so without an entry")
        elif said.facts.get("state") != state:
            yield Contradiction(name, index, f"it is {state}, and the entry says otherwise")
        elif said.facts.get("due") != time_text(due):
            yield Contradiction(name, index, "the entry says another date")
    for name, said in last.items():
        yield Contradiction(name, said.index, "the obligation of this entry is gone")


def _is_named(row: Evidence) -> bool:
    """Whether what is kept is unaltered, and is what the evidence refers to."""
    try:
        document = json.loads(store.read(row.document))
        concluded(document)
    except (ClearhouseError, ValueError):
        return False
    return row.reference.endswith(f" {document['digest']}")


@cross_check
def evidence() -> Iterator[Contradiction]:
    """Evidence was handed in, accepted and refused with an entry each."""
    kinds = ("obligation.hand-in", *_ANSWERS.values())
    there = {one.index: one for one in entries_of(SYSTEM, kinds)}
    rows = Evidence.objects.order_by("pk").select_related("obligation")
    for row in rows.iterator(chunk_size=2000):
        name = row.obligation.name
        came = there.get(row.entry)
        if came is None or (came.kind, came.subject) != ("obligation.hand-in", name):
            yield Contradiction(name, row.entry, "evidence was handed in without an entry")
        elif row.document and came.facts.get("reference") != row.reference:
            yield Contradiction(name, row.entry, "the entry names another document")
        elif row.document and not _is_named(row):
            yield Contradiction(name, row.entry, "what proofs gave is not what evidence names")
        wanted = _ANSWERS.get(Evidence.Verdict(row.verdict))
        answered = there.get(row.answer_entry) if row.answer_entry is not None else None
        said = (answered.kind, answered.subject) if answered is not None else None
        if said != ((wanted, name) if wanted is not None else None):
            yield Contradiction(
                name, row.answer_entry, f"evidence is {row.verdict} without an entry"
            )
