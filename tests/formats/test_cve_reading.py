"""CVE records, read: those we write, CISA's part, and malformed ones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats import cve, cve_reading
from clearhouse.formats.cve_adp import KevReference, Ssvc
from clearhouse.formats.cve_reading import CveRecord, Metric, Status, Versions
from clearhouse.formats.json_value import JsonValue
from tests.formats.advisories import ADVISORY

SSVC: dict[str, Any] = {
    "id": "CVE-2024-3400",
    "role": "CISA Coordinator",
    "options": [{"Exploitation": "active"}, {"Automatable": "yes"}, {"Technical Impact": "total"}],
    "version": "2.0.3",
    "timestamp": "2024-04-17T04:00:13.543064Z",
}
KEV = {"dateAdded": "2024-04-12", "reference": "https://www.cisa.gov/kev?field_cve=CVE-2024-3400"}
#: As CISA publishes CVE-2024-3400, cut down.
RECORD: dict[str, Any] = {
    "dataType": "CVE_RECORD",
    "dataVersion": "5.1",
    "cveMetadata": {
        "cveId": "CVE-2024-3400",
        "state": "PUBLISHED",
        "datePublished": "2024-04-12T07:20:00.707Z",
        "dateUpdated": "2025-07-28T19:43:22",
    },
    "containers": {
        "cna": {
            "providerMetadata": {"shortName": "palo_alto", "dateUpdated": "2024-04-19T22:27:27Z"},
            "title": "PAN-OS: OS Command Injection",
            "affected": [
                {
                    "vendor": "Palo Alto Networks",
                    "product": "PAN-OS",
                    "defaultStatus": "unaffected",
                    "versions": [
                        {"version": "9.0.0", "status": "unaffected"},
                        {
                            "version": "10.2.0",
                            "status": "affected",
                            "lessThan": "10.2.9-h1 ",
                            "versionType": "custom",
                            "changes": [{"at": "10.2.9-h1", "status": "unaffected"}],
                        },
                    ],
                }
            ],
            "metrics": [
                {
                    "format": "CVSS",
                    "cvssV3_1": {
                        "version": "3.1",
                        "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
                        "baseScore": 10,
                    },
                }
            ],
            "problemTypes": [{"descriptions": [{"cweId": "CWE-77", "lang": "en"}]}],
        },
        "adp": [
            {"providerMetadata": {"shortName": "CVE"}, "title": "CVE Program Container"},
            {
                "providerMetadata": {"shortName": "CISA-ADP"},
                "metrics": [
                    {"other": {"type": "ssvc", "content": SSVC}},
                    {"other": {"type": "kev", "content": KEV}},
                    {"other": {"type": "something", "content": {}}},
                ],
            },
        ],
    },
}


def read(raw: object) -> CveRecord:
    return cve_reading.read(JsonValue(raw, "cve.json"))


def changed(**more: Any) -> dict[str, Any]:
    """The record with another container of CISA's."""
    cisa = {"providerMetadata": {"shortName": "CISA-ADP"}, **more}
    return RECORD | {"containers": {"adp": [cisa]}}


def test_cisas_part_has_decision_points_and_the_listing() -> None:
    found = read(RECORD)
    assert [one.provider for one in found.containers] == ["palo_alto", "CVE", "CISA-ADP"]
    at = datetime(2024, 4, 17, 4, 0, 13, 543064, tzinfo=UTC)
    cisa = found.containers[2]
    assert cisa.ssvc == (Ssvc("active", "yes", "total", "CISA Coordinator", "2.0.3", at),)
    assert cisa.kev == (KevReference(date(2024, 4, 12), KEV["reference"]),)
    assert found.updated == datetime(2025, 7, 28, 19, 43, 22, tzinfo=UTC)
    assert found.problems == ()


def test_affected_versions_keep_their_ends_and_changes() -> None:
    (cna, *_) = read(RECORD).containers
    (product,) = cna.affected
    assert product.default is Status.UNAFFECTED
    assert product.versions == (
        Versions("9.0.0", Status.UNAFFECTED),
        Versions(
            "10.2.0", Status.AFFECTED, "10.2.9-h1", None, "custom",
            (("10.2.9-h1", Status.UNAFFECTED),),
        ),
    )  # fmt: skip
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"
    assert cna.metrics == (Metric("3.1", vector, 10.0),)
    assert cna.cwe_ids == ("CWE-77",)


def test_what_is_not_given_of_ssvc_is_not_known() -> None:
    content = {"options": [{"Exploitation": "Public PoC"}, {"Mission Prevalence": "support"}]}
    found = read(changed(metrics=[{"other": {"type": "ssvc", "content": content}}]))
    (ssvc,) = found.containers[0].ssvc
    assert (ssvc.exploitation, ssvc.automatable, ssvc.technical_impact) == ("poc", None, None)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {
                "metrics": [
                    {"other": {"type": "ssvc", "content": {"options": [{"Automatable": 1}]}}}
                ]
            },
            "containers.adp[0].metrics[0].other.content.options[0]: expected Automatable as one"
            " of no, yes",
        ),
        (
            {"metrics": [{"other": {"type": "kev", "content": {"dateAdded": "soon"}}}]},
            "containers.adp[0].metrics[0].other.content: expected dateAdded as a day, such as"
            " 2026-11-22",
        ),
        (
            {"metrics": [{"cvssV3_1": {"vectorString": "x", "baseScore": 11}}]},
            "containers.adp[0].metrics[0].cvssV3_1: expected baseScore as a number from 0 to 10",
        ),
        (
            {"affected": [{"versions": [{"version": "1", "status": "odd"}]}]},
            "containers.adp[0].affected[0].versions[0]: expected status as one of affected,"
            " unaffected, unknown",
        ),
        ({"metrics": 3}, "containers.adp[0].metrics: expected a list, found a number"),
    ],
)
def test_a_malformed_part_is_left_out_and_told_of(more: dict[str, Any], problem: str) -> None:
    assert [str(one) for one in read(changed(**more)).problems] == [problem]


@pytest.mark.parametrize("raw", [{}, {"cveMetadata": {}}, {"cveMetadata": {"cveId": "CVE-x"}}, []])
def test_a_record_of_nothing_is_refused(raw: object) -> None:
    with pytest.raises(Invalid):
        read(raw)


def test_what_we_write_is_read_again() -> None:
    assigner = ADVISORY.publisher.cna_org_id or ""
    written = cve.record(ADVISORY, cve_id=ADVISORY.cve or "", assigner=assigner)
    found = read(json.loads(json.dumps(written)))
    assert (found.id, found.state, found.problems) == (ADVISORY.cve, "PUBLISHED", ())
    (cna,) = found.containers
    assert len(cna.affected) == len(ADVISORY.packages)
    assert all(one.purl is not None and one.versions for one in cna.affected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["affected", "metrics", "other", "type", "content", "options", "versions",
                 "version", "status", "providerMetadata", "cvssV3_1", "baseScore", "vectorString",
                 "problemTypes", "descriptions", "packageURL", "changes"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_container_is_read_or_told_of(raw: object) -> None:
    read(RECORD | {"containers": {"cna": raw, "adp": [raw]}})
