"""OSV records: which versions of a package an advisory declares affected, and how to declare them.

Open Source Vulnerability format, schema 1.7: ``affected[]`` with its ``ranges`` and ``versions``.
The order of versions belongs to the ecosystem, so everything that compares takes a ``key``.
GIT ranges speak of commits, not of releases, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from clearhouse.errors import Invalid

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


def affected_of(
    raw: object, *, kind: str, name: str, same_name: Callable[[str], str], where: str
) -> Affected:
    """Read what an OSV record says of the package ``name`` of purl type ``kind``.

    Several entries for one package add up.  ``same_name`` brings names to the ecosystem's normal
    form; ``where`` is the file's name for messages.  Raises Invalid where the record is malformed
    or does not speak of the package.
    """
    record = _table(raw, where, "the record")
    wanted = same_name(name)
    entries = _list(record, "affected", where)
    ranges: list[tuple[Event, ...]] = []
    versions: list[str] = []
    named: list[str] = []
    found = False
    for number, entry in enumerate(entries):
        place = f"affected[{number}]"
        package = _table(_table(entry, where, place).get("package"), where, f"{place}.package")
        ecosystem = str(package.get("ecosystem", "")).partition(":")[0]
        named.append(f"{ecosystem}/{package.get('name')}")
        if ecosystem.lower() != ECOSYSTEMS[kind].lower():
            continue
        if same_name(str(package.get("name", ""))) != wanted:
            continue
        found = True
        for index, one in enumerate(_list(entry, "ranges", where, optional=True)):
            events = _range(_table(one, where, f"{place}.ranges[{index}]"), where, place, index)
            ranges += [events] if events else []
        versions += [
            _text(one, where, f"{place}.versions")
            for one in _list(entry, "versions", where, optional=True)
        ]
    if not found:
        said = ", ".join(named[:5]) or "no package"
        raise Invalid(
            f"expected an entry for {ECOSYSTEMS[kind]}/{name}, found {said}",
            where=where, key="affected",
        )  # fmt: skip
    withdrawn = record.get("withdrawn")
    return Affected(
        tuple(ranges),
        tuple(dict.fromkeys(versions)),
        str(record.get("id", ""))[:200],
        str(withdrawn) if withdrawn else None,
    )


def _range(raw: Mapping[str, Any], where: str, place: str, index: int) -> tuple[Event, ...]:
    if str(raw.get("type", "")).upper() == "GIT":
        return ()
    key = f"{place}.ranges[{index}].events"
    events: list[Event] = []
    for one in _list(raw, "events", where, at=key):
        event = _table(one, where, key)
        known = [bound for bound in Bound if bound.value in event]
        if len(known) != 1:
            raise Invalid(
                f"expected one of {', '.join(Bound)} in each event, found"
                f" {', '.join(map(str, event)) or 'none'}",
                where=where, key=key,
            )  # fmt: skip
        events.append(Event(known[0], _text(event[known[0].value], where, key)))
    if not any(event.bound is Bound.INTRODUCED for event in events):
        raise Invalid("expected an introduced event", where=where, key=key)
    return tuple(events)


def _table(raw: object, where: str, key: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise Invalid("expected a JSON object", where=where, key=key)
    return raw


def _list(
    raw: Mapping[str, Any], name: str, where: str, *, at: str = "", optional: bool = False
) -> list[Any]:
    found = raw.get(name, [] if optional else None)
    if not isinstance(found, list):
        raise Invalid("expected a list", where=where, key=at or name)
    return found


def _text(raw: object, where: str, key: str) -> str:
    if not isinstance(raw, str) or not raw or len(raw) > 200:
        raise Invalid("expected a version as text", where=where, key=key)
    return raw


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
