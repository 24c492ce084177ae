"""Scanners' results become reports, or are told as skipped."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats import sarif
from clearhouse.formats.report import Location, Report, System, parse_report, plain_report
from clearhouse.formats.sarif import SarifLog, parse_log, parse_sarif

TARGET = PackageURL("pypi", None, "example", "1.2.3")
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"


def run(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"tool": {"driver": {"name": "Scan", "version": "1.0"}}, "results": [*results]} | more


def log(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"version": "2.1.0", "runs": [*runs]}


def read(*runs: dict[str, Any]) -> SarifLog:
    return parse_sarif(json.dumps(log(*runs)).encode(), target=TARGET, where="scan.sarif")


def one(result: dict[str, Any], **more: Any) -> Report:
    found = read(run({"message": {"text": "A flaw"}} | result, **more))
    assert found.skipped == ()
    return found.reports[0]


def place(uri: str, line: int = 1, **more: Any) -> dict[str, Any]:
    physical = {"artifactLocation": {"uri": uri} | more, "region": {"startLine": line}}
    return {"physicalLocation": physical}


def test_a_result_becomes_a_report() -> None:
    found = one(
        {
            "ruleId": "py/sql-injection",
            "level": "error",
            "message": {"text": "This query depends on [a value](1).\nMore of it."},
            "locations": [
                place("src/app/db.py", 12)
                | {"logicalLocations": [{"fullyQualifiedName": "db.run", "kind": "function"}]}
            ],
        }
    )
    assert found.title == "This query depends on a value."
    assert found.description == "This query depends on a value.\nMore of it."
    assert found.locations == (Location("src/app/db.py", "db.run", 12),)
    assert (found.severity, found.tool, found.target) == ("error", System("Scan", "1.0"), TARGET)


def test_rules_are_found_by_index_by_id_and_in_extensions() -> None:
    tool = {
        "driver": {
            "name": "Scan",
            "rules": [{"id": "R0"}, {"id": "R1", "shortDescription": {"text": "second"}}],
        },
        "extensions": [
            {"name": "pack", "rules": [{"id": "E0", "fullDescription": {"text": "from a pack"}}]}
        ],
    }
    results: list[dict[str, Any]] = [
        {"ruleIndex": 1, "message": {}},
        {"ruleId": "R1/deeper", "message": {}},
        {"rule": {"index": 0, "toolComponent": {"index": 0}}, "message": {}},
        {"ruleId": "E0", "message": {}},
        {"rule": {"id": "E0", "toolComponent": {"name": "pack"}}, "message": {}},
    ]
    found = read(run(*results, tool=tool)).reports
    assert [report.title for report in found] == ["second", "second", "E0", "E0", "E0"]
    assert [report.description for report in found[2:]] == ["from a pack"] * 3


def test_messages_by_identifier_take_their_arguments() -> None:
    rule = {"id": "R", "messageStrings": {"m": {"text": "{0} reaches {1} in {{braces}} {7}"}}}
    driver = {"name": "S", "rules": [rule], "globalMessageStrings": {"g": {"text": "all of {0}"}}}
    found = read(
        run(
            {"ruleId": "R", "message": {"id": "m", "arguments": ["input", "eval"]}},
            {"ruleId": "R", "message": {"id": "g", "arguments": ["it"]}},
            {"ruleId": "R", "message": {"text": "a {0} and {{b}}"}},
            tool={"driver": driver},
        )
    )
    titles = [report.title for report in found.reports]
    assert titles == ["input reaches eval in {braces} {7}", "all of it", "a {0} and {{b}}"]


def test_files_are_told_relative_to_the_source_root() -> None:
    bases = {
        "ROOT": {"uri": "file:///home/me/checkout/"},
        "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
        "A": {"uri": "a/", "uriBaseId": "B"},
        "B": {"uri": "b/", "uriBaseId": "A"},
    }
    found = one(
        {
            "locations": [
                place("a%20b.py", uriBaseId="SRC"),
                place("file:///home/me/checkout/lib/c.py"),
                place("file:///C:/dev/d.c"),
                place("C:\\dev\\e.c"),
                {"physicalLocation": {"artifactLocation": {"index": 0}}},
                {"physicalLocation": {"artifactLocation": {"index": -1}}},
            ]
        },
        originalUriBaseIds=bases,
        artifacts=[{"location": {"uri": "f.py", "uriBaseId": "SRC"}}],
    )
    files = [location.file for location in found.locations]
    assert files == ["src/a b.py", "lib/c.py", "C:/dev/d.c", "C:\\dev\\e.c", "src/f.py"]
    circle = one({"locations": [place("x.py", uriBaseId="A")]}, originalUriBaseIds=bases)
    assert circle.locations[0].file.endswith("a/x.py")


def test_the_steps_of_code_flows_are_locations_in_their_order() -> None:
    flow = {"threadFlows": [{"locations": [{"location": place("b.py", 2)}, {"index": 0}]}]}
    found = one(
        {
            "locations": [place("a.py")],
            "codeFlows": [flow],
            "relatedLocations": [place("a.py"), place("d.py", 0)],
        },
        threadFlowLocations=[{"location": place("c.py", 3)}],
    )
    lines = [(location.file, location.line) for location in found.locations]
    assert lines == [("a.py", 1), ("b.py", 2), ("c.py", 3), ("d.py", None)]


def test_more_locations_than_a_report_holds_are_noted() -> None:
    found = read(
        run({"message": {"text": "x"}, "locations": [place("a", n) for n in range(1, 300)]})
    )
    assert len(found.reports[0].locations) == 200
    assert found.notes == ("runs[0].results[0]: 200 of 299 locations taken",)


@pytest.mark.parametrize(
    ("result", "rule"),
    [
        ({"taxa": [{"id": "79", "toolComponent": {"name": "CWE"}}]}, {}),
        ({"taxa": [{"index": 0, "toolComponent": {"index": 0}}]}, {}),
        ({}, {"relationships": [{"target": {"id": "CWE-79", "toolComponent": {"name": "x"}}}]}),
        ({}, {"relationships": [{"target": {"id": "79", "toolComponent": {"guid": "g"}}}]}),
        ({}, {"properties": {"tags": ["security", "external/cwe/cwe-079"]}}),
        ({"properties": {"tags": ["CWE-79: Cross-site Scripting"]}}, {}),
        ({}, {"properties": {"cwe": ["CWE-79"]}}),
        ({"properties": {"cwe": 79}}, {}),
        ({"properties": {"cweId": "79"}}, {}),
    ],
)
def test_weaknesses_are_found_wherever_tools_put_them(
    result: dict[str, Any], rule: dict[str, Any]
) -> None:
    found = one(
        {"ruleId": "R"} | result,
        tool={"driver": {"name": "S", "rules": [{"id": "R"} | rule]}},
        taxonomies=[{"name": "CWE", "guid": "g", "taxa": [{"id": "79"}]}],
    )
    assert found.weaknesses == (79,)


@pytest.mark.parametrize("tag", ["notacwe-79", "cwe", "owasp/a03", "CWE-0", "79"])
def test_other_tags_are_no_weakness(tag: str) -> None:
    assert one({"properties": {"tags": [tag]}}).weaknesses == ()


def test_severity_is_the_results_else_the_rules_else_a_warning() -> None:
    rule = {
        "id": "R",
        "defaultConfiguration": {"level": "note"},
        "properties": {"security-severity": "7.5", "cvss": VECTOR},
    }
    tool = {"driver": {"name": "S", "rules": [rule]}}
    assert one({"ruleId": "R", "level": "error"}, tool=tool).severity == (
        "error, security-severity 7.5"
    )
    assert one({"ruleId": "R"}, tool=tool).severity_vector == VECTOR
    assert (one({"ruleId": "R"}, tool=tool).severity or "").startswith("note")
    assert one({}).severity == "warning"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"suppressions": [{"kind": "inSource", "justification": "a test"}]}, "suppressed"),
        ({"suppressions": [{"status": "rejected"}, {"status": "accepted"}]}, "suppressed"),
        ({"baselineState": "absent"}, "no longer found"),
        ({"kind": "pass"}, "kind pass"),
        ({"kind": "informational"}, "kind informational"),
    ],
)
def test_a_result_that_is_skipped_is_told(change: dict[str, Any], reason: str) -> None:
    found = read(
        run({"ruleId": "R", "message": {"text": "x"}} | change, {"message": {"text": "y"}})
    )
    assert [report.title for report in found.reports] == ["y"]
    assert (found.skipped[0].path, found.skipped[0].rule) == ("runs[0].results[0]", "R")
    assert reason in found.skipped[0].reason


@pytest.mark.parametrize(
    "change",
    [
        {"suppressions": [{"kind": "external", "status": "rejected"}]},
        {"suppressions": [{"kind": "external", "status": "underReview"}]},
        {"suppressions": []},
        {"baselineState": "unchanged"},
        {"kind": "open"},
    ],
)
def test_a_result_that_still_stands_is_a_report(change: dict[str, Any]) -> None:
    assert one(change).title == "A flaw"


def test_fingerprints_identify_a_result_better_than_anything_else() -> None:
    everything = {
        "fingerprints": {"f/v1": "old", "f/v2": "new"},
        "partialFingerprints": {"b": "2", "a": "1"},
        "guid": "8a1e5e2f-0000-4000-8000-000000000000",
        "ruleId": "R",
    }
    assert one(everything).origin_id == "f/v2=new"
    assert one(everything | {"fingerprints": None}).origin_id == "R;a=1;b=2"
    last = everything | {"fingerprints": {}, "partialFingerprints": {}}
    assert one(last).origin_id == everything["guid"]
    assert one({}).origin_id is None
    long = one({"fingerprints": {"f": "x" * 600}}).origin_id
    assert long is not None
    assert long.startswith("sha256:")


def test_a_run_may_name_its_own_package_and_says_what_it_scanned() -> None:
    source = [{"repositoryUri": "https://example.org/r.git", "revisionId": "abc"}]
    named = one({}, properties={"purl": "pkg:npm/ini@1.3.5"}, versionControlProvenance=source)
    assert str(named.target) == "pkg:npm/ini@1.3.5"
    assert (named.target_text, named.references) == (None, ("https://example.org/r.git",))
    unnamed = parse_log(log(run({}, versionControlProvenance=source)), target=None, where="s")
    assert unnamed.reports[0].target_text == "https://example.org/r.git abc"
    with pytest.raises(Invalid) as error:
        read(run({}, properties={"purl": "ini"}))
    assert error.value.key == "runs[0].properties.purl"


def test_attached_content_comes_along_and_what_is_not_there_is_noted() -> None:
    contents = {"binary": base64.b64encode(b"\0A").decode()}
    artifacts = [
        {"location": {"uri": "out/poc 1.bin"}, "contents": contents},
        {"location": {"uri": "gone.bin"}},
    ]
    attached = [{"artifactLocation": {"index": index}} for index in (0, 1)]
    found = read(run({"message": {"text": "x"}, "attachments": attached}, artifacts=artifacts))
    assert [(a.name, a.data) for a in found.reports[0].attachments] == [("poc 1.bin", b"\0A")]
    assert found.notes == ("runs[0].results[0].attachments[1]: its content is not in the file",)


def test_results_in_other_files_are_noted() -> None:
    found = read(
        {"tool": {"driver": {"name": "S"}}, "externalPropertyFileReferences": {"results": []}}
    )
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ([], None),
        ({"version": "2.0.0", "runs": []}, None),
        ({"version": "2.1.0"}, None),
        ({"version": "2.1.0", "runs": {}}, "runs"),
        ({"version": "2.1.0", "runs": [{}]}, "runs[0]"),
        (log(run({"message": "x"})), "runs[0].results[0].message"),
        (log(run({"ruleId": 7})), "runs[0].results[0].ruleId"),
        (log(run({"ruleIndex": "7"})), "runs[0].results[0].ruleIndex"),
        (log(run({"locations": [{"physicalLocation": {"artifactLocation": 1}}]})),
         "runs[0].results[0].locations[0].physicalLocation.artifactLocation"),
        (log(run({"suppressions": {}})), "runs[0].results[0].suppressions"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(raw: Any, key: str | None) -> None:
    with pytest.raises(Invalid) as error:
        parse_log(raw, target=None, where="scan.sarif")
    assert (error.value.where, error.value.key) == ("scan.sarif", key)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"[" * 500_000, b'{"a":' * 200_000, b"9" * 10_000, b"{} {}"]
)
def test_hostile_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        parse_sarif(raw, target=None, where="scan.sarif")


def test_a_byte_order_mark_does_no_harm() -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(log(run({}))).encode()
    assert len(parse_sarif(raw, target=None, where="s").reports) == 1


def test_more_results_than_the_bound_are_refused() -> None:
    results: list[dict[str, Any]] = [{} for _ in range(sarif.RESULTS + 1)]
    with pytest.raises(Invalid) as error:
        parse_log(log(run(*results)), target=None, where="s")
    assert error.value.key == f"runs[0].results[{sarif.RESULTS}]"


WORDS = st.sampled_from(
    [
        "version",
        "2.1.0",
        "runs",
        "tool",
        "driver",
        "name",
        "rules",
        "id",
        "results",
        "message",
        "text",
        "locations",
        "region",
        "uri",
        "index",
        "physicalLocation",
        "artifactLocation",
        "startLine",
        "logicalLocations",
        "codeFlows",
        "threadFlows",
        "taxa",
        "properties",
        "tags",
        "cwe",
        "CWE-79",
        "toolComponent",
        "suppressions",
        "fingerprints",
        "ruleId",
        "markdown",
        "arguments",
        "attachments",
        "contents",
        "binary",
        "file:///a/b%00",
        "\x00",
        "�",
        "\u202e",
        "fullyQualifiedName",
    ]
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 10**12), WORDS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "ruleId": WORDS,
        "message": st.one_of(JSON, st.fixed_dictionaries({"text": st.text() | WORDS})),
        "locations": st.one_of(JSON, st.lists(st.builds(place, WORDS, st.integers()), max_size=3)),
        "codeFlows": JSON,
        "taxa": JSON,
        "properties": JSON,
        "fingerprints": st.one_of(JSON, st.dictionaries(WORDS, WORDS, max_size=3)),
        "suppressions": JSON,
        "attachments": JSON,
    },
)


@given(st.one_of(JSON, JSON.map(lambda one: log(run() | {"results": one}))))
def test_any_json_is_read_or_refused(raw: Any) -> None:
    try:
        parse_log(raw, target=None, where="s")
    except Invalid as error:
        assert error.where == "s"  # noqa: PT017 - either outcome is right


@given(st.lists(RESULTS, max_size=3), JSON)
def test_every_report_is_one_that_the_door_takes(results: list[Any], artifacts: Any) -> None:
    try:
        found = parse_log(log(run(*results, artifacts=artifacts)), target=TARGET, where="s")
    except Invalid:
        return
    assert len(found.reports) + len(found.skipped) == len(results)
    for report in found.reports:
        assert parse_report(plain_report(report), "r") == report
        assert len(report.digest) == 64
