"""CVE records, read: what the CNA and others (ADP) say, each with who says it.

CVE record format 5.0 to 5.2.  CISA's container (Vulnrichment) carries SSVC decision points and the
listing in KEV under ``metrics[].other``.  A part that is malformed is left out and told of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.cve import CVE_ID
from clearhouse.formats.cve_adp import KevReference, Ssvc, kev, ssvc, time_of
from clearhouse.formats.json_value import JsonValue, Problem, read_each
from clearhouse.formats.vex import purl_of

_CVSS: Final = ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0")


class Status(StrEnum):
    """What is said of a version."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Versions:
    """A version, or those from it on up to an end, with changes of status between."""

    first: str
    status: Status
    less_than: str | None = None
    less_than_or_equal: str | None = None
    type: str = ""
    changes: tuple[tuple[str, Status], ...] = ()
    """From which version on the status is another."""


@dataclass(frozen=True, slots=True)
class Product:
    """One product of ``affected``."""

    vendor: str
    name: str
    package: str
    collection: str
    """Where the package is published."""
    purl: PackageURL | None
    cpes: tuple[str, ...]
    default: Status
    """Of versions that no entry names."""
    versions: tuple[Versions, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A score in CVSS."""

    version: str
    vector: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Container:
    """What one party says."""

    provider: str
    """Its short name, or identifier where it gives none."""
    updated: datetime | None
    title: str
    affected: tuple[Product, ...]
    metrics: tuple[Metric, ...]
    ssvc: tuple[Ssvc, ...]
    kev: tuple[KevReference, ...]
    cwe_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CveRecord:
    """One record."""

    id: str
    state: str
    """``PUBLISHED``, ``REJECTED`` or ``RESERVED``."""
    published: datetime | None
    updated: datetime | None
    containers: tuple[Container, ...]
    """The CNA's first."""
    problems: tuple[Problem, ...]


def read(document: JsonValue) -> CveRecord:
    """Read a record.  Raises Invalid where its frame is malformed."""
    metadata = document.get("cveMetadata")
    if metadata is None:
        raise document.wrong("expected cveMetadata")
    identifier = metadata.text_at("cveId") or ""
    if not CVE_ID.fullmatch(identifier):
        raise metadata.wrong("expected cveId as a CVE identifier")
    problems: list[Problem] = []
    containers = document.get("containers")
    found: list[Container] = []
    if containers is not None:
        cna = containers.get("cna")
        given = [*([cna] if cna is not None else []), *containers.listed("adp")]
        found = read_each(given, lambda one: _container(one, problems), problems)
    return CveRecord(
        identifier,
        metadata.text_at("state") or "",
        time_of(metadata.text_at("datePublished")),
        time_of(metadata.text_at("dateUpdated")),
        tuple(found),
        tuple(problems),
    )


def _container(one: JsonValue, problems: list[Problem]) -> Container:
    provider = one.get("providerMetadata")
    who = provider.text_at("shortName") or provider.text_at("orgId") if provider else None
    metrics = [*one.listed("metrics")]
    others = [other for each in metrics if (other := _member(each, "other")) is not None]
    scored = [score for each in metrics for key in _CVSS if (score := _member(each, key))]
    return Container(
        who or "",
        time_of(provider.text_at("dateUpdated")) if provider else None,
        one.text_at("title") or "",
        tuple(read_each(one.listed("affected"), _product, problems)),
        tuple(read_each(scored, _metric, problems)),
        tuple(read_each(_content(others, "ssvc"), ssvc, problems)),
        tuple(read_each(_content(others, "kev"), kev, problems)),
        tuple(dict.fromkeys(_weaknesses(one))),
    )


def _member(one: JsonValue, key: str) -> JsonValue | None:
    return one.get(key) if isinstance(one.raw, dict) else None


def _content(others: list[JsonValue], kind: str) -> Iterator[JsonValue]:
    for one in others:
        content = _member(one, "content")
        if content is not None and str(one.table().get("type")).lower() == kind:
            yield content


def _product(one: JsonValue) -> Product:
    return Product(
        one.text_at("vendor") or "",
        one.text_at("product") or "",
        one.text_at("packageName") or "",
        one.text_at("collectionURL") or "",
        purl_of(one.text_at("packageURL") or ""),
        tuple(each.text() for each in one.listed("cpes")),
        _status(one, "defaultStatus", Status.UNKNOWN),
        tuple(_versions(each) for each in one.listed("versions")),
    )


def _versions(one: JsonValue) -> Versions:
    first = one.text_at("version")
    if first is None:
        raise one.wrong("expected version as text")
    changes = ((each, each.text_at("at")) for each in one.listed("changes"))
    return Versions(
        first.strip(),
        _status(one, "status", Status.UNKNOWN),
        _stripped(one.text_at("lessThan")),
        _stripped(one.text_at("lessThanOrEqual")),
        one.text_at("versionType") or "",
        tuple((at.strip(), _status(each, "status", Status.UNKNOWN)) for each, at in changes if at),
    )


def _stripped(text: str | None) -> str | None:
    return text.strip() if text is not None else None


def _status(one: JsonValue, key: str, otherwise: Status) -> Status:
    found = one.text_at(key)
    if found is None:
        return otherwise
    if found not in set(Status):
        raise one.wrong(f"expected {key} as one of {', '.join(Status)}")
    return Status(found)


def _metric(one: JsonValue) -> Metric:
    vector, score = one.text_at("vectorString"), one.table().get("baseScore")
    if not vector:
        raise one.wrong("expected vectorString as text")
    if score is None:
        return Metric(one.text_at("version") or "", vector, None)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 10:
        raise one.wrong("expected baseScore as a number from 0 to 10")
    return Metric(one.text_at("version") or "", vector, float(score))


def _weaknesses(one: JsonValue) -> Iterator[str]:
    """Identifiers in CWE; other weaknesses are texts."""
    try:
        for problem in one.listed("problemTypes"):
            for each in problem.listed("descriptions"):
                cwe = each.text_at("cweId")
                if cwe:
                    yield cwe
    except Invalid:
        return
