"""VEX read from OpenVEX and CycloneDX: published examples, our own writer, malformed ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats import cyclonedx_vex, openvex, openvex_reading
from clearhouse.formats.advisory import Claim
from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.vex import Product, VexDocument, purl_of
from tests.exposure.advisories import SHARED

AT = datetime(2023, 1, 8, 18, 2, 3, tzinfo=UTC)
GIT = "pkg:apk/wolfi/git@2.39.0-r1?arch=armv7"
STATEMENT: dict[str, Any] = {
    "vulnerability": {"name": "CVE-2023-12345", "aliases": ["GHSA-1"]},
    "products": [{"@id": GIT}],
    "status": "fixed",
}
OPENVEX: dict[str, Any] = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://openvex.dev/docs/example/vex-9fb3463de1b57",
    "author": "Wolfi J Inkinson",
    "timestamp": "2023-01-08T12:02:03-06:00",
    "version": 1,
    "statements": [STATEMENT],
}


def purl(text: str) -> PackageURL:
    return PackageURL.from_string(text)


def read(*statements: Any, **more: Any) -> VexDocument:
    raw = OPENVEX | ({"statements": list(statements)} if statements else {}) | more
    return openvex_reading.read(JsonValue(raw, "vex.json"))


def stated(**more: Any) -> VexDocument:
    return read(STATEMENT | more)


def test_a_statement_has_the_time_and_the_author_of_its_document() -> None:
    (one,) = read().statements
    assert one.ids == ("CVE-2023-12345", "GHSA-1")
    assert one.products == (Product(GIT, purl(GIT)),)
    assert (one.claim, one.at, one.author) == (Claim.FIXED, AT, "Wolfi J Inkinson")


def test_a_time_of_its_own_counts_more_the_latest_change_most() -> None:
    (one,) = stated(timestamp="2023-02-01T00:00:00Z").statements
    assert one.at == datetime(2023, 2, 1, tzinfo=UTC)
    (one,) = stated(
        timestamp="2023-02-01T00:00:00Z", last_updated="2023-03-01T00:00:00.647787998Z"
    ).statements
    assert one.at == datetime(2023, 3, 1, 0, 0, 0, 647787, tzinfo=UTC)


def test_a_product_is_known_by_each_of_its_package_urls() -> None:
    product = {"@id": "https://x/1", "identifiers": {"purl": "pkg:npm/a@1", "cpe23": "cpe:2.3:a"}}
    (one,) = stated(products=[product]).statements
    assert one.products == (Product("pkg:npm/a@1", purl("pkg:npm/a@1")),)
    (one,) = stated(products=[product | {"@id": "pkg:npm/b@1"}]).statements
    assert [each.name for each in one.products] == ["pkg:npm/b@1", "pkg:npm/a@1"]
    (one,) = stated(products=[{"@id": "https://x/1"}]).statements
    assert one.products == (Product("https://x/1"),)


def test_components_that_alone_are_meant_stay_with_their_product() -> None:
    part = Product("pkg:npm/c", purl("pkg:npm/c"))
    whole = Product("pkg:oci/x", purl("pkg:oci/x"), parts=(part,))
    (one,) = stated(
        products=[{"@id": "pkg:oci/x", "subcomponents": [{"@id": "pkg:npm/c"}]}]
    ).statements
    assert one.products == (whole,)
    # As in OpenVEX 0.0.1.
    (one,) = stated(
        vulnerability="CVE-1", products=["pkg:oci/x"], subcomponents=["pkg:npm/c"]
    ).statements
    assert (one.products, one.ids) == ((whole,), ("CVE-1",))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"status": "safe"}, "expected one of affected, fixed, not_affected, under_investigation"),
        ({"status": "not_affected"}, "is not affected without justification or impact_statement"),
        (
            {"status": "not_affected", "justification": "component_not_presnt"},
            "unknown justification; did you mean 'component_not_present'?",
        ),
        ({"products": []}, "names no product"),
        ({"products": [{}]}, "expected @id, or a purl among its identifiers"),
        ({"vulnerability": {}}, "expected name as text"),
        ({"vulnerability": None}, "expected a vulnerability"),
        ({"timestamp": "yesterday"}, "expected timestamp as a time of RFC 3339"),
        ({"products": "pkg:npm/a"}, "expected a list, found a text"),
    ],
)
def test_a_statement_that_must_not_stand_is_left_out_and_told_of(
    more: dict[str, Any], problem: str
) -> None:
    found = read(STATEMENT | more, STATEMENT)
    assert len(found.statements) == 1
    assert problem in str(found.problems[0])
    assert found.problems[0].place.startswith("statements[0]")


@pytest.mark.parametrize("key", ["@id", "author", "timestamp"])
def test_a_document_without_its_frame_is_refused(key: str) -> None:
    with pytest.raises(Invalid):
        openvex_reading.read(JsonValue({k: v for k, v in OPENVEX.items() if k != key}, "x"))


def test_what_our_own_writer_writes_is_read_as_it_was_meant() -> None:
    product = "pkg:pypi/flask@2.0.1"
    written = [
        openvex.Statement("CVE-1", ("GHSA-1",), product, Claim.AFFECTED, "before 2", "Update."),
        openvex.Statement("CVE-2", (), product, Claim.UNDER_INVESTIGATION, "no version"),
        openvex.Statement("CVE-3", (), product, Claim.FIXED, "patched"),
        openvex.Statement(
            "CVE-4", (), product, Claim.NOT_AFFECTED, "",
            justification="vulnerable_code_not_present", impact="left out",
        ),
    ]  # fmt: skip
    document = json.loads(json.dumps(openvex.document(written, author="us", at=AT)))
    found = openvex_reading.read(JsonValue(document, "x"))
    assert (found.id, found.author, found.at, found.problems) == (document["@id"], "us", AT, ())
    assert [(one.ids[0], one.claim, one.action) for one in found.statements] == [
        (one.vulnerability, one.claim, one.action) for one in written
    ]
    assert {one.products for one in found.statements} == {(Product(product, purl(product)),)}
    last = found.statements[-1]
    assert (last.justification, last.impact) == ("vulnerable_code_not_present", "left out")


def test_our_own_writer_does_not_write_what_openvex_refuses() -> None:
    with pytest.raises(Invalid, match="say why it is not affected"):
        openvex.Statement("CVE-1", (), "pkg:npm/a", Claim.NOT_AFFECTED, "")
    with pytest.raises(Invalid, match="say what to do about it"):
        openvex.Statement("CVE-1", (), "pkg:npm/a", Claim.AFFECTED, "")


@pytest.mark.parametrize(
    "text", ["", "flask", "pkg:", "pkg:npm", "pkg://[", "pkg:npm/" + "a" * 5000]
)
def test_what_is_no_package_url_is_none(text: str) -> None:
    assert purl_of(text) is None


SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"
BOM: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": f"urn:uuid:{SERIAL}",
    "version": 2,
    "metadata": {
        "timestamp": "2023-01-08T18:02:03Z",
        "supplier": {"name": "Acme"},
        "component": {"bom-ref": "app", "name": "app", "purl": "pkg:npm/app@1"},
    },
    "components": [
        {
            "bom-ref": "lib", "name": "lib", "purl": "pkg:npm/lib@1.2.3",
            "components": [{"bom-ref": "deep", "name": "deep", "purl": "pkg:npm/deep@4"}],
        },
        {"bom-ref": "bare", "name": "bare"},
    ],
}  # fmt: skip


def in_bom(affects: list[dict[str, Any]], **analysis: Any) -> VexDocument:
    vulnerability = {"id": "CVE-1", "analysis": analysis, "affects": affects}
    raw = BOM | {"vulnerabilities": [vulnerability | {"references": [{"id": "GHSA-1"}]}]}
    return cyclonedx_vex.read(JsonValue(raw, "bom.json"), name="x")


def test_a_component_is_known_by_its_reference_wherever_it_is_nested() -> None:
    link = f"urn:cdx:{SERIAL}/2#lib"
    refs = ["lib", "deep", "app", "bare", link, f"urn:cdx:{SERIAL}/1#lib", "absent"]
    found = in_bom(
        [{"ref": ref} for ref in refs],
        state="not_affected",
        justification="code_not_reachable",
        detail="never called",
        response=["will_not_fix"],
    )
    (one,) = found.statements
    assert [str(each.purl) if each.purl else None for each in one.products] == [
        "pkg:npm/lib@1.2.3", "pkg:npm/deep@4", "pkg:npm/app@1", None, "pkg:npm/lib@1.2.3", None,
        None,
    ]  # fmt: skip
    assert one.ids == ("CVE-1", "GHSA-1")
    assert (one.claim, one.justification) == (Claim.NOT_AFFECTED, "code_not_reachable")
    assert (one.impact, one.action, one.author) == ("never called", "will_not_fix", "Acme")
    assert (one.at, found.id, found.version) == (AT, f"urn:uuid:{SERIAL}", "2")


def test_versions_are_stated_one_by_one_and_by_their_own_status() -> None:
    versions = [
        {"version": "1.0", "status": "unaffected"},
        {"range": "vers:npm/>=2|<3", "status": "affected"},
        {"version": "4", "status": "unknown"},
        {"version": "5"},
    ]
    found = in_bom([{"ref": "lib", "versions": versions}], state="resolved")
    said = {
        (one.claim, str(each.purl), each.span) for one in found.statements for each in one.products
    }
    assert said == {
        (Claim.FIXED, "pkg:npm/lib@1.0", ""),
        (Claim.AFFECTED, "pkg:npm/lib", "vers:npm/>=2|<3"),
        (Claim.UNDER_INVESTIGATION, "pkg:npm/lib@4", ""),
        (Claim.FIXED, "pkg:npm/lib@5", ""),
    }


def test_a_version_of_what_is_elsewhere_is_not_taken_for_the_whole() -> None:
    link = "urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/1#lib"
    found = in_bom([{"ref": link, "versions": [{"version": "1"}]}], state="not_affected")
    assert found.statements[0].products == (Product(f"{link} 1"),)


def test_a_reference_of_two_components_names_none() -> None:
    twice = {"bom-ref": "lib", "name": "lib", "purl": "pkg:npm/other@1"}
    raw = BOM | {"components": [*BOM["components"], twice]}
    assert f"urn:cdx:{SERIAL}/2#lib" not in cyclonedx_vex.bom_links(JsonValue(raw, "x"))


@pytest.mark.parametrize(
    ("vulnerability", "problem"),
    [
        ({"analysis": {"state": "fine"}}, "expected one of resolved"),
        ({"analysis": {"state": "not_affected"}}, "affects no component"),
        ({"analysis": {"state": "resolved"}, "affects": [{"ref": "lib"}]}, "expected id as text"),
        ({"analysis": {"state": "resolved"}, "affects": [{}], "id": "X"}, "expected ref as text"),
        ({"analysis": []}, "expected an object"),
    ],
)
def test_a_malformed_analysis_is_left_out_and_told_of(
    vulnerability: dict[str, Any], problem: str
) -> None:
    raw = BOM | {"vulnerabilities": [vulnerability, {"id": "CVE-2"}]}
    found = cyclonedx_vex.read(JsonValue(raw, "bom.json"), name="x")
    assert found.statements == ()
    assert [problem in str(one) for one in found.problems] == [True]


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("affected", {Claim.AFFECTED: 1}),
        ("not-affected", {Claim.NOT_AFFECTED: 1}),
        ("case2", {Claim.NOT_AFFECTED: 19}),
        (
            "case3",
            {
                Claim.NOT_AFFECTED: 6,
                Claim.UNDER_INVESTIGATION: 5,
                Claim.AFFECTED: 5,
                Claim.FIXED: 3,
            },
        ),
        ("case8", {Claim.NOT_AFFECTED: 4, Claim.AFFECTED: 2, Claim.FIXED: 2}),
    ],
)
def test_published_examples_state_what_they_say(name: str, claims: dict[Claim, int]) -> None:
    path = SHARED / "data" / "sboms" / f"cdx-vex-{name}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name}: set CLEARHOUSE_SHARED to the folder of shared test data")
    found = cyclonedx_vex.read(JsonValue(json.loads(path.read_bytes()), name), name=name)
    assert found.problems == ()
    counted = {
        claim: sum(one.claim is claim for one in found.statements)
        for claim in {one.claim for one in found.statements}
    }
    assert counted == claims


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("pkg:npm/a@1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["vulnerability", "name", "products", "@id", "status", "identifiers", "purl", "id",
                 "analysis", "state", "affects", "ref", "versions", "components", "bom-ref",
                 "subcomponents", "references"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_anything_is_read_or_told_of(raw: object) -> None:
    read(raw)
    for document in (BOM | {"vulnerabilities": raw}, BOM | {"components": raw}):
        try:
            cyclonedx_vex.read(JsonValue(document, "x"), name="x")
        except Invalid:
            continue
