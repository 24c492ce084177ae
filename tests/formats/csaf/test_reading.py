"""What CSAF documents state: the official ones, our own, and trees of all shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import Claim
from clearhouse.formats.csaf import reading, writer
from clearhouse.formats.csaf.writer import Statement
from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.vex import Product, VexDocument
from tests.exposure.advisories import SHARED
from tests.formats.csaf.advisories import ADVISORY, statements

HEAD: dict[str, Any] = {
    "category": "csaf_vex",
    "csaf_version": "2.0",
    "publisher": {"category": "vendor", "name": "Acme", "namespace": "https://acme.example"},
    "tracking": {
        "id": "ACME-1",
        "current_release_date": "2026-01-01T00:00:00Z",
        "version": "1",
    },
}


def purl(text: str) -> PackageURL:
    return PackageURL.from_string(text)


def product(identifier: str, *purls: str) -> dict[str, Any]:
    helper = {"purl": purls[0]} if len(purls) == 1 else {"purls": list(purls)}
    return {
        "product_id": identifier,
        "name": identifier,
        **({"product_identification_helper": helper} if purls else {}),
    }


def read(tree: dict[str, Any], vulnerability: dict[str, Any]) -> VexDocument:
    raw = {
        "document": HEAD,
        "product_tree": tree,
        "vulnerabilities": [{"cve": "CVE-2026-1", **vulnerability}],
    }
    return reading.read(JsonValue(raw, "csaf.json"))


def known(tree: dict[str, Any], identifier: str = "P") -> tuple[Product, ...]:
    """The products that are stated not to be affected."""
    found = read(tree, {"product_status": {"known_not_affected": [identifier]}})
    return found.statements[0].products


def test_flags_threats_and_remediations_are_said_of_their_products_and_groups() -> None:
    tree = {
        "full_product_names": [product("A", "pkg:npm/a@1"), product("B", "pkg:npm/b@1")],
        "product_groups": [{"group_id": "G", "product_ids": ["A", "B"]}],
    }
    found = read(
        tree,
        {
            "ids": [{"system_name": "Acme", "text": "ACME-7"}],
            "product_status": {
                "known_not_affected": ["A"], "known_affected": ["B"], "recommended": ["A"],
            },
            "flags": [{"label": "vulnerable_code_not_present", "group_ids": ["G"]}],
            "threats": [
                {"category": "impact", "details": "left out", "product_ids": ["A"]},
                {"category": "exploit_status", "details": "none", "product_ids": ["A"]},
            ],
            "remediations": [
                {"category": "vendor_fix", "details": "Update.", "product_ids": ["B"]},
                {"category": "mitigation", "details": "Unplug.", "group_ids": ["G"]},
            ],
        },
    )  # fmt: skip
    affected, safe = sorted(found.statements, key=lambda one: one.claim)
    assert (safe.claim, safe.justification) == (Claim.NOT_AFFECTED, "vulnerable_code_not_present")
    assert (safe.impact, safe.action) == ("left out", "")
    assert (affected.claim, affected.action) == (Claim.AFFECTED, "Update.; Unplug.")
    assert (affected.justification, affected.ids) == ("", ("CVE-2026-1", "ACME-7"))
    assert (found.id, safe.author) == ("https://acme.example ACME-1", "Acme")


def test_a_version_in_the_branchs_name_is_the_products() -> None:
    branch = {"category": "product_version", "name": "1.2", "product": product("P", "pkg:npm/a")}
    tree = {"branches": [{"category": "vendor", "name": "v", "branches": [branch]}]}
    assert known(tree) == (Product("pkg:npm/a", purl("pkg:npm/a@1.2")),)
    branch |= {"category": "product_version_range", "name": "vers:npm/<2"}
    assert known(tree) == (Product("pkg:npm/a", purl("pkg:npm/a"), "vers:npm/<2"),)
    branch |= {"category": "product_name", "name": "a"}
    assert known(tree) == (Product("pkg:npm/a", purl("pkg:npm/a")),)


def test_a_component_is_stated_of_inside_its_platform_alone() -> None:
    tree = {
        "full_product_names": [product("C", "pkg:rpm/redhat/c@1"), product("OS", "pkg:oci/os")],
        "relationships": [
            {
                "category": "default_component_of",
                "product_reference": "C",
                "relates_to_product_reference": "OS",
                "full_product_name": product("P"),
            },
            {
                "category": "installed_on",
                "product_reference": "P",
                "relates_to_product_reference": "absent",
                "full_product_name": product("Q"),
            },
        ],
    }
    part = Product("pkg:rpm/redhat/c@1", purl("pkg:rpm/redhat/c@1"))
    assert known(tree) == (Product("pkg:oci/os", purl("pkg:oci/os"), parts=(part,)),)
    assert known(tree, "Q") == (Product("absent", parts=(Product("P"),)),)


def test_components_of_components_without_end_are_read_in_a_moment() -> None:
    links = [
        {
            "product_reference": f"P{number}",
            "relates_to_product_reference": f"P{number}",
            "full_product_name": product(f"P{number + 1}"),
        }
        for number in range(5000)
    ]
    tree = {"full_product_names": [product("P0", "pkg:npm/a", "pkg:npm/b")], "relationships": links}
    assert known(tree, "P5000")[0] == Product("P4999", parts=(Product("P4999"),) * 2)


def test_groups_cannot_make_much_of_little() -> None:
    ids = [f"P{number}" for number in range(3000)]
    tree = {
        "full_product_names": [product(one) for one in ids],
        "product_groups": [{"group_id": "G", "product_ids": ids}],
    }
    flags = [{"label": "component_not_present", "group_ids": ["G"]}] * 1000
    found = read(tree, {"product_status": {"known_not_affected": ids}, "flags": flags})
    assert found.statements == ()
    assert "says label of more than 2,000,000" in str(found.problems[0])


def test_a_product_of_csaf_2_1_has_several_package_urls() -> None:
    tree = {"full_product_names": [product("P", "pkg:npm/a@1", "pkg:npm/b@1", "no purl")]}
    assert [one.name for one in known(tree)] == ["pkg:npm/a@1", "pkg:npm/b@1"]
    assert known({"full_product_names": [product("P")]}) == (Product("P"),)


def test_what_is_wrong_with_one_vulnerability_takes_nothing_with_it() -> None:
    raw = {
        "document": HEAD,
        "product_tree": {"full_product_names": [product("P", "pkg:npm/a@1")]},
        "vulnerabilities": [
            {"product_status": {"fixed": ["P"]}},
            {"cve": "CVE-1", "product_status": {"fixed": ["P", "absent"]}},
            {"cve": "CVE-2", "product_status": {"fixed": "P"}},
        ],
    }
    found = reading.read(JsonValue(raw, "csaf.json"))
    assert [one.ids for one in found.statements] == [("CVE-1",)]
    assert list(map(str, found.problems)) == [
        "vulnerabilities[0]: names no vulnerability: neither cve nor ids",
        "vulnerabilities[1].product_status.fixed[1]: is no product of the tree",
        "vulnerabilities[2].product_status.fixed: expected a list, found a text",
    ]


@pytest.mark.parametrize("key", ["publisher", "tracking"])
def test_a_document_without_its_frame_is_refused(key: str) -> None:
    raw = {"document": {name: one for name, one in HEAD.items() if name != key}}
    with pytest.raises(Invalid, match=f"expected {key}"):
        reading.read(JsonValue(raw, "csaf.json"))


@settings(max_examples=50)
@given(statements())
def test_what_our_own_writer_states_is_read_as_it_was_meant(meant: list[Statement]) -> None:
    document = json.loads(json.dumps(writer.vex(ADVISORY, meant)))
    found = reading.read(JsonValue(document, "csaf.json"))
    assert found.problems == ()
    read_back = {
        (str(each.purl), each.span, one.claim, one.justification, one.impact)
        for one in found.statements
        for each in one.products
    }
    assert read_back == {
        (str(one.purl), one.span, one.claim, one.justification or "", one.impact) for one in meant
    }
    assert all(ADVISORY.cve in one.ids for one in found.statements if ADVISORY.cve)


@pytest.mark.parametrize(("edition", "least"), [("csaf_2.0", 40), ("csaf_2.1", 45)])
def test_every_official_document_is_read_or_refused(edition: str, least: int) -> None:
    folder = SHARED / "data" / "csaf" / edition
    if not folder.is_dir():
        pytest.skip(f"no {edition}: set CLEARHOUSE_SHARED to the folder of shared test data")
    stated = 0
    for path in sorted(folder.rglob("*csaf_tc-csaf*[0-9].json")):
        raw = json.loads(path.read_bytes())
        try:
            stated += len(reading.read(JsonValue(raw, path.name)).statements)
        except Invalid:
            continue
    assert stated > least


JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["P", "Q", "pkg:npm/a@1", "product_version"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["branches", "product", "product_id", "category", "name", "relationships",
                 "full_product_names", "product_identification_helper", "purl", "product_groups",
                 "product_status", "fixed", "flags", "label", "product_ids", "group_ids"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, JSON)
def test_anything_is_read_or_refused(tree: object, vulnerabilities: object) -> None:
    raw = {"document": HEAD, "product_tree": tree, "vulnerabilities": vulnerabilities}
    try:
        reading.read(JsonValue(raw, "x"))
    except Invalid:
        return
