"""OSV's ranges: which versions they declare affected, and how to declare them.

Open Source Vulnerability format, schema 1.7: ``affected[]`` with its ``ranges`` and ``versions``;
records are read by :mod:`clearhouse.formats.osv_reading`, written by ``osv_record``.
The order of versions belongs to the ecosystem, so everything that compares takes a ``key``.
GIT ranges speak of commits, not of releases, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

#: Ecosystem names of OSV by the type of a package URL.
ECOSYSTEMS: Final[Mapping[str, str]] = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "maven": "Maven",
    "gem": "RubyGems",
    "nuget": "NuGet",
    "composer": "Packagist",
}
#: How an ecosystem's versions are ordered: by Semantic Versioning, or by rules of its own.
RANGE_TYPES: Final[Mapping[str, str]] = {
    kind: "SEMVER" if kind in {"npm", "golang"} else "ECOSYSTEM" for kind in ECOSYSTEMS
}

Key = Callable[[str], Any]
"""A version's sort key in its ecosystem's order."""


class Bound(StrEnum):
    """The four events of a range; the value is the key in the record."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a range.  ``introduced`` may be ``0``: before every version."""

    bound: Bound
    version: str


@dataclass(frozen=True, slots=True)
class Affected:
    """What a record says of one package: ranges of events, and versions named one by one."""

    ranges: tuple[tuple[Event, ...], ...]
    versions: tuple[str, ...]
    source: str = ""
    """The record's identifier."""
    withdrawn: str | None = None

    def names(self, version: str, key: Key) -> bool:
        """Whether ``version`` is affected: listed, or inside a range (OSV, "Evaluation")."""
        mine = key(version)
        return any(key(one) == mine for one in self.versions) or self.spans(version, key)

    def spans(self, version: str, key: Key) -> bool:
        """Whether ``version`` is inside a range, the list of versions left aside."""
        return any(_spans(events, version, key) for events in self.ranges)


def _spans(events: Sequence[Event], version: str, key: Key) -> bool:
    mine = key(version)
    limits = [event.version for event in events if event.bound is Bound.LIMIT]
    if limits and not any(limit == "*" or mine < key(limit) for limit in limits):
        return False
    walked = [event for event in events if event.bound is not Bound.LIMIT]
    walked.sort(key=lambda event: _place(event, key))
    inside = False
    for place, group in groupby(walked, key=lambda event: _place(event, key)):
        opens = {event.bound is Bound.INTRODUCED for event in group}
        # An introduction and a fix at one version cancel: open stays open, closed stays closed.
        if len(opens) == 1 and place <= (1, mine, False):
            inside = opens.pop()
    return inside


def _place(event: Event, key: Key) -> tuple[Any, ...]:
    """Where an event takes effect: ``0`` before all, the last affected version after itself."""
    if event.version == "0" and event.bound is not Bound.LAST_AFFECTED:
        return (0,)
    return (1, key(event.version), event.bound is Bound.LAST_AFFECTED)


def affected_entry(
    *,
    kind: str,
    name: str,
    purl: str,
    intervals: Sequence[Sequence[Event]],
    versions: Iterable[str],
    notes: Mapping[str, Any],
) -> dict[str, Any]:
    """Write one entry of ``affected``.

    ``intervals`` are as in :func:`ranges_entry`.  ``notes`` go under
    ``database_specific``, where consumers leave alone what they do not know.
    """
    entry: dict[str, Any] = {
        "package": {"ecosystem": ECOSYSTEMS[kind], "name": name, "purl": purl},
        "ranges": ranges_entry(intervals, type=RANGE_TYPES[kind]),
        "versions": list(versions),
    }
    return entry | ({"database_specific": dict(notes)} if notes else {})


def ranges_entry(intervals: Iterable[Sequence[Event]], **head: str) -> list[dict[str, Any]]:
    """Write ``ranges``, each with what ``head`` says of it, its type above all.

    ``intervals`` are pairs of events in ascending order.  Those that end with ``fixed`` and those
    that end with ``last_affected`` go into ranges of their own: the schema refuses both in one.
    """
    grouped: dict[Bound, list[dict[str, str]]] = {}
    for interval in intervals:
        events = [{event.bound.value: event.version} for event in interval]
        grouped.setdefault(interval[-1].bound, []).extend(events)
    return [{**head, "events": events} for _, events in sorted(grouped.items())]
