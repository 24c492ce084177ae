"""Whole OSV records, written from an advisory (Open Source Vulnerability format, schema 1.7).

What was executed is in ``affected``; what somebody declares stands beside it under
``database_specific``.  A package of an ecosystem that OSV knows is matched by its name.  Others,
such as C sources (``pkg:generic``), have no ecosystem, and a name without one means nothing in OSV:

- ranges of commits, with the repository in the package URL's ``vcs_url``, become a GIT range, by
  which scanners match commits (OSV, ``affected[].versions``);
- else the affected versions are listed one by one, without ``package``: for a reader, and for those
  that look at the package URL under ``database_specific``;
- a package with neither is refused: nothing in the record would say what is affected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import Advisory, AffectedPackage, Credit, VersionRanges
from clearhouse.formats.cvss import Version, parse
from clearhouse.formats.osv import ECOSYSTEMS, RANGE_TYPES, Event, affected_entry, ranges_entry
from clearhouse.formats.package_names import name_of, without_version

SCHEMA_VERSION: Final = "1.7.5"
#: What OSV has identifiers begin with whose database is not on its list (OSV, ``id``).
LOCAL_PREFIX: Final = "x_"
#: Kinds of references (OSV, ``references[].type``).
REFERENCE_TYPES: Final = frozenset(
    {
        "ADVISORY", "ARTICLE", "DETECTION", "DISCUSSION", "REPORT", "FIX", "INTRODUCED", "GIT",
        "PACKAGE", "EVIDENCE", "WEB",
    }
)  # fmt: skip
_SEVERITY_TYPES: Final[Mapping[Version, str]] = {
    Version.V2_0: "CVSS_V2",
    Version.V3_0: "CVSS_V3",
    Version.V3_1: "CVSS_V3",
    Version.V4_0: "CVSS_V4",
}
#: A commit in full, or ``0`` for before the first (OSV, ``affected[].ranges[].events``).
_COMMIT: Final = re.compile(r"0|[a-f0-9]{40}|[a-f0-9]{64}")


def record_of(advisory: Advisory, *, prefix: str = LOCAL_PREFIX) -> dict[str, Any]:
    """The record.  ``prefix`` goes before the advisory's number; empty if OSV lists the office's.

    Raises :class:`Refused` for a package of which OSV can say nothing, and :class:`Invalid` for
    what is malformed.
    """
    identifier = f"{prefix}{advisory.id}"
    names = filter(None, (advisory.cve, *advisory.aliases))
    leading = advisory.leading_score
    scores = sorted(advisory.scores, key=lambda score: score is not leading)
    details = "\n\n".join(filter(None, (advisory.summary, advisory.details)))
    weaknesses = [f"CWE-{weakness}" for weakness in advisory.weaknesses]
    optional: dict[str, Any] = {
        "withdrawn": advisory.withdrawn and _time(advisory.withdrawn),
        "aliases": [one for one in dict.fromkeys(names) if one not in {identifier, advisory.id}],
        "severity": [_severity(vector) for vector in dict.fromkeys(one.vector for one in scores)],
        "references": _references(advisory),
        "credits": [_credit(credit) for credit in dict.fromkeys(advisory.credits)],
        "database_specific": {"cwe_ids": weaknesses} if weaknesses else None,
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "id": identifier,
        "modified": _time(advisory.current.at),
        "published": _time(advisory.released),
        "summary": " ".join(advisory.title.split()),
        "details": details,
        "affected": [_affected(package) for package in advisory.packages],
        **{key: value for key, value in optional.items() if value},
    }


def _affected(package: AffectedPackage) -> dict[str, Any]:
    purl, ranges = package.purl, package.ranges
    notes: dict[str, Any] = {"source": ranges.source.value, "by": ranges.by}
    if ranges.undecided:
        notes["undecided"] = list(ranges.undecided)
    beside = [one for one in package.declared if one is not ranges]
    if beside:
        notes["declared"] = [_declared(one) for one in beside]
    if purl.type not in ECOSYSTEMS:
        return _without_ecosystem(package, notes)
    bare = RANGE_TYPES[purl.type] == "SEMVER"
    entry = affected_entry(
        kind=purl.type,
        name=name_of(purl),
        purl=without_version(purl),
        intervals=[[_event(event, bare=bare) for event in one] for one in ranges.intervals],
        versions=[_bare(version) if bare else version for version in ranges.affected],
        notes=notes,
    )
    return {key: value for key, value in entry.items() if value}


def _event(event: Event, *, bare: bool) -> Event:
    return Event(event.bound, _bare(event.version)) if bare else event


def _bare(version: str) -> str:
    """A version as SEMVER ranges have it: Go's own begin with a ``v`` (OSV, ``ranges[].type``)."""
    return version.removeprefix("v")


def _without_ecosystem(package: AffectedPackage, notes: dict[str, Any]) -> dict[str, Any]:
    """An entry for a package of no ecosystem of OSV; see the module's text."""
    purl, ranges = package.purl, package.ranges
    notes["purl"] = without_version(purl)
    entry: dict[str, Any] = {}
    repository = _repository(package)
    events = list(chain.from_iterable(ranges.intervals))
    if repository and events and all(_COMMIT.fullmatch(event.version) for event in events):
        entry["ranges"] = ranges_entry(ranges.intervals, type="GIT", repo=repository)
    elif not ranges.affected:
        raise Refused(
            f"OSV has no ecosystem for {without_version(purl)}: name its affected versions one by"
            " one, or its commits, with the repository as vcs_url in the package URL"
        )
    elif events:
        notes["intervals"] = _intervals(ranges)
    if ranges.affected:
        entry["versions"] = list(ranges.affected)
    return entry | {"database_specific": notes}


def _repository(package: AffectedPackage) -> str | None:
    """The address of a Git repository in ``vcs_url``, without the tool's prefix and a commit.

    Package-url specification, known qualifiers: written as in SPDX, ``git+https://...@commit``.
    """
    found = package.purl.qualifiers.get("vcs_url")
    if not found:
        return None
    address = found.removeprefix("git+").partition("#")[0]
    start, separator, commit = address.rpartition("@")
    return start if separator and "/" not in commit else address


def _declared(ranges: VersionRanges) -> dict[str, Any]:
    return {
        "source": ranges.source.value,
        "by": ranges.by,
        "intervals": _intervals(ranges),
        "versions": list(ranges.affected),
    }


def _intervals(ranges: VersionRanges) -> list[dict[str, str]]:
    return [{event.bound.value: event.version for event in one} for one in ranges.intervals]


def _severity(vector: str) -> dict[str, str]:
    parsed = parse(vector, key="scores")
    return {"type": _SEVERITY_TYPES[parsed.version], "score": parsed.vector}


def _references(advisory: Advisory) -> list[dict[str, str]]:
    """The references, then the pages of remedies; a page of one kind once."""
    found: dict[tuple[str, str], None] = {}
    for one in advisory.references:
        if one.kind not in REFERENCE_TYPES:
            known = ", ".join(sorted(REFERENCE_TYPES))
            raise Invalid(f"expected one of {known}", key="references")
        found[one.kind, one.url] = None
    named = {url for _, url in found}
    pages = [one.url for one in advisory.remediations if one.url and one.url not in named]
    found |= {("WEB", url): None for url in pages}
    return [{"type": kind, "url": url} for kind, url in found]


def _credit(credit: Credit) -> dict[str, str]:
    who = f"{credit.name}, {credit.organisation}" if credit.organisation else credit.name
    return {"name": who, "type": credit.role.value.upper().replace(" ", "_")}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
