"""Documents written from advisories are valid, and say what the advisory says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from packageurl import PackageURL

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Claim,
    RangeSource,
    Remediation,
    Remedy,
    Revision,
    Score,
    VersionRanges,
)
from clearhouse.formats.csaf.mandatory import problems, schema_problems
from clearhouse.formats.csaf.writer import (
    Justification,
    Statement,
    file_name,
    security_advisory,
    vex,
)
from clearhouse.protocol.tlp import Tlp
from tests.formats.csaf.advisories import (
    ADVISORY,
    DECLARED,
    PACKAGE,
    START,
    advisories,
    statements,
)
from tests.formats.csaf.official import cvss_schemas, official


def assert_valid(document: dict[str, Any]) -> None:
    assert problems(document) == []
    schema = official("schema/csaf_json_schema.json")
    assert schema_problems(document, schema, referenced=cvss_schemas()) == []


def vulnerability_of(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = document["vulnerabilities"]
    return dict(found)


@given(advisories())
def test_every_advisory_becomes_a_valid_document(advisory: Advisory) -> None:
    assert_valid(security_advisory(advisory))


@given(advisories(), statements())
def test_any_statements_become_a_valid_vex_document(
    advisory: Advisory, said: list[Statement]
) -> None:
    assert_valid(vex(advisory, said))


def test_what_was_run_is_the_product_status() -> None:
    status = vulnerability_of(security_advisory(ADVISORY))["product_status"]
    assert status == {
        "known_affected": [
            "pkg:pypi/demo vers:pypi/>=1.0|!=1.1|<2.0",
            "pkg:pypi/demo vers:pypi/>=3.0",
            "pkg:pypi/demo@1.0",
            "pkg:pypi/demo@1.3",
            "pkg:pypi/demo@3.0",
        ],
        "fixed": ["pkg:pypi/demo@2.0"],
        "first_fixed": ["pkg:pypi/demo@2.0"],
        "known_not_affected": ["pkg:pypi/demo@0.9"],
        "under_investigation": ["pkg:pypi/demo@1.1", "pkg:pypi/demo@2.1"],
    }


def test_what_is_declared_stands_beside_it_and_both_say_whose_it_is() -> None:
    notes = {one["title"]: one for one in vulnerability_of(security_advisory(ADVISORY))["notes"]}
    executed = notes["Affected versions of pkg:pypi/demo, executed"]
    declared = notes["Affected versions of pkg:pypi/demo, declared"]
    assert executed["category"] == "details"
    assert "Found by running versions: sha256:aa11." in executed["text"]
    assert declared["category"] == "other"
    assert "Affected: >=1.0, <1.2." in declared["text"]
    assert "not found by running versions: GHSA-xxxx-yyyy-zzzz." in declared["text"]
    assert "does not rest on this" in declared["text"]


def test_the_tree_leads_from_the_supplier_to_a_package_url() -> None:
    (vendor,) = security_advisory(ADVISORY)["product_tree"]["branches"]
    (product,) = vendor["branches"]
    assert (vendor["category"], vendor["name"]) == ("vendor", "Demo Project")
    assert (product["category"], product["name"]) == ("product_name", "demo (pypi)")
    first, *_, last = product["branches"]
    assert first["category"] == "product_version_range"
    assert first["name"] == "vers:pypi/>=1.0|!=1.1|<2.0"
    assert first["product"]["name"] == "Demo Project demo (pypi) >=1.0, !=1.1, <2.0"
    assert first["product"]["product_identification_helper"] == {"purl": "pkg:pypi/demo"}
    assert last["category"] == "product_version"
    assert last["product"]["product_identification_helper"] == {"purl": "pkg:pypi/demo@3.0"}


def test_without_runs_the_first_declaration_is_published_as_one() -> None:
    advisory = replace(ADVISORY, packages=(replace(PACKAGE, executed=None, fixed=()),))
    found = vulnerability_of(security_advisory(advisory))
    assert found["product_status"]["known_affected"] == ["pkg:pypi/demo vers:pypi/>=1.0|<1.2"]
    assert found["product_status"]["first_fixed"] == ["pkg:pypi/demo@1.2"]
    (note,) = [one for one in found["notes"] if "declared" in one["title"]]
    assert note["category"] == "details"


def test_a_version_that_was_run_and_is_affected_is_not_fixed_because_somebody_says_so() -> None:
    package = replace(PACKAGE, fixed=("1.3", "1.2", "2.0"))
    found = vulnerability_of(security_advisory(replace(ADVISORY, packages=(package,))))
    assert found["product_status"]["fixed"] == ["pkg:pypi/demo@2.0"]
    assert "Said to be fixed: 1.3, 1.2, 2.0." in {one["text"] for one in found["notes"]}


def test_the_suppliers_score_is_the_one_and_all_are_told_in_a_note() -> None:
    found = vulnerability_of(security_advisory(ADVISORY))
    (score,) = found["scores"]
    assert score["products"] == found["product_status"]["known_affected"]
    assert score["cvss_v3"]["vectorString"] == ADVISORY.scores[1].vector
    assert score["cvss_v3"]["baseScore"] == 5.5
    assert score["cvss_v3"]["exploitCodeMaturity"] == "PROOF_OF_CONCEPT"
    assert "environmentalScore" not in score["cvss_v3"]
    (note,) = [one for one in found["notes"] if one["title"] == "Scores"]
    assert "CVSS 4.0: 8.7 High" in note["text"]
    assert "(Demo Project, the supplier)" in note["text"]


def test_the_first_weakness_has_its_official_name_and_the_others_a_note() -> None:
    found = vulnerability_of(security_advisory(ADVISORY))
    assert found["cwe"]["id"] == "CWE-22"
    assert found["cwe"]["name"].endswith("('Path Traversal')")
    (note,) = [one for one in found["notes"] if one["title"] == "Further weaknesses"]
    assert note["text"].startswith("CWE-59 ")


@pytest.mark.parametrize("number", [0, 999_999, 132])
def test_an_unknown_or_withdrawn_weakness_is_refused(number: int) -> None:
    with pytest.raises(Invalid, match="weaknesses"):
        security_advisory(replace(ADVISORY, weaknesses=(22, number)))


def test_credits_references_and_the_documents_own_address_are_there() -> None:
    url = "https://clearinghouse.example/2026/ch-2026-0007.json"
    document = security_advisory(ADVISORY, canonical_url=url)
    assert_valid(document)
    own, fix = document["document"]["references"]
    assert (own["category"], own["url"]) == ("self", url)
    assert (fix["category"], fix["summary"]) == ("external", "The fix")
    ada, model = vulnerability_of(document)["acknowledgments"]
    assert ada == {"names": ["Ada"], "organization": "A lab", "summary": "Found the vulnerability."}
    assert model["summary"].startswith("Tool")


def test_revisions_are_integers_and_the_latest_is_the_version() -> None:
    later = Revision(2, START + timedelta(days=1), "Fixed versions added.")
    advisory = replace(ADVISORY, revisions=(*ADVISORY.revisions, later))
    tracking = security_advisory(advisory)["document"]["tracking"]
    assert tracking["version"] == "2"
    assert tracking["initial_release_date"] == "2026-03-01T09:00:00Z"
    assert tracking["current_release_date"] == "2026-03-02T09:00:00Z"
    assert [one["number"] for one in tracking["revision_history"]] == ["1", "2"]


def test_revisions_that_go_back_in_time_are_refused() -> None:
    earlier = Revision(2, START - timedelta(days=1), "Earlier.")
    with pytest.raises(Invalid, match="revisions"):
        security_advisory(replace(ADVISORY, revisions=(*ADVISORY.revisions, earlier)))


def test_a_time_without_zone_is_refused() -> None:
    bare = Revision(1, datetime(2026, 3, 1), "First.")  # noqa: DTZ001  (what is refused)
    with pytest.raises(Invalid, match="zone"):
        security_advisory(replace(ADVISORY, revisions=(bare,)))


def test_labels_are_those_of_tlp_1_and_one_that_it_lacks_is_refused() -> None:
    label = security_advisory(ADVISORY)["document"]["distribution"]["tlp"]["label"]
    assert label == "WHITE"
    with pytest.raises(Refused):
        security_advisory(replace(ADVISORY, tlp=Tlp.AMBER_STRICT))


def test_a_cve_among_the_aliases_is_the_vulnerabilitys_where_none_is_given() -> None:
    found = vulnerability_of(
        security_advisory(replace(ADVISORY, cve=None, aliases=("CVE-2026-1111", "GHSA-1")))
    )
    assert found["cve"] == "CVE-2026-1111"
    assert found["ids"] == [
        {"system_name": "Example Clearinghouse", "text": "CH-2026-0007"},
        {"system_name": "GitHub Security Advisories", "text": "GHSA-1"},
    ]


def test_the_advisorys_remediations_come_before_what_its_facts_say() -> None:
    (remedy,) = vulnerability_of(security_advisory(ADVISORY))["remediations"]
    assert (remedy["category"], remedy["details"]) == ("vendor_fix", "Fixed in 2.0.")
    told = replace(ADVISORY, remediations=(Remediation(Remedy.MITIGATION, "Check names."),))
    (remedy,) = vulnerability_of(security_advisory(told))["remediations"]
    assert (remedy["category"], remedy["details"]) == ("mitigation", "Check names.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"id": ""},
        {"cve": "CVE-26-1"},
        {"publisher": replace(ADVISORY.publisher, name="")},
        {"revisions": (Revision(1, START, ""),)},
        {"remediations": (Remediation(Remedy.MITIGATION, ""),)},
    ],
)
def test_what_the_standard_requires_has_to_be_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        security_advisory(replace(ADVISORY, **wrong))


def test_a_range_named_as_a_version_is_refused() -> None:
    ranges = replace(DECLARED, affected=("all",))
    package = AffectedPackage(PackageURL("pypi", None, "demo"), "Demo", declared=(ranges,))
    with pytest.raises(Invalid, match="range"):
        security_advisory(replace(ADVISORY, packages=(package,)))


def test_a_package_named_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="once"):
        security_advisory(replace(ADVISORY, packages=(PACKAGE, PACKAGE)))


def demo(version: str) -> PackageURL:
    return PackageURL("pypi", None, "demo", version)


def test_each_statement_has_its_status_and_its_reason() -> None:
    document = vex(
        ADVISORY,
        [
            Statement(demo("1.0"), Claim.AFFECTED),
            Statement(demo("0.9"), Claim.NOT_AFFECTED, justification=Justification.NO_CODE),
            Statement(demo("0.8"), Claim.NOT_AFFECTED, impact="It is never called."),
            Statement(demo("2.0"), Claim.FIXED),
            Statement(
                PackageURL("pypi", None, "demo"), Claim.UNDER_INVESTIGATION, "vers:pypi/<0.5"
            ),
        ],
    )
    assert_valid(document)
    assert document["document"]["category"] == "csaf_vex"
    assert document["document"]["tracking"]["id"] == "CH-2026-0007-VEX"
    found = vulnerability_of(document)
    assert found["product_status"] == {
        "known_affected": ["pkg:pypi/demo@1.0"],
        "known_not_affected": ["pkg:pypi/demo@0.9", "pkg:pypi/demo@0.8"],
        "fixed": ["pkg:pypi/demo@2.0"],
        "under_investigation": ["pkg:pypi/demo vers:pypi/<0.5"],
    }
    (flag,) = found["flags"]
    assert flag["label"] == "vulnerable_code_not_present"
    assert found["threats"][0]["product_ids"] == ["pkg:pypi/demo@0.8"]
    assert found["remediations"][0]["product_ids"] == ["pkg:pypi/demo@1.0"]
    assert document["product_tree"]["branches"][0]["name"] == "Demo Project"


def test_no_statement_and_two_on_one_product_are_refused() -> None:
    with pytest.raises(Invalid, match="at least one"):
        vex(ADVISORY, [])
    with pytest.raises(Invalid, match="two statements"):
        vex(ADVISORY, [Statement(demo("1"), Claim.FIXED), Statement(demo("1"), Claim.AFFECTED)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"purl": PackageURL("pypi", None, "demo"), "claim": Claim.FIXED},
        {"purl": demo("1"), "claim": Claim.FIXED, "span": "vers:pypi/<1"},
        {"purl": PackageURL("pypi", None, "demo"), "claim": Claim.FIXED, "span": "<1"},
        {"purl": demo("1"), "claim": Claim.NOT_AFFECTED},
        {"purl": demo("1"), "claim": Claim.AFFECTED, "impact": "None."},
        {"purl": demo("1"), "claim": Claim.FIXED, "remedy": Remediation(Remedy.FIX, "Update.")},
    ],
)
def test_a_statement_that_does_not_hold_together_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Statement(**wrong)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("cisco-sa-20190513-secureboot", "cisco-sa-20190513-secureboot.json"),
        ("Example Company - 2019-YH3234", "example_company_-_2019-yh3234.json"),
        ("RHBA-2019:0024", "rhba-2019_0024.json"),
        ("2022_#01-A", "2022_01-a.json"),
    ],
)
def test_files_are_named_as_the_standard_names_them(number: str, name: str) -> None:
    assert file_name(number) == name


@pytest.mark.parametrize("vector", ["", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N", "AV:N/AC:L", "9.8"])
def test_a_score_that_is_no_vector_is_refused(vector: str) -> None:
    with pytest.raises(Invalid, match="scores"):
        security_advisory(replace(ADVISORY, scores=(Score(vector, "A lab"),)))


def test_an_advisory_that_says_nothing_of_any_version_is_refused() -> None:
    silent = VersionRanges(RangeSource.EXECUTED, ())
    with pytest.raises(Invalid, match="nothing is said"):
        security_advisory(
            replace(ADVISORY, packages=(replace(PACKAGE, executed=silent, fixed=()),))
        )


def test_where_no_version_is_affected_there_is_neither_score_nor_remedy() -> None:
    ranges = VersionRanges(RangeSource.EXECUTED, (), unaffected=("1.0",), by="sha256:aa11")
    package = replace(PACKAGE, executed=ranges, fixed=())
    document = security_advisory(replace(ADVISORY, packages=(package,)))
    assert_valid(document)
    found = vulnerability_of(document)
    assert found["product_status"] == {"known_not_affected": ["pkg:pypi/demo@1.0"]}
    assert not {"scores", "remediations"} & set(found)


def test_statements_on_a_package_of_which_only_the_fix_is_known_name_the_fix() -> None:
    package = replace(PACKAGE, executed=None, declared=(), fixed=("2.0",))
    document = vex(replace(ADVISORY, packages=(package,)), [Statement(demo("1.0"), Claim.AFFECTED)])
    (remedy,) = vulnerability_of(document)["remediations"]
    assert remedy["details"] == "Fixed in 2.0."
