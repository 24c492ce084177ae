"""Vulnerabilities as the engine matches them, read from OSV records.

Each entry of ``affected`` becomes the intervals of its ranges and the versions it lists.  What
cannot be decided is kept beside them with the reason: a range without a place in the order, an
entry that names commits only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from clearhouse.exposure.intervals import Interval, Unordered, intervals_of
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.osv import Bound, Event
from clearhouse.versions.ecosystems import key_of

_LONGEST_TEXT: Final = 200
_LONGEST_NAME: Final = 1024


@dataclass(frozen=True, slots=True)
class AffectedPackage:
    """What a vulnerability says of one package."""

    ecosystem: str
    """OSV's name, with the release of a distribution."""
    name: str
    """In the ecosystem's normal form."""
    intervals: tuple[Interval, ...] = ()
    listed: Mapping[bytes, str] = field(default_factory=dict)
    """Versions that are named one by one, by their key."""
    spellings: frozenset[str] = frozenset()
    """The same as they are spelt, those without key among them."""
    undecided: tuple[str, ...] = ()
    """Why more versions may be affected than the intervals and the list say."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One flaw as a record tells it."""

    id: str
    summary: str
    aliases: tuple[str, ...]
    severity: tuple[tuple[str, str], ...]
    """Type and vector of each score (OSV, ``severity``)."""
    modified: str
    withdrawn: str | None
    affected: tuple[AffectedPackage, ...]


def read(raw: object, where: str) -> Vulnerability:
    """Read one OSV record.

    ``raw`` is decoded JSON and ``where`` the name of its file for messages.  Raises Invalid, with
    the place in the record, where it is malformed.
    """
    record = JsonValue(raw, where)
    packages = (_affected(one) for one in record.listed("affected"))
    return Vulnerability(
        _text(record, "id"),
        (record.text_at("summary") or record.text_at("details") or "").strip()[:_LONGEST_TEXT],
        tuple(alias for one in record.listed("aliases") if (alias := one.text().strip())),
        _severity(record),
        record.text_at("modified") or "",
        record.text_at("withdrawn") or None,
        tuple(one for one in packages if one is not None),
    )


def _affected(entry: JsonValue) -> AffectedPackage | None:
    package = entry.get("package")
    if package is None:
        return None  # ranges of commits need no package, and match nothing here
    ecosystem = normal_ecosystem(_text(package, "ecosystem"))
    name = normal_name(ecosystem, _text(package, "name"))
    intervals, undecided = _drawn(entry, ecosystem)
    spellings = [one.text() for one in entry.listed("versions")]
    keys = ((key_of(ecosystem, one), one) for one in spellings)
    listed = {key: one for key, one in keys if isinstance(key, bytes)}
    if not (intervals or undecided or spellings) and not _is_empty(entry):
        undecided = ["the record names no versions, or commits only"]
    return AffectedPackage(
        ecosystem, name, tuple(intervals), listed, frozenset(spellings), tuple(undecided)
    )


def _drawn(entry: JsonValue, ecosystem: str) -> tuple[list[Interval], list[str]]:
    """The intervals of all ranges, and why some cannot be drawn."""
    intervals: list[Interval] = []
    undecided: list[str] = []
    for one in entry.listed("ranges"):
        if (one.text_at("type") or "").upper() == "GIT":
            continue
        events = [_event(event) for event in one.listed("events")]
        found = intervals_of(events, lambda version: key_of(ecosystem, version))
        if isinstance(found, Unordered):
            undecided.append(found.reason)
        else:
            intervals += found
    return intervals, undecided


def _is_empty(entry: JsonValue) -> bool:
    """Whether ranges say, by an introduction that is a fix too, that no version is affected."""
    return any(
        (one.text_at("type") or "").upper() != "GIT" and any(one.listed("events"))
        for one in entry.listed("ranges")
    )


def _event(event: JsonValue) -> Event:
    known = [bound for bound in Bound if event.get(bound.value) is not None]
    if len(known) != 1:
        raise event.wrong(f"expected one of {', '.join(Bound)}, found {len(known)} of them")
    return Event(known[0], _text(event, known[0].value))


def _severity(record: JsonValue) -> tuple[tuple[str, str], ...]:
    """The record's scores, or where it has none those of the first package that has."""
    for place in (record, *record.listed("affected")):
        found = tuple(
            (one.text_at("type") or "", one.text_at("score") or "")
            for one in place.listed("severity")
        )
        if found:
            return found
    return ()


def _text(value: JsonValue, key: str) -> str:
    found = value.get(key)
    text = found.text() if found is not None else ""
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise (found or value).wrong(f"expected {key} as text, {_LONGEST_NAME} characters at most")
    return text
