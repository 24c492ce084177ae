"""CVE records: what a CVE Numbering Authority (CNA) publishes under an identifier.

CVE record format 5.1.1.  What was executed is the record's ``affected``; what somebody declares
stands beside it in ``x_versionRanges``, where consumers leave alone what they do not know.  No
``collectionURL``: which registry a package comes from is in its package URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Credit,
    RangeSource,
    Reference,
    Remedy,
    Score,
    VersionRanges,
)
from clearhouse.formats.cvss import Version, parse
from clearhouse.formats.osv import Bound, Event
from clearhouse.formats.package_names import name_of, without_version

T = TypeVar("T")

DATA_VERSION: Final = "5.1.1"
CVE_ID: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
#: An organisation's identifier in the CVE programme: a UUID of version 4.
ORG_ID: Final = re.compile(
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"
)

#: How versions of a purl type compare (CVE record format, versionType); others are ``custom``.
VERSION_TYPES: Final[Mapping[str, str]] = {
    "pypi": "python",
    "npm": "semver",
    "cargo": "semver",
    "golang": "semver",
    "maven": "maven",
    "rpm": "rpm",
}
#: OSV's kinds of references as the CVE programme's reference tags.  Others have no tag that is sure
#: to be right: an advisory can be the vendor's own or a third party's.
_TAGS: Final[Mapping[str, str]] = {
    "ARTICLE": "technical-description",
    "REPORT": "issue-tracking",
    "FIX": "patch",
    "PACKAGE": "product",
    "EVIDENCE": "exploit",
}
_REMEDY_TAGS: Final[Mapping[Remedy, str]] = {
    Remedy.FIX: "patch",
    Remedy.MITIGATION: "mitigation",
    Remedy.WORKAROUND: "mitigation",
}
_WORKAROUNDS: Final = frozenset({Remedy.MITIGATION, Remedy.WORKAROUND})
#: Where a range's end goes; a limit is an end that is not in the range.
_ENDS: Final[Mapping[Bound, str]] = {
    Bound.FIXED: "lessThan",
    Bound.LIMIT: "lessThan",
    Bound.LAST_AFFECTED: "lessThanOrEqual",
}
# Longest texts of the schema, and how long a short name is.
_TITLE, _TEXT, _VENDOR, _PRODUCT, _URL = 256, 4096, 512, 2048, 2048
_SHORT_NAME: Final = range(2, 33)


def record(
    advisory: Advisory, *, cve_id: str, assigner: str, reserved: datetime | None = None
) -> dict[str, Any]:
    """The whole record, as it is on the CVE list, ``assigner`` being an organisation's UUID.

    Raises :class:`Invalid` for what is no CVE identifier or UUID or not the advisory's, and what
    :func:`cna_container` raises.
    """
    if not CVE_ID.fullmatch(cve_id):
        raise Invalid("expected a CVE identifier, such as CVE-2026-12345", key="cve_id")
    if advisory.cve not in {None, cve_id}:
        raise Invalid(f"{advisory.id} is {advisory.cve}, not {cve_id}", key="cve_id")
    _require_org(assigner, "assigner")
    metadata: dict[str, Any] = {
        "cveId": cve_id,
        "assignerOrgId": assigner,
        "state": "PUBLISHED",
        "datePublished": _time(advisory.released),
        "dateUpdated": _time(advisory.current.at),
    }
    if advisory.publisher.cna_short_name and assigner == advisory.publisher.cna_org_id:
        metadata["assignerShortName"] = advisory.publisher.cna_short_name
    if reserved:
        metadata["dateReserved"] = _time(reserved)
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": DATA_VERSION,
        "cveMetadata": metadata,
        "containers": {"cna": cna_container(advisory)},
    }


def cna_container(advisory: Advisory) -> dict[str, Any]:
    """What a CNA sends to the programme for one identifier (``cnaPublishedContainer``).

    1. The publisher is a CNA.  2. The advisory stands: a withdrawn one is a rejected record, with
    other content.  3. There is a public reference, as the programme's rules ask.  Raises
    :class:`Refused` otherwise, and :class:`Invalid` for what has no place in the format.
    """
    provider = _provider(advisory)  # 1
    if advisory.withdrawn is not None:  # 2
        raise Refused(f"{advisory.id} is withdrawn: its CVE record is rejected, not published")
    references = _references(advisory)
    if not references:  # 3
        raise Refused(f"{advisory.id} has no reference: a CVE record needs one that is public")
    said = "\n\n".join(filter(None, (advisory.summary, advisory.details)))
    if not said:
        raise Invalid("describe the vulnerability", key="summary")
    leading = advisory.leading_score
    scores = sorted(advisory.scores, key=lambda score: score is not leading)
    optional: dict[str, Any] = {
        "title": _cut(advisory.title, _TITLE),
        "problemTypes": _unique(map(_problem, advisory.weaknesses)),
        "metrics": _unique(map(_metric, scores)),
        "credits": _unique(map(_credit, advisory.credits)),
        "solutions": _remedies(advisory, among=frozenset(Remedy) - _WORKAROUNDS),
        "workarounds": _remedies(advisory, among=_WORKAROUNDS),
        "timeline": _timeline(advisory),
    }
    return {
        "providerMetadata": provider,
        "datePublic": _time(advisory.released),
        "descriptions": [_said(said)],
        "affected": [_product(package) for package in advisory.packages],
        "references": references,
        "source": {"advisory": advisory.id},
        "x_versionRanges": [one for package in advisory.packages for one in _sources(package)],
        **{key: value for key, value in optional.items() if value},
    }


def rejected_container(
    advisory: Advisory, *, reason: str, replaced_by: Iterable[str] = ()
) -> dict[str, Any]:
    """What a CNA sends to have an identifier rejected (``cnaRejectedContainer``).

    ``replaced_by`` are the identifiers to use in its place.  Raises :class:`Refused` unless the
    advisory is withdrawn and its publisher is a CNA; :class:`Invalid` for what has no place in the
    format.
    """
    provider = _provider(advisory)
    if advisory.withdrawn is None:
        raise Refused(f"{advisory.id} stands: withdraw it before its CVE record is rejected")
    if not reason.strip():
        raise Invalid("say why the record is rejected", key="reason")
    found: dict[str, Any] = {"providerMetadata": provider, "rejectedReasons": [_said(reason)]}
    instead = list(dict.fromkeys(replaced_by))
    if not all(CVE_ID.fullmatch(one) for one in instead):
        raise Invalid("expected CVE identifiers, such as CVE-2026-12345", key="replaced_by")
    return found | ({"replacedBy": instead} if instead else {})


def _provider(advisory: Advisory) -> dict[str, str]:
    publisher = advisory.publisher
    if publisher.cna_org_id is None:
        raise Refused("a CVE record comes from a CNA: enter the publisher's organisation UUID")
    _require_org(publisher.cna_org_id, "cna_org_id")
    found = {"orgId": publisher.cna_org_id, "dateUpdated": _time(advisory.current.at)}
    if not publisher.cna_short_name:
        return found
    if len(publisher.cna_short_name) not in _SHORT_NAME:
        raise Invalid("expected a CNA's short name of 2 to 32 characters", key="cna_short_name")
    return found | {"shortName": publisher.cna_short_name}


def _product(package: AffectedPackage) -> dict[str, Any]:
    purl, ranges = package.purl, package.ranges
    name = name_of(purl)
    product = {
        "vendor": _cut(package.supplier, _VENDOR) or "unknown",
        "product": _cut(name, _PRODUCT),
        "packageName": _cut(name, _PRODUCT),
        # A property of 5.2.0, which 5.1.1 lets stand.
        "packageURL": without_version(purl),
        # Ranges speak of all versions; names one by one only of those named.
        "defaultStatus": "unaffected" if ranges.intervals else "unknown",
    }
    versions = _versions(ranges, purl.type)
    return product | ({"versions": versions} if versions else {})


def _versions(ranges: VersionRanges, kind: str) -> list[dict[str, str]]:
    """Versions named one by one, then ranges: the first entry that speaks of a version counts.

    So an undecided version inside an affected range stays unknown.  Versions that were run are
    inside the ranges made from them or outside, and are named only where there are no ranges.
    """
    named = {"unknown": ranges.undecided}
    if not ranges.intervals or ranges.source is RangeSource.DECLARED:
        named |= {"unaffected": ranges.unaffected, "affected": ranges.affected}
    single = [
        {"version": version, "status": status}
        for status, versions in named.items()
        for version in versions
    ]
    how = VERSION_TYPES.get(kind, "custom")
    return _unique([*single, *(_range(interval, how) for interval in ranges.intervals)])


def _range(interval: tuple[Event, ...], how: str) -> dict[str, str]:
    start, *end = interval
    found = {"version": start.version, "status": "affected", "versionType": how}
    if not end:
        return found | {"lessThan": "*"}
    return found | {_ENDS[end[0].bound]: end[0].version}


def _sources(package: AffectedPackage) -> list[dict[str, Any]]:
    """Whose the published ranges are, and those that stand beside them."""
    purl, published = without_version(package.purl), package.ranges
    found: list[dict[str, Any]] = [
        {"packageURL": purl, "source": published.source.value, "by": published.by}
    ]
    found += [
        {
            "packageURL": purl,
            "source": ranges.source.value,
            "by": ranges.by,
            "versions": _versions(ranges, package.purl.type),
        }
        for ranges in package.declared
        if ranges is not published
    ]
    return found


def _problem(weakness: int) -> dict[str, Any]:
    name = f"CWE-{weakness}"
    if not 0 < weakness < 100_000:
        raise Invalid("expected the number of a weakness in CWE", key=name)
    return {"descriptions": [{"lang": "en", "type": "CWE", "cweId": name, "description": name}]}


def _metric(score: Score) -> dict[str, Any]:
    parsed = parse(score.vector, key="scores")
    found: dict[str, Any] = {
        "version": parsed.version.value,
        "vectorString": parsed.vector,
        "baseScore": parsed.score,
    }
    if parsed.version is not Version.V2_0:  # which has no words for its scores
        found["baseSeverity"] = parsed.severity.upper()
    return {"format": "CVSS", f"cvssV{parsed.version.replace('.', '_')}": found}


def _references(advisory: Advisory) -> list[dict[str, Any]]:
    """The references and the pages of the remedies, each address once with all its tags."""
    tagged: dict[str, tuple[str, set[str]]] = {}
    for one in advisory.references:
        _, tags = tagged.setdefault(_address(one), (one.summary, set()))
        tags.update({_TAGS[one.kind]} if one.kind in _TAGS else ())
    for remedy in advisory.remediations:
        if remedy.url and remedy.kind in _REMEDY_TAGS:
            _, tags = tagged.setdefault(_address(Reference(remedy.url, "")), ("", set()))
            tags.add(_REMEDY_TAGS[remedy.kind])
    return [
        {"url": url}
        | ({"name": _cut(name, _VENDOR)} if name else {})
        | ({"tags": sorted(tags)} if tags else {})
        for url, (name, tags) in tagged.items()
    ]


def _address(reference: Reference) -> str:
    if not reference.url or len(reference.url) > _URL:
        raise Invalid(f"expected a web address of up to {_URL} characters", key="references")
    return reference.url


def _credit(credit: Credit) -> dict[str, str]:
    who = f"{credit.name}, {credit.organisation}" if credit.organisation else credit.name
    return {"lang": "en", "value": _cut(who, _TEXT), "type": credit.role.value}


def _remedies(advisory: Advisory, *, among: frozenset[Remedy]) -> list[dict[str, str]]:
    return _unique(
        _said(one.text) for one in advisory.remediations if one.text and one.kind in among
    )


def _timeline(advisory: Advisory) -> list[dict[str, str]]:
    happened = [(one.at, one.summary) for one in advisory.revisions if one.summary]
    if advisory.discovered:
        happened.append((advisory.discovered, "Discovered"))
    happened.sort(key=lambda one: one[0])
    return _unique(_said(what) | {"time": _time(at)} for at, what in happened)


def _said(text: str) -> dict[str, str]:
    return {"lang": "en", "value": _cut(text, _TEXT)}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 6].rstrip()} [...]"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _require_org(org_id: str, key: str) -> None:
    if not ORG_ID.fullmatch(org_id):
        raise Invalid("expected an organisation's UUID in the CVE programme", key=key)


def _unique(items: Iterable[dict[str, T]]) -> list[dict[str, T]]:
    """Each item once, as the schema's lists are sets."""
    found: list[dict[str, T]] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
