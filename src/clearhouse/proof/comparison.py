"""An advisory's declared versions beside the executed ones, every disagreement by name.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clearhouse.formats.osv import Affected
from clearhouse.proof.entries import Entry
from clearhouse.proof.search import Standing


@dataclass(frozen=True, slots=True)
class Difference:
    """Neighbouring releases that an advisory and the runs say different things of.

    ``executed`` is the status of the runs; undecided ones are a difference of their own kind:
    the advisory says something that could not be tried here.
    """

    versions: tuple[str, ...]
    run: tuple[str, ...]
    declared_affected: bool
    executed: str
    decided: bool
    evidence: str

    @property
    def span(self) -> str:
        """``1.1.1``, or ``1.0 to 1.23``."""
        first, last = self.versions[0], self.versions[-1]
        return first if first == last else f"{first} to {last}"

    @property
    def declared(self) -> str:
        """What the advisory says of them."""
        return "affected" if self.declared_affected else "not affected"

    def as_json(self) -> dict[str, Any]:
        """The difference as the document has it."""
        return {
            "versions": list(self.versions),
            "declared": self.declared,
            "executed": self.executed,
            "run": list(self.run),
            "evidence": self.evidence,
        }

    def __str__(self) -> str:
        """One sentence for a person."""
        count = len(self.versions)
        of = "" if count == 1 else f" ({count} releases, {len(self.run)} of them run)"
        return (
            f"{self.span}{of}: declared {self.declared}, executed {self.executed}: {self.evidence}"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """An advisory and a history side by side."""

    advisory: str
    declared: str
    """The advisory's ranges as a person reads them."""
    withdrawn: str | None
    agreed: int
    """Decided releases of which both say the same."""
    differences: tuple[Difference, ...]
    undecided: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """The comparison as the document has it."""
        return {
            "advisory": self.advisory,
            "declared": self.declared,
            "withdrawn": self.withdrawn,
            "agreed": self.agreed,
            "differences": [one.as_json() for one in self.differences],
            "undecided": [one.as_json() for one in self.undecided],
        }


def compare(entries: Sequence[Entry], advisory: Affected, key: Callable[[str], Any]) -> Comparison:
    """Hold an advisory against the entries of a history.

    A version outside the ecosystem's grammar is declared affected where it is listed by name;
    no range can speak of it.
    """
    decided, undecided, agreed = [], [], 0
    for stretch in _stretches(entries, advisory, key):
        first, declared = stretch[0]
        standing = first.status.standing
        if standing is Standing.UNDECIDED:
            undecided.append(_difference([entry for entry, _ in stretch], declared=declared))
        elif (standing is Standing.AFFECTED) is declared:
            agreed += len(stretch)
        else:
            decided.append(_difference([entry for entry, _ in stretch], declared=declared))
    return Comparison(
        advisory=advisory.source,
        declared=_declared(advisory),
        withdrawn=advisory.withdrawn,
        agreed=agreed,
        differences=tuple(decided),
        undecided=tuple(undecided),
    )


def _stretches(
    entries: Sequence[Entry], advisory: Affected, key: Callable[[str], Any]
) -> Iterator[list[tuple[Entry, bool]]]:
    """Neighbours that stand alike and of which the advisory says the same."""
    stretch: list[tuple[Entry, bool]] = []
    for entry in entries:
        if entry.ordered:
            declared = advisory.names(entry.version, key)
        else:
            declared = entry.version in advisory.versions
        now = (entry.status.standing, declared, entry.ordered)
        if stretch:
            before, said = stretch[-1]
            if now != (before.status.standing, said, before.ordered):
                yield stretch
                stretch = []
        stretch.append((entry, declared))
    if stretch:
        yield stretch


def _difference(entries: Sequence[Entry], *, declared: bool) -> Difference:
    run = [entry for entry in entries if entry.run]
    statuses = dict.fromkeys(entry.status.value for entry in (run or entries))
    shown = run[0] if run else entries[0]
    at = f"on {shown.version}, " if run and len(entries) > 1 else ""
    return Difference(
        versions=tuple(entry.version for entry in entries),
        run=tuple(entry.version for entry in run),
        declared_affected=declared,
        executed=" or ".join(statuses),
        decided=entries[0].status.standing is not Standing.UNDECIDED,
        evidence=f"{at}{shown.why}",
    )


def _declared(advisory: Affected) -> str:
    words = [
        ", ".join(f"{event.bound.value.replace('_', ' ')} {event.version}" for event in events)
        for events in advisory.ranges
    ]
    if not words:
        return f"{len(advisory.versions)} versions, one by one"
    return "; ".join(words)
