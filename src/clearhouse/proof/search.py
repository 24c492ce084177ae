"""Which releases to run next, so that few runs tell which of all releases are affected.  Pure.

Releases stand in their ecosystem's order and are divided into lines: stretches in which dates
ascend too.  Where a date falls back (``2.2.28`` of 2022 before ``3.0a1`` of 2019), development
went on in two places at once, and a fix in one says nothing about the other.

Asked for, in this order:

1. anchors: the version attacked, and the one in which the finder believes the flaw fixed;
2. both ends of every line, and releases outside the ecosystem's grammar, which have no neighbours
   to be inferred from;
3. the middle between two releases that stand differently (an undecided one is a third kind), until
   they are neighbours; where undecided ones lie between an affected and an unaffected one, all of
   them, for the boundary is somewhere among them;
4. both sides of every boundary once more, and two decided releases beyond it on either side: a fix
   lost again, a backport, a regression lie there (adm-zip 0.4.8, 0.4.9 and 0.4.10);
5. samples, so that no ``every`` neighbouring releases stay that nobody ran.

At the end each release not run lies between two that were run and stand alike.  So any stretch of
``every`` or more releases that stands differently is found, and one that touches the
neighbourhood of a boundary; :func:`unseen` counts the places where a shorter one would not be.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Final

#: Times that each poc is run: on every release, and on both sides of a boundary.
RUNS: Final = 2
RUNS_AT_BOUNDARY: Final = 3
#: Decided releases that are run beyond either side of a boundary.
BESIDE: Final = 2
#: Undecided ones that are passed over to get there.
_LEAP: Final = 4
_SAMPLES: Final = 32


class Standing(Enum):
    """What the runs of a release amount to."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a release stands, and how often each poc was run for that."""

    standing: Standing
    runs: int = RUNS


@dataclass(frozen=True, slots=True)
class Want:
    """A release to run: its place, how often each poc, and why."""

    place: int
    runs: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dated:
    """What the division into lines looks at."""

    version: str
    uploaded: datetime | None
    ordered: bool


Lines = tuple[int | None, ...]
"""The line of each release, in order; None for those outside the ecosystem's grammar."""


def lines_of(releases: Sequence[Dated], branch: Callable[[str], Hashable]) -> Lines:
    """Divide releases (in their ecosystem's order) into lines.

    Where the registry has no dates at all, ``branch`` names the branch of a version (its major
    number, say), and each branch is a line.
    """
    dated = any(release.uploaded for release in releases if release.ordered)
    found: list[int | None] = []
    line = 0
    before: datetime | None = None
    last: Hashable = None
    for release in releases:
        if not release.ordered:
            found.append(None)
            continue
        mine = branch(release.version)
        if dated and release.uploaded is not None:
            line += before is not None and release.uploaded < before
            before = release.uploaded
        elif not dated:
            line += last is not None and mine != last
        last = mine
        found.append(line)
    return tuple(found)


def every_for(releases: int) -> int:
    """How far apart samples lie at most: about 32 of them, and at least each second release."""
    return max(2, -(-releases // _SAMPLES))


def wanted(
    lines: Lines, seen: Mapping[int, Seen], *, anchors: Sequence[int], every: int
) -> tuple[Want, ...]:
    """Everything that ought to be run, given what was; nothing when the search is over.

    A pure function of what is known: ask again when more is.  ``every`` of 1 runs everything.
    """
    search = _Search(lines, seen, every)
    found: dict[int, Want] = {}
    steps = (
        search.fresh(anchors, "named by the bundle"),
        search.fresh(search.ends(), "end of a line"),
        search.fresh(search.outside(), "outside the grammar"),
        search.between(),
        search.around(),
        search.samples(),
    )
    for step in steps:
        for want in step:
            earlier = found.get(want.place)
            if earlier is None or earlier.runs < want.runs:
                found[want.place] = want
    return tuple(found.values())


class _Search:
    def __init__(self, lines: Lines, seen: Mapping[int, Seen], every: int) -> None:
        self._lines, self._seen, self._every = lines, seen, every
        self._ladder = [place for place, line in enumerate(lines) if line is not None]
        self._run = [rung for rung, place in enumerate(self._ladder) if place in seen]

    def ends(self) -> list[int]:
        return [
            place
            for rung, place in enumerate(self._ladder)
            if rung in (0, len(self._ladder) - 1)
            or self._line(rung - 1) != self._line(rung)
            or self._line(rung + 1) != self._line(rung)
        ]

    def outside(self) -> list[int]:
        return [place for place, line in enumerate(self._lines) if line is None]

    def fresh(self, places: Sequence[int], reason: str) -> Iterator[Want]:
        for place in places:
            if place not in self._seen:
                yield Want(place, RUNS, reason)

    def between(self) -> Iterator[Want]:
        """The middle one of the releases not run between two that stand differently.

        Where all that is left between an affected and an unaffected one lies among undecided ones,
        the boundary is somewhere in there: all of it.
        """
        edges = [(low, high) for low, high in pairwise(self._run) if self._differ(low, high)]
        open_edges = [(low, high) for low, high in edges if high - low > 1]
        for low, high in open_edges:
            yield Want(self._ladder[(low + high) // 2], RUNS, self._between(low, high))
        decided = [r for r in self._run if self._standing(r) is not Standing.UNDECIDED]
        for low, high in pairwise(decided):
            if self._differ(low, high) and not any(low <= a < high for a, _ in open_edges):
                for rung in range(low + 1, high):
                    if not self._was_run(rung):
                        yield Want(self._ladder[rung], RUNS, self._between(low, high))

    def around(self) -> Iterator[Want]:
        """Both sides of each boundary again, and the releases beyond it."""
        decided = [r for r in self._run if self._standing(r) is not Standing.UNDECIDED]
        for low, high in pairwise(decided):
            if not self._differ(low, high):
                continue
            if any(not self._was_run(r) for r in range(low + 1, high)):
                continue
            for rung in (low, high):
                place = self._ladder[rung]
                if self._seen[place].runs < RUNS_AT_BOUNDARY:
                    yield Want(place, RUNS_AT_BOUNDARY, "side of a boundary")
            for rung, step in ((low, -1), (high, 1)):
                yield from self._beyond(rung, step)

    def _beyond(self, rung: int, step: int) -> Iterator[Want]:
        met = 0
        for distance in range(1, BESIDE + _LEAP + 1):
            there = rung + step * distance
            if not 0 <= there < len(self._ladder) or met == BESIDE:
                return
            if not self._was_run(there):
                yield Want(self._ladder[there], RUNS, "beside a boundary")
                met += 1
            elif self._standing(there) is not Standing.UNDECIDED:
                met += 1

    def samples(self) -> Iterator[Want]:
        """Evenly spread ones where ``every`` or more neighbours that stand alike were not run."""
        for low, high in pairwise(self._run):
            gap = high - low - 1
            if gap < self._every or self._differ(low, high):
                continue
            count = gap // self._every
            for number in range(1, count + 1):
                rung = low + number * (gap + 1) // (count + 1)
                yield Want(self._ladder[rung], RUNS, "sample")

    def _line(self, rung: int) -> int | None:
        return self._lines[self._ladder[rung]]

    def _was_run(self, rung: int) -> bool:
        return self._ladder[rung] in self._seen

    def _standing(self, rung: int) -> Standing:
        return self._seen[self._ladder[rung]].standing

    def _differ(self, low: int, high: int) -> bool:
        return self._standing(low) is not self._standing(high)

    def _between(self, low: int, high: int) -> str:
        return f"between {self._standing(low).value} and {self._standing(high).value}"


def between_which(lines: Lines, seen: Mapping[int, Seen]) -> dict[int, tuple[int, int]]:
    """For each release not run, the nearest ones on both sides that were."""
    run = [place for place in sorted(seen) if lines[place] is not None]
    return {
        place: (low, high)
        for low, high in pairwise(run)
        for place in range(low + 1, high)
        if lines[place] is not None
    }


@dataclass(frozen=True, slots=True)
class Unseen:
    """Of all places where ``length`` neighbouring releases stand, those in which none was run."""

    length: int
    unseen: int
    of: int


def unseen(lines: Lines, seen: Mapping[int, Seen]) -> tuple[Unseen, ...]:
    """For each length, how many stretches of that length nobody ran, up to the first with none.

    Whatever stands differently in such a stretch alone was missed: the residual risk, exactly.
    """
    run = [place in seen for place, line in enumerate(lines) if line is not None]
    found: list[Unseen] = []
    length = 1
    while length <= len(run):
        places = len(run) - length + 1
        missed = sum(not any(run[start : start + length]) for start in range(places))
        found.append(Unseen(length, missed, places))
        if missed == 0:
            break
        length += 1
    return tuple(found)
