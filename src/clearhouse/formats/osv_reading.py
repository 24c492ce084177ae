"""OSV records, read: the one place that knows the shape of a record.

Open Source Vulnerability format, schema 1.7.  A record is read whole; an entry of ``affected`` that
is malformed takes nothing with it: it stays with what is wrong with it, so that whoever matches can
say that nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.instants import instant
from clearhouse.formats.json_value import JsonValue, Problem
from clearhouse.formats.osv import ECOSYSTEMS, Affected, Bound, Event

_LONGEST_TEXT: Final = 200
_LONGEST_NAME: Final = 1024
_LONGEST_ALIAS: Final = 200
_CWE: Final = re.compile(r"CWE-[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Range:
    """One range: how its versions are ordered, and its events as they stand."""

    type: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of ``affected``."""

    place: str
    """Where it stands: ``affected[3]``."""
    ecosystem: str = ""
    """As it is written; empty with ``name`` where the entry names no package, or none readable."""
    name: str = ""
    ranges: tuple[Range, ...] = ()
    """Without those of commits (``GIT``), whose order is in a repository."""
    versions: tuple[str, ...] = ()
    problem: Problem | None = None
    """Why nothing is known of its versions, where it is malformed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    id: str
    aliases: tuple[str, ...]
    modified: str
    published: str
    withdrawn: str | None
    summary: str
    """Or the beginning of ``details``."""
    severity: tuple[tuple[str, str], ...]
    """Type and vector of each score; where the record has none, those of its first entry."""
    affected: tuple[Entry, ...]
    cwe_ids: tuple[str, ...]

    @property
    def modified_at(self) -> datetime | None:
        """When it was modified, where that is a time."""
        return instant(self.modified)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with its entries."""
        return tuple(one.problem for one in self.affected if one.problem is not None)


def read(raw: object, where: str) -> Record:
    """Read a record; ``raw`` is decoded JSON and ``where`` the name of its file for messages.

    Raises Invalid where it has no identifier, or its frame is malformed.
    """
    record = JsonValue(raw, where)
    return Record(
        _name(record, "id"),
        tuple(_aliases(record)),
        record.text_at("modified") or "",
        record.text_at("published") or "",
        _withdrawn(record),
        (record.text_at("summary") or record.text_at("details") or "").strip()[:_LONGEST_TEXT],
        _severity(record),
        tuple(_entry(one) for one in record.listed("affected")),
        _weaknesses(record),
    )


def _withdrawn(record: JsonValue) -> str | None:
    """When it was withdrawn; a record whose day cannot be read is not taken for withdrawn."""
    found = record.get("withdrawn")
    if found is None or not found.text():
        return None
    try:
        date.fromisoformat(found.text()[:10])
    except ValueError:
        raise found.wrong("expected a time, as in 2026-11-20T12:00:00Z") from None
    return found.text()


def _aliases(record: JsonValue) -> Iterator[str]:
    """Other names of the flaw; what no store takes as an identifier is none and left out."""
    for one in record.listed("aliases"):
        alias = one.text().strip()
        if alias and alias.isprintable() and len(alias) <= _LONGEST_ALIAS:
            yield alias


def _entry(raw: JsonValue) -> Entry:
    ecosystem = name = ""
    try:
        package = raw.get("package")
        if package is None:
            return Entry(raw.path)
        ecosystem, name = _name(package, "ecosystem"), _name(package, "name")
        versions = raw.texts("versions")
        return Entry(raw.path, ecosystem, name, tuple(_ranges(raw)), versions)
    except Invalid as error:
        return Entry(raw.path, ecosystem, name, problem=Problem.of(error, raw.path))


def _ranges(entry: JsonValue) -> Iterator[Range]:
    for one in entry.listed("ranges"):
        kind = (one.text_at("type") or "").upper()
        if kind == "GIT":
            continue
        events = tuple(_event(event) for event in one.listed("events"))
        if not any(event.bound is Bound.INTRODUCED for event in events):
            raise one.wrong("expected an introduced event")
        yield Range(kind, events)


def _event(event: JsonValue) -> Event:
    table = event.table()
    known = [bound for bound in Bound if table.get(bound) is not None]
    if len(known) != 1:
        raise event.wrong(f"expected one of {', '.join(Bound)}, found {len(known)} of them")
    return Event(known[0], _name(event, known[0].value))


def _severity(record: JsonValue) -> tuple[tuple[str, str], ...]:
    """Scores of the record, else of the first entry with any; one that is no score is left out."""
    for place in (record, *record.listed("affected")):
        found = tuple(_scores(place))
        if found:
            return found
    return ()


def _scores(place: JsonValue) -> Iterator[tuple[str, str]]:
    scores = place.raw.get("severity") if isinstance(place.raw, dict) else None
    for one in scores if isinstance(scores, list) else ():
        kind, score = (one.get("type"), one.get("score")) if isinstance(one, dict) else (None, None)
        if isinstance(kind, str) and isinstance(score, str):
            yield kind, score


def _weaknesses(record: JsonValue) -> tuple[str, ...]:
    """Weaknesses that databases name beside the schema: only those that are CWE's are taken."""
    notes = record.table().get("database_specific")
    found = notes.get("cwe_ids") if isinstance(notes, dict) else None
    return tuple(
        one
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, str) and _CWE.fullmatch(one)
    )


def _name(value: JsonValue, key: str) -> str:
    found = value.get(key)
    text = found.text() if found is not None else ""
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise (found or value).wrong(f"expected {key} as text, {_LONGEST_NAME} characters at most")
    return text


def affected_of(
    raw: object, *, kind: str, name: str, same_name: Callable[[str], str], where: str
) -> Affected:
    """Read what a record says of the package ``name`` of purl type ``kind``.

    Several entries for one package add up.  ``same_name`` brings names to the ecosystem's normal
    form; ``where`` is the file's name for messages.  Raises Invalid where the record is malformed,
    does not speak of the package, or an entry that is or may be about it is malformed.
    """
    record = read(raw, where)
    wanted = same_name(name)
    ranges: list[tuple[Event, ...]] = []
    versions: list[str] = []
    named: list[str] = []
    found = False
    for entry in record.affected:
        ecosystem = entry.ecosystem.partition(":")[0]
        ours = ecosystem.lower() == ECOSYSTEMS[kind].lower() and same_name(entry.name) == wanted
        if entry.problem is not None and (ours or not entry.name):
            raise Invalid(entry.problem.message, where=where, key=entry.problem.place)
        if ours:
            found = True
            ranges += [one.events for one in entry.ranges]
            versions += entry.versions
        elif entry.name:
            named.append(f"{ecosystem}/{entry.name}")
    if not found:
        said = ", ".join(named[:5]) or "no package"
        raise Invalid(
            f"expected an entry for {ECOSYSTEMS[kind]}/{name}, found {said}",
            where=where, key="affected",
        )  # fmt: skip
    return Affected(tuple(ranges), tuple(dict.fromkeys(versions)), record.id, record.withdrawn)
