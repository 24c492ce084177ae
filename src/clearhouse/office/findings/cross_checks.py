"""Findings held against the ledger: what came in, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_at, entries_of
from clearhouse.office.viewer import SYSTEM

_Row = tuple[str, int, str]
_AT_ONCE: Final = 2000
_DECISIONS: Final = tuple(
    f"finding.{state}"
    for state in Finding.State.values
    if state not in (Finding.State.QUEUED, Finding.State.CHECKING)
)


@cross_check
def received() -> Iterator[Contradiction]:
    """Each finding and commitment has the entry that it names, and the entry says its content."""
    findings = Finding.objects.order_by("pk").values_list("name", "entry", "content")
    yield from _all(findings.iterator(chunk_size=_AT_ONCE), "finding.received", "content")
    commitments = Commitment.objects.order_by("pk").values_list("name", "entry", "value")
    yield from _all(commitments.iterator(chunk_size=_AT_ONCE), "finding.committed", "value")


def _all(rows: Iterator[_Row], kind: str, fact: str) -> Iterator[Contradiction]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield from _received(batch, kind, fact)


def _received(rows: list[_Row], kind: str, fact: str) -> Iterator[Contradiction]:
    there = entries_at(SYSTEM, [index for _, index, _ in rows])
    for name, index, content in rows:
        entry = there.get(index)
        if entry is None:
            yield Contradiction(name, None, "it was taken in without an entry")
        elif (entry.kind, entry.subject) != (kind, name):
            yield Contradiction(name, index, f"the entry is {entry.kind} of {entry.subject}")
        elif entry.facts.get(fact) != content:
            yield Contradiction(name, index, "the entry names another content")


@cross_check
def decided() -> Iterator[Contradiction]:
    """The state of each finding that was decided is what its last entry says, verdict included."""
    last: dict[str, tuple[int, str, str]] = {}
    for entry in entries_of(SYSTEM, _DECISIONS):
        state = entry.kind.partition(".")[2]
        last[entry.subject] = entry.index, state, str(entry.facts.get("verdict", ""))
    waiting = (Finding.State.QUEUED, Finding.State.CHECKING)
    rows = Finding.objects.exclude(state__in=waiting).order_by("pk")
    columns = rows.values_list("name", "state", "verdict_digest")
    for name, state, verdict in columns.iterator(chunk_size=_AT_ONCE):
        if name not in last:
            yield Contradiction(name, None, f"it is {state} without an entry")
            continue
        index, said, proof = last[name]
        if said != state:
            yield Contradiction(name, index, f"it is {state}, the entry says {said}")
        elif proof and proof != verdict:
            yield Contradiction(name, index, "the entry names another verdict")
