"""Vulnerabilities as the engine matches them, made of OSV records.

Each entry of ``affected`` becomes the intervals of its ranges and the versions it lists.  What
cannot be decided is kept beside them with the reason: a range without a place in the order, an
entry that names commits only, or one that is malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearhouse.exposure.intervals import Interval, Unordered, intervals_of
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.formats import osv_reading
from clearhouse.versions.ecosystems import key_of, keys_of


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
    unread: tuple[str, ...] = ()
    """Entries of which nobody can tell what package they are about, with the reason."""
    weaknesses: frozenset[int] = frozenset()
    """Numbers in CWE, where the record names any."""


def read(raw: object, where: str) -> Vulnerability:
    """Read one OSV record: decoded JSON, and the name of its file for messages.

    Raises Invalid, with the place in the record, where it has no identifier or its frame is
    malformed.
    """
    return of_record(osv_reading.read(raw, where))


def of_record(record: osv_reading.Record) -> Vulnerability:
    """The vulnerability that a record tells of; entries of commits without package match nothing.

    An entry that is malformed is undecided for its package, and where not even that is known stands
    among what is ``unread``.
    """
    return Vulnerability(
        record.id,
        record.summary,
        record.aliases,
        record.severity,
        record.modified,
        record.withdrawn,
        tuple(_affected(one) for one in record.affected if one.name),
        tuple(str(one.problem) for one in record.affected if one.problem and not one.name),
        frozenset(int(one.removeprefix("CWE-")) for one in record.cwe_ids),
    )


def _affected(entry: osv_reading.Entry) -> AffectedPackage:
    ecosystem = normal_ecosystem(entry.ecosystem)
    name = normal_name(ecosystem, entry.name)
    if entry.problem is not None:
        reason = f"the advisory cannot be read: {entry.problem}"
        return AffectedPackage(ecosystem, name, undecided=(reason,))
    intervals, undecided = _drawn(entry, ecosystem)
    keys = zip(keys_of(ecosystem, entry.versions), entry.versions, strict=True)
    listed = {key: one for key, one in keys if isinstance(key, bytes)}
    if not (entry.ranges or entry.versions):
        undecided = ["the record names no versions, or commits only"]
    return AffectedPackage(
        ecosystem, name, tuple(intervals), listed, frozenset(entry.versions), tuple(undecided)
    )


def _drawn(entry: osv_reading.Entry, ecosystem: str) -> tuple[list[Interval], list[str]]:
    """The intervals of all ranges, and why some cannot be drawn."""
    intervals: list[Interval] = []
    undecided: list[str] = []
    for one in entry.ranges:
        found = intervals_of(one.events, lambda version: key_of(ecosystem, version))
        if isinstance(found, Unordered):
            undecided.append(found.reason)
        else:
            intervals += found
    return intervals, undecided
