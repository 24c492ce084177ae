"""How the releases of a package stand, and the ranges drawn over them.  Pure.

Ranges are OSV events over what runs showed: ``introduced`` is the first version of a stretch shown
affected, ``fixed`` the first after it shown unaffected, ``last_affected`` the last shown affected
where none after it was shown unaffected.  An undecided version (or one outside the ecosystem's
grammar) has no event of its own; :func:`unknown_of` lists each with whether the events alone would
count it as affected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from clearhouse.formats.osv import Bound, Event
from clearhouse.proof.search import Lines, Seen, Standing, between_which
from clearhouse.proof.standing import Finding, Status

NOT_RUN: Final = "not run"


@dataclass(frozen=True, slots=True)
class Listed:
    """A release as the registry lists it."""

    version: str
    uploaded: datetime | None
    yanked: bool
    ordered: bool
    """False: outside the ecosystem's grammar, placed by its date, never part of a range."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What running a release gave."""

    finding: Finding
    runs: int
    """How often each poc was run."""
    executions: int
    """All runs of the harness, those of controls included."""
    reason: str = ""
    """Why it was chosen."""
    remembered: bool = False
    """The runs are of an earlier time: same bundle, same files, same engine."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release and how it stands."""

    version: str
    status: Status
    why: str
    run: bool
    """False: inferred from its neighbours."""
    reason: str
    runs: int
    hits: int
    uploaded: datetime | None
    yanked: bool
    ordered: bool
    line: int | None

    def as_json(self) -> dict[str, Any]:
        """The entry as the document has it."""
        return {
            "version": self.version,
            "status": self.status.value,
            "why": self.why,
            "run": self.run,
            "reason": self.reason or None,
            "poc_runs": self.runs,
            "hits": self.hits,
            "uploaded": self.uploaded.isoformat() if self.uploaded else None,
            "yanked": self.yanked,
            "ordered": self.ordered,
        }


@dataclass(frozen=True, slots=True)
class Interval:
    """Neighbouring versions shown affected; exactly one of the two ends is set."""

    introduced: str
    fixed: str | None = None
    last_affected: str | None = None

    @property
    def events(self) -> tuple[Event, Event]:
        """The interval as OSV events."""
        if self.fixed is not None:
            end = Event(Bound.FIXED, self.fixed)
        else:
            end = Event(Bound.LAST_AFFECTED, self.last_affected or self.introduced)
        return Event(Bound.INTRODUCED, self.introduced), end

    def as_json(self) -> dict[str, str]:
        """The interval as the document has it."""
        return {event.bound.value: event.version for event in self.events}

    def __str__(self) -> str:
        """``0.4.0 until before 0.4.11``, or ``1.0 up to and including 2.1``."""
        if self.fixed is not None:
            return f"{self.introduced} until before {self.fixed}"
        return f"{self.introduced} up to and including {self.last_affected}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A version that no event speaks of, and whether the events alone would count it affected."""

    version: str
    status: Status
    inside: bool


def entries_of(
    releases: Sequence[Listed], lines: Lines, ran: Mapping[int, Ran], *, otherwise: str = NOT_RUN
) -> tuple[Entry, ...]:
    """Say how each release stands: by its own runs, or between neighbours that stand alike.

    A release that neither holds for is inconclusive, for the reason ``otherwise``.
    """
    seen = {place: Seen(one.finding.status.standing, one.runs) for place, one in ran.items()}
    between = between_which(lines, seen)
    found = []
    for place, release in enumerate(releases):
        mine = ran.get(place)
        if mine is not None:
            finding = mine.finding
        elif place in between:
            low, high = between[place]
            finding = _inferred(releases, ran, low, high)
        else:
            finding = Finding(Status.INCONCLUSIVE, otherwise)
        found.append(
            Entry(
                version=release.version,
                status=finding.status,
                why=finding.why,
                run=mine is not None,
                reason=mine.reason if mine else "",
                runs=mine.runs if mine else 0,
                hits=finding.hits if mine else 0,
                uploaded=release.uploaded,
                yanked=release.yanked,
                ordered=release.ordered,
                line=lines[place],
            )
        )
    return tuple(found)


def _inferred(releases: Sequence[Listed], ran: Mapping[int, Ran], low: int, high: int) -> Finding:
    below, above = ran[low].finding.status, ran[high].finding.status
    one, other = releases[low].version, releases[high].version
    if below is above:
        return Finding(below, f"between {one} and {other}, both {below.value}; {NOT_RUN}")
    why = f"between {one} ({below.value}) and {other} ({above.value}); {NOT_RUN}"
    if below.standing is above.standing is Standing.UNAFFECTED:
        return Finding(Status.REFUSED, why)
    return Finding(Status.INCONCLUSIVE, why)


def intervals_of(entries: Sequence[Entry]) -> tuple[Interval, ...]:
    """Draw the ranges over the ordered entries; an undecided one neither begins nor ends any."""
    found: list[Interval] = []
    first, last = "", ""
    for entry in entries:
        standing = entry.status.standing
        if not entry.ordered or standing is Standing.UNDECIDED:
            continue
        if standing is Standing.AFFECTED:
            first, last = first or entry.version, entry.version
        elif first:
            found.append(Interval(first, fixed=entry.version))
            first = ""
    if first:
        found.append(Interval(first, last_affected=last))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring releases of one status."""

    entries: tuple[Entry, ...]

    @property
    def status(self) -> Status:
        """The status that all of them have."""
        return self.entries[0].status

    @property
    def run(self) -> int:
        """How many of them were run."""
        return sum(entry.run for entry in self.entries)

    @property
    def span(self) -> str:
        """``1.1.1``, or ``1.0 to 1.23``."""
        first, last = self.entries[0].version, self.entries[-1].version
        return first if first == last else f"{first} to {last}"

    @property
    def why(self) -> str:
        """The reason of the last one that was run."""
        run = [entry for entry in self.entries if entry.run]
        return (run or self.entries)[-1].why


def stretches_of(entries: Sequence[Entry]) -> tuple[Stretch, ...]:
    """Group neighbours of one status; those outside the grammar are no neighbours of the others."""
    grouped = groupby(entries, key=lambda entry: (entry.status, entry.ordered))
    return tuple(Stretch(tuple(group)) for _, group in grouped)


def unknown_of(entries: Sequence[Entry], intervals: Sequence[Interval]) -> Iterator[Unknown]:
    """Walk the entries in order; a version's place among them is its place among the events."""
    begins = {interval.introduced for interval in intervals}
    ends = {interval.fixed for interval in intervals if interval.fixed is not None}
    last = {interval.last_affected for interval in intervals if interval.last_affected is not None}
    inside = False
    for entry in entries:
        if entry.ordered and entry.version in begins:
            inside = True
        elif entry.ordered and entry.version in ends:
            inside = False
        if not entry.ordered:
            yield Unknown(entry.version, entry.status, inside=False)
        elif entry.status.standing is Standing.UNDECIDED:
            yield Unknown(entry.version, entry.status, inside)
        if entry.ordered and entry.version in last:
            inside = False
