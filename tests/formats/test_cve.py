"""CVE records: all are valid by the programme's schemas, and say what the advisory says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import assume, given
from jsonschema import Draft7Validator

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import (
    Advisory,
    Publisher,
    RangeSource,
    Reference,
    Remediation,
    Remedy,
    VersionRanges,
)
from clearhouse.formats.cve import cna_container, record, rejected_container
from clearhouse.formats.osv import Bound, Event
from tests.formats.advisories import ADVISORY, advisories

ORG = "8254265b-2729-46b6-b9e3-3dfca2d5bfca"
CVE = "CVE-2026-12345"


def schema(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads(files("cvelib").joinpath("schemas", name).read_text()))


CONTAINER = schema("CVE_JSON_cnaPublishedContainer_5.1.1.json")
RECORD = schema("CVE_JSON_bundled_5.1.1.json")
REJECTED = schema("CVE_JSON_cnaRejectedContainer_5.1.1.json")
WITHDRAWN = replace(ADVISORY, withdrawn=datetime(2026, 9, 1, tzinfo=UTC))


@pytest.mark.slow
@given(advisories())
def test_every_record_is_valid_by_the_programmes_schemas(advisory: Advisory) -> None:
    published = replace(
        advisory, withdrawn=None, references=advisory.references or ADVISORY.references
    )
    container = cna_container(published)
    whole = record(published, cve_id=CVE, assigner=ORG, reserved=published.discovered)
    assert list(CONTAINER.iter_errors(container)) == []
    assert list(RECORD.iter_errors(whole)) == []
    assert whole["containers"]["cna"] == container
    assert json.loads(json.dumps(whole)) == whole


@given(advisories())
def test_executed_ranges_win_and_every_declared_one_stands_beside(advisory: Advisory) -> None:
    assume(advisory.references)
    container = cna_container(replace(advisory, withdrawn=None))
    beside = container["x_versionRanges"]
    expected = [
        (ranges.source.value, ranges.by)
        for package in advisory.packages
        for ranges in [package.executed, *package.declared]
        if ranges is not None
    ]
    assert [(one["source"], one["by"]) for one in beside] == expected
    for package, product in zip(advisory.packages, container["affected"], strict=True):
        ends = [
            one
            for one in product.get("versions", [])
            if one.keys() & {"lessThan", "lessThanOrEqual"}
        ]
        assert len(ends) == len(set(package.ranges.intervals))


def test_what_a_record_says() -> None:
    container = cna_container(ADVISORY)
    assert container["affected"] == [
        {
            "vendor": "Demo project",
            "product": "demo",
            "packageName": "demo",
            "packageURL": "pkg:pypi/demo",
            "defaultStatus": "unaffected",
            "versions": [
                {"version": "1.1.1", "status": "unknown"},
                {"version": "0", "status": "affected", "versionType": "python", "lessThan": "1.2"},
                {
                    "version": "2.0",
                    "status": "affected",
                    "versionType": "python",
                    "lessThanOrEqual": "2.4",
                },
            ],
        }
    ]
    assert container["x_versionRanges"] == [
        {"packageURL": "pkg:pypi/demo", "source": "executed", "by": "sha256:11"},
        {
            "packageURL": "pkg:pypi/demo",
            "source": "declared",
            "by": "GHSA-aaaa-bbbb-cccc",
            "versions": [
                {"version": "0", "status": "affected", "versionType": "python", "lessThan": "*"}
            ],
        },
    ]
    # The supplier's own score comes first; version 2.0 has no word for its score.
    assert [list(one)[1] for one in container["metrics"]] == ["cvssV3_1", "cvssV2_0"]
    assert container["metrics"][0]["cvssV3_1"]["baseSeverity"] == "HIGH"
    assert container["problemTypes"][0]["descriptions"][0]["cweId"] == "CWE-125"
    assert container["references"] == [
        {"url": "https://example.org/1", "name": "The change", "tags": ["patch"]},
        {"url": "https://example.org/1.2", "tags": ["patch"]},
    ]
    assert container["credits"] == [
        {"lang": "en", "value": "Sam Example, Example lab", "type": "finder"}
    ]
    assert container["solutions"] == [{"lang": "en", "value": "Update to 1.2"}]
    assert container["workarounds"] == [{"lang": "en", "value": "Refuse empty input"}]
    assert [one["time"] for one in container["timeline"]] == [
        "2026-05-01T00:00:00.000Z",
        "2026-08-01T12:00:00.000Z",
    ]


def test_versions_named_one_by_one_leave_the_others_unknown() -> None:
    ranges = VersionRanges(RangeSource.EXECUTED, (), ("1.0",), ("1.1",), ("1.2",))
    package = replace(ADVISORY.packages[0], executed=ranges)
    product: Any = cna_container(replace(ADVISORY, packages=(package,)))["affected"][0]
    assert product["defaultStatus"] == "unknown"
    assert {one["version"]: one["status"] for one in product["versions"]} == {
        "1.2": "unknown",
        "1.1": "unaffected",
        "1.0": "affected",
    }


def test_a_reference_given_twice_is_there_once_with_both_tags() -> None:
    twice = (
        Reference("https://example.org/1", "A"),
        Reference("https://example.org/1", "B", "FIX"),
    )
    fixed = Remediation(Remedy.WORKAROUND, "Wait", "https://example.org/1")
    advisory = replace(ADVISORY, references=twice, remediations=(fixed,))
    assert cna_container(advisory)["references"] == [
        {"url": "https://example.org/1", "name": "A", "tags": ["mitigation", "patch"]}
    ]


def test_long_texts_are_cut_where_the_schema_ends_and_say_so() -> None:
    container = cna_container(replace(ADVISORY, details="word " * 2000, title="t" * 300))
    assert container["descriptions"][0]["value"].endswith(" [...]")
    assert len(container["descriptions"][0]["value"]) <= 4096
    assert len(container["title"]) == 256


def test_only_a_cna_can_publish() -> None:
    nobody = replace(ADVISORY, publisher=Publisher("Example", "https://example.org"))
    with pytest.raises(Refused, match="comes from a CNA"):
        cna_container(nobody)


def test_a_withdrawn_advisory_is_rejected_and_not_published() -> None:
    with pytest.raises(Refused, match="withdrawn"):
        cna_container(WITHDRAWN)
    rejected = rejected_container(WITHDRAWN, reason="A duplicate.", replaced_by=["CVE-2026-1111"])
    assert list(REJECTED.iter_errors(rejected)) == []
    assert rejected["replacedBy"] == ["CVE-2026-1111"]
    assert list(REJECTED.iter_errors(rejected_container(WITHDRAWN, reason="No flaw."))) == []


def test_what_stands_is_not_rejected_and_a_rejection_has_a_reason() -> None:
    with pytest.raises(Refused, match="stands"):
        rejected_container(ADVISORY, reason="A duplicate.")
    with pytest.raises(Invalid, match="say why"):
        rejected_container(WITHDRAWN, reason=" ")
    with pytest.raises(Invalid, match="CVE identifiers"):
        rejected_container(WITHDRAWN, reason="A duplicate.", replaced_by=["GHSA-aaaa-bbbb-cccc"])


def test_a_record_needs_a_public_reference() -> None:
    with pytest.raises(Refused, match="reference"):
        cna_container(replace(ADVISORY, references=(), remediations=()))


@pytest.mark.parametrize("cve_id", ["", "CVE-26-1", "CVE-2026-123", "CVE-2026-12345\n"])
def test_what_is_no_identifier_is_invalid(cve_id: str) -> None:
    with pytest.raises(Invalid, match="CVE identifier"):
        record(ADVISORY, cve_id=cve_id, assigner=ORG)


def test_an_advisory_has_one_identifier() -> None:
    with pytest.raises(Invalid, match="is CVE-2026-12345, not CVE-2026-9999"):
        record(ADVISORY, cve_id="CVE-2026-9999", assigner=ORG)
    whole = record(replace(ADVISORY, cve=None), cve_id="CVE-2026-9999", assigner=ORG)
    assert whole["cveMetadata"]["assignerShortName"] == "example"


def test_a_limit_ends_a_range_as_a_fix_does() -> None:
    span = (Event(Bound.INTRODUCED, "1"), Event(Bound.LIMIT, "2"))
    ranges = VersionRanges(RangeSource.DECLARED, (span,))
    package = replace(ADVISORY.packages[0], executed=None, declared=(ranges,))
    product: Any = cna_container(replace(ADVISORY, packages=(package,)))["affected"][0]
    assert product["versions"][0]["lessThan"] == "2"


def test_what_has_no_place_in_the_format_is_invalid() -> None:
    with pytest.raises(Invalid, match="describe"):
        cna_container(replace(ADVISORY, summary="", details=""))
    long = Publisher("Example", "https://example.org", "", ORG, "e" * 33)
    with pytest.raises(Invalid, match="2 to 32"):
        cna_container(replace(ADVISORY, publisher=long))
    with pytest.raises(Invalid, match="UUID"):
        record(ADVISORY, cve_id=CVE, assigner="example")
    with pytest.raises(Invalid, match="CWE"):
        cna_container(replace(ADVISORY, weaknesses=(0,)))
    with pytest.raises(Invalid, match="web address"):
        cna_container(replace(ADVISORY, references=(Reference("https://" + "e" * 2048, ""),)))
    package = replace(ADVISORY.packages[0], executed=None, declared=())
    with pytest.raises(Invalid, match="affected versions"):
        cna_container(replace(ADVISORY, packages=(package,)))
