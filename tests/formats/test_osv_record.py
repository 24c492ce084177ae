"""OSV records: all are valid, what is written is read back, and what OSV cannot say is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packageurl import PackageURL

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Credit,
    CreditRole,
    RangeSource,
    Reference,
    VersionRanges,
)
from clearhouse.formats.osv import ECOSYSTEMS, Bound, Event
from clearhouse.formats.osv_reading import affected_of
from clearhouse.formats.osv_record import REFERENCE_TYPES, record_of
from tests.formats.advisories import ADVISORY, advisories, affected_packages

TEXT = {"type": "string"}
TIME = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
}
BOUNDS = ("introduced", "fixed", "last_affected", "limit")
COMMIT = {"pattern": "^(0|[a-f0-9]{40}|[a-f0-9]{64})$"}
CREDITS = [
    "FINDER",
    "REPORTER",
    "ANALYST",
    "COORDINATOR",
    "REMEDIATION_DEVELOPER",
    "REMEDIATION_REVIEWER",
    "REMEDIATION_VERIFIER",
    "TOOL",
    "SPONSOR",
    "OTHER",
]


def _has(event: str) -> dict[str, Any]:
    return {"properties": {"events": {"contains": {"required": [event]}}}}


RANGE = {
    "type": "object",
    "required": ["type", "events"],
    "properties": {
        "type": {"enum": ["GIT", "SEMVER", "ECOSYSTEM"]},
        "repo": TEXT,
        "events": {
            "type": "array",
            "minItems": 1,
            "contains": {"required": ["introduced"]},
            "items": {
                "minProperties": 1,
                "maxProperties": 1,
                "properties": dict.fromkeys(BOUNDS, TEXT),
                "additionalProperties": False,
            },
        },
    },
    "not": {"allOf": [_has("fixed"), _has("last_affected")]},
    "if": {"properties": {"type": {"const": "GIT"}}},
    "then": {
        "required": ["repo"],
        "properties": {"events": {"items": {"properties": dict.fromkeys(BOUNDS, COMMIT)}}},
    },
}
#: What the schema of OSV 1.7 asks of the parts that are written here, in short.
SCHEMA = {
    "type": "object",
    "required": ["id", "modified"],
    "additionalProperties": False,
    "properties": {
        "schema_version": {"type": "string", "pattern": r"^1\.7\.[0-9]+$"},
        "id": {"type": "string", "pattern": "^(x_|(GHSA|CVE|OSV|PYSEC)-)"},
        **dict.fromkeys(["modified", "published", "withdrawn"], TIME),
        **dict.fromkeys(["summary", "details"], TEXT),
        "aliases": {"type": "array", "items": TEXT},
        "severity": {
            "type": "array",
            "items": {
                "required": ["type", "score"],
                "oneOf": [
                    {"properties": {"type": {"const": kind}, "score": {"pattern": pattern}}}
                    for kind, pattern in {
                        "CVSS_V2": "^AV:[NAL]/AC:[LMH]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]",
                        "CVSS_V3": "^CVSS:3[.][01]/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:",
                        "CVSS_V4": "^CVSS:4[.]0/AV:[NALP]/AC:[LH]/AT:[NP]/PR:[NLH]/UI:[NPA]/VC:",
                    }.items()
                ],
            },
        },
        "affected": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "package": {
                        "type": "object",
                        "required": ["ecosystem", "name"],
                        "properties": {
                            "ecosystem": {
                                "enum": [
                                    "PyPI", "npm", "Go", "Maven", "RubyGems", "NuGet",
                                    "Packagist",
                                ]
                            },
                            "name": TEXT,
                            "purl": TEXT,
                        },
                    },
                    "ranges": {"type": "array", "items": RANGE},
                    "versions": {"type": "array", "items": TEXT},
                    "database_specific": {"type": "object"},
                },
            },
        },
        "references": {
            "type": "array",
            "items": {
                "required": ["type", "url"],
                "properties": {"type": {"enum": sorted(REFERENCE_TYPES)}, "url": TEXT},
            },
        },
        "credits": {
            "type": "array",
            "items": {
                "required": ["name"],
                "properties": {"name": TEXT, "type": {"enum": CREDITS}},
            },
        },
        "database_specific": {"type": "object"},
    },
}  # fmt: skip
VALID = Draft202012Validator(SCHEMA)
FIRST, SECOND = "a" * 40, "b" * 40


@given(advisories())
def test_every_record_is_valid(advisory: Advisory) -> None:
    record = record_of(advisory)
    assert list(VALID.iter_errors(record)) == []
    assert json.loads(json.dumps(record)) == record


@given(advisories(("pkg:pypi/demo", "pkg:npm/%40scope/demo")))
def test_what_is_written_is_read_back(advisory: Advisory) -> None:
    record = record_of(advisory)
    for kind, name in [("pypi", "demo"), ("npm", "@scope/demo")]:
        mine = [one.ranges for one in advisory.packages if one.purl.type == kind]
        if not mine:
            continue
        found = affected_of(record, kind=kind, name=name, same_name=str, where="record")
        written = {event for ranges in found.ranges for event in ranges}
        assert written == {event for one in mine for pair in one.intervals for event in pair}
        assert set(found.versions) == {version for one in mine for version in one.affected}


@given(affected_packages(), st.data())
def test_each_declared_range_stands_beside_the_executed_one(
    package: AffectedPackage, data: st.DataObject
) -> None:
    advisory = replace(data.draw(advisories()), packages=(package,))
    notes = record_of(advisory)["affected"][0]["database_specific"]
    assert notes["source"] == package.ranges.source.value
    beside = len(package.declared) if package.executed else len(package.declared) - 1
    assert len(notes.get("declared", [])) == beside


def made(purl: str, *intervals: tuple[str, str], versions: tuple[str, ...] = ()) -> Advisory:
    pairs = tuple(
        (Event(Bound.INTRODUCED, start), Event(Bound.FIXED, end)) for start, end in intervals
    )
    ranges = VersionRanges(RangeSource.EXECUTED, pairs, versions, by="sha256:11")
    package = AffectedPackage(PackageURL.from_string(purl), "Demo", ranges)
    return replace(ADVISORY, packages=(package,))


def test_a_c_library_is_named_by_its_commits_where_they_are_known() -> None:
    purl = "pkg:generic/demo?vcs_url=git%2Bhttps://example.org/demo.git%40v1"
    record = record_of(made(purl, (FIRST, SECOND), versions=("1.0",)))
    assert record["affected"][0]["ranges"] == [
        {
            "type": "GIT",
            "repo": "https://example.org/demo.git",
            "events": [{"introduced": FIRST}, {"fixed": SECOND}],
        }
    ]
    assert "package" not in record["affected"][0]
    assert list(VALID.iter_errors(record)) == []


def test_commits_that_end_in_different_ways_are_in_ranges_of_their_own() -> None:
    purl = "pkg:generic/demo?vcs_url=https://example.org/demo.git"
    package = made(purl, (FIRST, SECOND)).packages[0]
    last = (Event(Bound.INTRODUCED, "0"), Event(Bound.LAST_AFFECTED, "c" * 40))
    ranges = VersionRanges(RangeSource.DECLARED, (*package.ranges.intervals, last))
    record = record_of(replace(ADVISORY, packages=(replace(package, executed=ranges),)))
    assert [one["repo"] for one in record["affected"][0]["ranges"]] == [
        "https://example.org/demo.git"
    ] * 2
    assert list(VALID.iter_errors(record)) == []


def test_ranges_of_releases_of_a_c_library_are_no_git_ranges() -> None:
    purl = "pkg:generic/demo?vcs_url=git%2Bhttps://example.org/demo.git"
    entry = record_of(made(purl, ("1.0", "1.2"), versions=("1.0", "1.1")))["affected"][0]
    assert entry == {
        "versions": ["1.0", "1.1"],
        "database_specific": {
            "source": "executed",
            "by": "sha256:11",
            "purl": "pkg:generic/demo?vcs_url=git%2Bhttps://example.org/demo.git",
            "intervals": [{"introduced": "1.0", "fixed": "1.2"}],
        },
    }


def test_nothing_is_written_of_a_package_of_which_osv_can_say_nothing() -> None:
    with pytest.raises(Refused, match="no ecosystem for pkg:generic/demo"):
        record_of(made("pkg:generic/demo", ("1.0", "1.2")))


def test_go_versions_lose_their_letter() -> None:
    entry = record_of(
        made("pkg:golang/example.com/demo", ("v1.0.0", "v1.2.0"), versions=("v1.0.0",))
    )
    assert entry["affected"][0]["versions"] == ["1.0.0"]
    assert entry["affected"][0]["ranges"][0]["events"] == [
        {"introduced": "1.0.0"},
        {"fixed": "1.2.0"},
    ]
    assert entry["affected"][0]["package"]["name"] == "example.com/demo"


def test_identifiers_and_other_names() -> None:
    record = record_of(replace(ADVISORY, aliases=("GHSA-aaaa-bbbb-cccc", "CVE-2026-12345")))
    assert record["id"] == "x_CH-2026-0007"
    assert record["aliases"] == ["CVE-2026-12345", "GHSA-aaaa-bbbb-cccc"]
    assert record_of(replace(ADVISORY, id="OSV-2026-7"), prefix="")["id"] == "OSV-2026-7"


def test_a_withdrawn_advisory_says_since_when() -> None:
    at = datetime(2026, 9, 1, tzinfo=UTC)
    assert record_of(replace(ADVISORY, withdrawn=at))["withdrawn"] == "2026-09-01T00:00:00Z"
    assert "withdrawn" not in record_of(ADVISORY)


def test_credits_have_osvs_types() -> None:
    thanked = tuple(Credit("Sam", role, "Lab") for role in CreditRole)
    assert record_of(replace(ADVISORY, credits=thanked))["credits"] == [
        {"name": "Sam, Lab", "type": "FINDER"},
        {"name": "Sam, Lab", "type": "REMEDIATION_DEVELOPER"},
        {"name": "Sam, Lab", "type": "COORDINATOR"},
        {"name": "Sam, Lab", "type": "TOOL"},
    ]


def test_a_kind_of_reference_that_osv_does_not_know_is_invalid() -> None:
    strange = (Reference("https://example.org", "", "BLOG"),)
    with pytest.raises(Invalid, match="expected one of ADVISORY"):
        record_of(replace(ADVISORY, references=strange))


def test_each_ecosystem_has_a_way_to_order_versions() -> None:
    for kind in ECOSYSTEMS:
        namespace = "org.example/" if kind == "maven" else ""
        record = record_of(made(f"pkg:{kind}/{namespace}demo", ("1.0.0", "1.2.0")))
        assert record["affected"][0]["ranges"][0]["type"] in {"SEMVER", "ECOSYSTEM"}
        assert list(VALID.iter_errors(record)) == []
