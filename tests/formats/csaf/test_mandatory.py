"""The mandatory tests answer as the official documents say, and survive anything else."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing.exceptions import Unresolvable

from clearhouse.formats.csaf.language import language_fault
from clearhouse.formats.csaf.mandatory import CATEGORIES, TESTS, problems, schema_problems
from tests.formats.csaf.official import FOLDER, cvss_schemas, official

Case = tuple[str, str, bool]


def cases() -> list[Case]:
    """Each official document of a mandatory test: the test, the file, whether it is valid."""
    if not FOLDER.is_dir():
        return []
    return [
        (test["id"], f"testcases/{one['name']}", one["valid"])
        for test in official("testcases/testcases.json")["tests"]
        if test["group"] == "mandatory"
        for one in (*test["failures"], *test.get("valid", ()))
    ]


def examples() -> list[str]:
    """The example documents; aggregators, feeds and metadata stand among them."""
    files = sorted(FOLDER.glob("examples/*.json"))
    return [
        f"examples/{one.name}" for one in files if "document" in official(f"examples/{one.name}")
    ]


def minimal(**more: Any) -> dict[str, Any]:
    """The least document that is valid, with sections added."""
    at = "2026-01-01T00:00:00Z"
    document: dict[str, Any] = {
        "category": "csaf_base",
        "csaf_version": "2.0",
        "publisher": {"category": "other", "name": "Us", "namespace": "https://example.com"},
        "title": "A document",
        "tracking": {
            "current_release_date": at,
            "id": "X-1",
            "initial_release_date": at,
            "revision_history": [{"date": at, "number": "1", "summary": "First."}],
            "status": "final",
            "version": "1",
        },
    }
    return {"document": document, **more}


def found(document: Any) -> set[str]:
    return {one.test for one in problems(document)}


def test_the_official_documents_are_all_here() -> None:
    if not FOLDER.is_dir():
        pytest.skip("the documents that OASIS publishes are not on this machine")
    assert {test for test, _, _ in cases()} == set(TESTS)
    assert len(cases()) == 147
    assert len(examples()) == 19


@pytest.mark.parametrize(("test", "name", "valid"), cases())
def test_an_official_document_gets_its_answer(test: str, name: str, valid: bool) -> None:
    document = official(name)
    of_that_test = [one for one in problems(document) if one.test == test]
    assert (not of_that_test) is valid
    if valid:
        assert problems(document) == []


@pytest.mark.parametrize("name", examples())
def test_an_example_of_the_standard_is_valid(name: str) -> None:
    document = official(name)
    schema = official("schema/csaf_json_schema.json")
    assert problems(document) == []
    assert schema_problems(document, schema, referenced=cvss_schemas()) == []


def test_there_are_43_tests_and_each_profile_test_is_for_some_category() -> None:
    assert len(TESTS) == 43
    assert set(CATEGORIES) == {test for test in TESTS if test.startswith("6.1.27.")}


def test_a_problem_names_its_test_and_its_place() -> None:
    cwe = {"id": "CWE-79", "name": "Improper Input Validation"}
    (problem,) = problems(minimal(vulnerabilities=[{"cwe": cwe}]))
    assert (problem.test, problem.path) == ("6.1.11", "/vulnerabilities/0/cwe/name")
    assert "Cross-site Scripting" in problem.text


def test_a_score_without_metrics_of_a_kind_is_the_base_score() -> None:
    score = {"version": "2.0", "vectorString": "AV:N/AC:L/Au:N/C:C/I:C/A:C", "baseScore": 10.0}
    full = {**score, "temporalScore": 10.0, "environmentalScore": 10.0}
    entry = {"products": ["P"], "cvss_v2": full}
    document = minimal(
        product_tree={"full_product_names": [{"name": "P", "product_id": "P"}]},
        vulnerabilities=[{"scores": [entry]}],
    )
    assert found(document) == set()
    full["environmentalScore"] = 0.0
    assert found(document) == {"6.1.9"}


def test_properties_of_metrics_that_the_vector_leaves_out_are_not_defined() -> None:
    score = {
        "version": "3.1",
        "vectorString": "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "baseScore": 8.8,
        "baseSeverity": "HIGH",
        "attackVector": "ADJACENT_NETWORK",
        "remediationLevel": "NOT_DEFINED",
    }
    document = minimal(
        product_tree={"full_product_names": [{"name": "P", "product_id": "P"}]},
        vulnerabilities=[{"scores": [{"products": ["P"], "cvss_v3": score}]}],
    )
    assert found(document) == set()
    score["remediationLevel"] = "WORKAROUND"
    assert found(document) == {"6.1.10"}


def test_a_flag_of_an_unknown_group_is_found() -> None:
    flag = {"label": "component_not_present", "group_ids": ["G"]}
    assert found(minimal(vulnerabilities=[{"flags": [flag]}])) == {"6.1.4"}


def test_a_circle_over_several_relationships_is_found() -> None:
    def related(product: str, to: str) -> dict[str, Any]:
        name = {"name": product, "product_id": product}
        return {
            "category": "installed_on",
            "full_product_name": name,
            "product_reference": "A",
            "relates_to_product_reference": to,
        }

    names = [{"name": "A", "product_id": "A"}]
    circle = [related("B", "C"), related("C", "D"), related("D", "B")]
    tree = {"full_product_names": names, "relationships": circle}
    assert [one.test for one in problems(minimal(product_tree=tree))] == ["6.1.3"] * 3
    tree["relationships"] = [related("B", "A"), related("C", "B"), related("D", "C")]
    assert problems(minimal(product_tree=tree)) == []


@pytest.mark.parametrize(
    ("category", "allowed"),
    [
        ("Example Company Security Notice", True),
        ("V_eX", False),
        ("Csaf_a", False),
        ("Security      Advisory", False),
        ("Informational Advisory", False),
        ("security-incident-response", False),
        ("security\u2011advisory", False),
    ],
)
def test_categories_that_read_as_the_standards_are_prohibited(category: str, allowed: bool) -> None:
    document = minimal()
    document["document"]["category"] = category
    assert (found(document) == set()) is allowed


@pytest.mark.parametrize(
    "tag",
    ["en", "EN-us", "de-CH-1901", "zh-yue-HK", "sr-Latn-RS", "x-ours", "qaa", "en-QM", "i-default"],
)
def test_registered_language_tags_are_good(tag: str) -> None:
    assert language_fault(tag) is None


@pytest.mark.parametrize(
    "tag", ["EZ", "en-EZZ-", "xx", "en-ZY", "en-Zzyx", "de-zzzzz", "en-abq-zzz", ""]
)
def test_other_language_tags_are_not(tag: str) -> None:
    assert language_fault(tag) is not None


def test_a_time_that_cannot_be_read_is_told_where_it_matters() -> None:
    document = minimal()
    document["document"]["tracking"]["revision_history"][0]["date"] = "1 May"
    assert found(document) == {"6.1.14"}


def test_the_schema_tells_places_times_and_addresses() -> None:
    schema = official("schema/csaf_json_schema.json")
    document = minimal()
    document["document"]["tracking"]["current_release_date"] = "2026-02-30T00:00:00Z"
    document["document"]["publisher"]["namespace"] = "not an address"
    wrong = schema_problems(document, schema, referenced=cvss_schemas())
    assert [one.path for one in wrong] == [
        "/document/publisher/namespace",
        "/document/tracking/current_release_date",
    ]


def test_a_schema_that_is_left_out_is_not_taken_as_passed() -> None:
    schema = official("schema/csaf_json_schema.json")
    scores = [{"products": ["P"], "cvss_v3": {}}]
    with pytest.raises(Unresolvable):
        schema_problems(minimal(vulnerabilities=[{"scores": scores}]), schema, referenced={})


odd: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["9" * 5000, "pkg:", "CVSS:3.1/", "0000-00-00T00:00:00Z"]),
    # New ones each time: what is put in one place is changed there alone.
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [{}]),
    st.builds(lambda: [[]]),
)


def places(raw: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a document with each key in it."""
    items = raw.items() if isinstance(raw, dict) else enumerate(raw)
    for key, value in items:
        yield raw, key
        if isinstance(value, dict | list):
            yield from places(value)


@given(st.data())
def test_whatever_stands_anywhere_the_tests_come_to_an_end(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(examples() or [""]))
    document = copy.deepcopy(official(name))
    for _ in range(data.draw(st.integers(1, 5))):
        container, key = data.draw(st.sampled_from(list(places(document))))
        container[key] = data.draw(odd)
    assert {one.test for one in problems(document)} <= set(TESTS)


@given(st.recursive(odd, lambda part: st.dictionaries(st.sampled_from(["document", "cve"]), part)))
def test_any_object_is_answered(document: Any) -> None:
    answer = problems(document if isinstance(document, dict) else {"document": document})
    assert all(one.path.startswith("/") for one in answer)


GOOD_SCORE = {
    "version": "3.1",
    "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
    "baseScore": 10.0,
    "baseSeverity": "CRITICAL",
}


@pytest.mark.parametrize(
    ("name", "value", "tests"),
    [
        ("version", "4.0", {"6.1.8"}),
        ("version", "3.0", {"6.1.8"}),
        ("vectorString", "CVSS:3.1/AV:N", {"6.1.8"}),
        ("vectorString", 31, {"6.1.8"}),
        ("baseScore", 11, {"6.1.8", "6.1.9"}),
        ("baseScore", True, {"6.1.8"}),
        ("baseSeverity", "AWFUL", {"6.1.8", "6.1.9"}),
        ("baseSeverity", "LOW", {"6.1.9"}),
        ("temporalSeverity", "LOW", {"6.1.9"}),
        ("scope", "WIDE", {"6.1.8", "6.1.10"}),
        ("attackVector", "NOT_DEFINED", {"6.1.8", "6.1.10"}),
    ],
)
def test_each_fault_of_a_score_is_told_by_its_test(name: str, value: Any, tests: set[str]) -> None:
    score = {**GOOD_SCORE, name: value}
    document = minimal(
        product_tree={"full_product_names": [{"name": "P", "product_id": "P"}]},
        vulnerabilities=[{"scores": [{"products": ["P"], "cvss_v3": score}]}],
    )
    assert found(document) == tests
    document["vulnerabilities"][0]["scores"][0]["cvss_v3"] = GOOD_SCORE
    assert found(document) == set()


def test_a_weakness_outside_the_list_is_found() -> None:
    weakness = {"id": "CWE-999999", "name": "Anything"}
    (problem,) = problems(minimal(vulnerabilities=[{"cwe": weakness}]))
    assert (problem.test, problem.path) == ("6.1.11", "/vulnerabilities/0/cwe/id")


def test_a_revision_without_a_version_cannot_be_sorted() -> None:
    document = minimal()
    document["document"]["tracking"]["revision_history"][0]["number"] = "first"
    assert found(document) == {"6.1.14"}
