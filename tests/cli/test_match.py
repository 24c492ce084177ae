"""``clearhouse match`` from end to end: files in, lines or a document out."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL

from clearhouse.cli.main import main
from clearhouse.formats.sarif import parse_sarif

Match = Callable[..., tuple[int, str, str]]


def record(identifier: str, name: str, fixed: str, **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    package = {"ecosystem": "PyPI", "name": name}
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {"id": identifier, "affected": [{"package": package, "ranges": ranges}], **more}


RECORDS = [
    record("PYSEC-1", "Flask", "2.0.2", aliases=["CVE-2021-1"], summary="A flaw"),
    record("GHSA-1", "flask", "2.0.3", aliases=["CVE-2021-1"], summary="A flaw"),
    record("PYSEC-2", "requests", "2.0"),
    record("PYSEC-3", "flask", "9", withdrawn="2026-01-01T00:00:00Z"),
]


FLASK = PackageURL("pypi", None, "flask", "2.0.1")


@pytest.fixture
def match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Match:
    """Runs the command on a requirements file and the records above."""
    (tmp_path / "installed.txt").write_text("Flask==2.0.1\nrequests==2.25.0\nnumpy>=1\n")
    (tmp_path / "osv.json").write_text(json.dumps(RECORDS))

    def run(*arguments: str, advisories: Path | None = None) -> tuple[int, str, str]:
        code = main(
            [
                "match", "--inventory", str(tmp_path / "installed.txt"),
                "--advisories", str(advisories or tmp_path / "osv.json"), *arguments,
            ]
        )  # fmt: skip
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_flaw_is_one_line_with_the_interval_that_decided(match: Match) -> None:
    code, out, err = match()
    assert code == 1
    assert out == (
        "pkg:pypi/flask@2.0.1  CVE-2021-1 (GHSA-1, PYSEC-1)  affected: any version, before 2.0.3\n"
    )
    assert "not identified: line 3: numpy: it names no single version" in err
    assert err.endswith("known flaws: 1, in 1 of 2 packages compared; packages not identified: 1\n")


def test_the_document_has_all_of_it(match: Match) -> None:
    code, out, _ = match("--json")
    found = json.loads(out)
    (one,) = found["matches"]
    assert code == 1
    assert one["ids"] == ["CVE-2021-1", "GHSA-1", "PYSEC-1"]
    assert (one["record"], one["answer"], one["summary"]) == ("GHSA-1", "affected", "A flaw")
    assert one["package"]["file"].endswith("installed.txt")
    assert (one["package"]["place"], one["fixed"]) == ("line 1", "2.0.3")
    assert [found["components"], len(found["unidentified"]), found["set_aside"]] == [2, 1, []]


def test_openvex_says_what_to_do_about_each(match: Match) -> None:
    code, out, _ = match("--openvex")
    document = json.loads(out)
    assert (code, document["@context"]) == (1, "https://openvex.dev/ns/v0.2.0")
    assert document["@id"].startswith("urn:uuid:")
    assert document["statements"] == [
        {
            "vulnerability": {"name": "CVE-2021-1", "aliases": ["GHSA-1", "PYSEC-1"]},
            "products": [{"@id": "pkg:pypi/flask@2.0.1"}],
            "status": "affected",
            "status_notes": "any version, before 2.0.3",
            "action_statement": "Update to 2.0.3 or later.",
        }
    ]


def test_the_sarif_log_is_read_by_our_own_reader(match: Match) -> None:
    code, out, _ = match("--sarif")
    (report,) = parse_sarif(out.encode(), target=FLASK, where="x").reports
    assert code == 1
    assert "Update to 2.0.3 or later." in report.description
    assert [(one.file.rpartition("/")[2], one.line) for one in report.locations] == [
        ("installed.txt", 1)
    ]


def test_nothing_found_is_exit_code_0_and_nothing_compared_is_not(
    match: Match, tmp_path: Path
) -> None:
    (tmp_path / "other.json").write_text(json.dumps(record("X-1", "another", "1")))
    assert match(advisories=tmp_path / "other.json")[:2] == (0, "")
    raw = json.dumps(RECORDS).replace("PyPI", "npm")
    (tmp_path / "npm.json").write_text(raw)
    code, out, err = match(advisories=tmp_path / "npm.json")
    assert (code, out) == (1, "")
    assert "not compared: 2 packages of PyPI: no advisory is about it" in err


@pytest.mark.parametrize("kind", ["ndjson", "ndjson.gz", "json.gz", "zip", "folder"])
def test_advisories_come_in_any_wrapping_and_bad_ones_are_set_aside(
    match: Match, tmp_path: Path, kind: str
) -> None:
    bad = ['{"id": 7}', "{", '{"id":"Z","affected":[{"package":{"ecosystem":"npm"}}]}']
    lines = "\n".join([bad[0], *map(json.dumps, RECORDS), "", bad[1], bad[2]])
    path = tmp_path / f"feed.{kind}"
    match kind:
        case "ndjson":
            path.write_text(lines)
        case "ndjson.gz":
            path.write_bytes(gzip.compress(lines.encode()))
        case "json.gz":
            path.write_bytes(gzip.compress(json.dumps([*RECORDS, {"id": 7}]).encode()))
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("README.md", "not a record")
                archive.writestr("a/good.json", json.dumps(RECORDS))
                archive.writestr("b.json", bad[1])
        case "folder":
            (path / "deep").mkdir(parents=True)
            (path / "deep" / "lines.jsonl").write_text(lines)
            (path / "one.json").write_text(bad[0])
            (path / "note.txt").write_text("not a record")
    code, out, err = match(advisories=path)
    assert code == 1
    assert out.startswith("pkg:pypi/flask@2.0.1  CVE-2021-1")
    assert "set aside: " in err
    passed = {"zip": "README.md", "folder": "note.txt"}.get(kind)
    assert ("passed over: 1 file whose name is of no feed: " in err) is bool(passed)
    assert passed is None or passed in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08", "cannot be unpacked"),
        (b"PK\x03\x04", "no zip file"),
        (b"{}", "of no known kind; expected OSV"),
    ],
    ids=["gz", "zip", "json"],
)
def test_without_a_single_record_nothing_is_said_to_be_clean(
    match: Match, tmp_path: Path, content: bytes, message: str, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / f"feed.{request.node.callspec.id}"
    path.write_bytes(content)
    code, out, err = match(advisories=path)
    assert (code, out) == (2, "")
    assert message in err


def test_a_broken_member_of_an_archive_takes_nothing_with_it(match: Match, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, one in enumerate(RECORDS):
            archive.writestr(f"{number}.json", json.dumps(one))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"PYSEC-2"', b'"PYSEC-X"', 1))
    code, out, err = match(advisories=path)
    assert code == 1
    assert out.startswith("pkg:pypi/flask@2.0.1  CVE-2021-1")
    assert "2.json: cannot be unpacked: Bad CRC-32" in err


def test_what_is_no_feed_is_refused_before_it_fills_the_memory(
    match: Match, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.ndjson.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 50_000))
    code, out, err = match(advisories=path)
    assert (code, out) == (2, "")
    assert "more than 10,000 records that cannot be read" in err


def test_a_file_that_is_not_there_is_bad_input(match: Match, tmp_path: Path) -> None:
    code, out, err = match("--inventory", str(tmp_path / "absent.json"))
    assert (code, out) == (2, "")
    assert "absent.json: cannot be read: No such file or directory" in err


def test_names_from_outside_cannot_steer_the_terminal(match: Match, tmp_path: Path) -> None:
    (tmp_path / "installed.txt").write_text("purl\npkg:pypi/flask@2.0.1\n\x1b[2J\x1b]0;x\x07\n")
    assert "\x1b" not in "".join(map(str, match()))


VEX: dict[str, Any] = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://acme.example/vex/1",
    "author": "Acme",
    "timestamp": "2026-01-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "GHSA-1"},
            "products": [{"@id": "pkg:pypi/flask"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "never called",
        }
    ],
}


@pytest.fixture
def vex(tmp_path: Path) -> Callable[..., Path]:
    """Writes an OpenVEX document, with other things said in its statement."""

    def write(name: str = "vex.json", **more: Any) -> Path:
        path = tmp_path / name
        document = VEX | {"statements": [VEX["statements"][0] | more]}
        path.write_text(json.dumps(document))
        return path

    return write


WriteVex = Callable[..., Path]


def test_what_is_stated_not_to_be_affected_comes_last_and_does_not_count(
    match: Match, vex: WriteVex
) -> None:
    code, out, err = match("--vex", str(vex()))
    assert code == 0
    assert out == (
        "pkg:pypi/flask@2.0.1  CVE-2021-1 (GHSA-1, PYSEC-1)  affected: any version, before 2.0.3;"
        " not affected as Acme says: vulnerable_code_not_in_execute_path\n"
    )
    assert "known flaws: 0" in err
    assert "not affected or fixed, as somebody states: 1" in err


def test_a_later_statement_lifts_it_again(match: Match, vex: WriteVex) -> None:
    doubt = vex("later.json", status="under_investigation", timestamp="2026-02-01T00:00:00Z")
    code, out, _ = match("--vex", str(vex()), "--vex", str(doubt))
    assert code == 1
    assert "; under investigation as Acme says: never called" in out


def test_the_document_has_the_statement_beside_the_match(match: Match, vex: WriteVex) -> None:
    code, out, _ = match("--json", "--vex", str(vex()))
    found = json.loads(out)
    (one,) = found["suppressed"]
    assert (code, found["matches"]) == (0, [])
    assert (one["ids"][0], one["answer"]) == ("CVE-2021-1", "affected")
    assert one["statement"] == {
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
        "impact": "never called",
        "action": None,
        "author": "Acme",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "document": "https://acme.example/vex/1",
        "product": "pkg:pypi/flask",
    }


def test_openvex_repeats_what_was_stated(match: Match, vex: WriteVex) -> None:
    (one,) = json.loads(match("--openvex", "--vex", str(vex()))[1])["statements"]
    assert (one["status"], one["impact_statement"]) == ("not_affected", "never called")
    assert one["justification"] == "vulnerable_code_not_in_execute_path"
    assert one["status_notes"].startswith("not affected as Acme says")
    (one,) = json.loads(match("--openvex", "--vex", str(vex(status="fixed")))[1])["statements"]
    assert (one["status"], "justification" in one) == ("fixed", False)


def test_a_sarif_log_suppresses_and_gives_the_reason(match: Match, vex: WriteVex) -> None:
    (run,) = json.loads(match("--sarif", "--vex", str(vex()))[1])["runs"]
    assert run["results"][0]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "not affected as Acme says: vulnerable_code_not_in_execute_path",
        }
    ]
    (run,) = json.loads(match("--sarif")[1])["runs"]
    assert "suppressions" not in run["results"][0]


def test_a_bill_of_materials_states_of_itself_and_is_linked_to(
    match: Match, tmp_path: Path
) -> None:
    serial = "3e671687-395b-41f5-a30f-a58921a69b79"
    bom: dict[str, Any] = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "components": [
            {"type": "library", "bom-ref": "f", "name": "flask", "purl": "pkg:pypi/flask@2.0.1"},
        ],
    }  # fmt: skip
    analysis = {"state": "not_affected", "justification": "code_not_reachable", "detail": "unused"}
    said = {"id": "CVE-2021-1", "analysis": analysis}
    inventory, apart = tmp_path / "bom.json", tmp_path / "apart.json"
    inventory.write_text(
        json.dumps(bom | {"vulnerabilities": [said | {"affects": [{"ref": "f"}]}]})
    )
    link = f"urn:cdx:{serial}/1#f"
    apart.write_text(
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.5",
                "vulnerabilities": [said | {"affects": [{"ref": link}]}],
            }
        )
    )
    for path in (inventory, apart):
        arguments = ("--inventory", str(inventory), "--vex", str(path), "--openvex")
        statements = json.loads(match(*arguments)[1])["statements"]
        # Both inventories have the package: statements of a document are unique.
        assert [one["status"] for one in statements] == ["not_affected"]
        assert statements[0]["impact_statement"] == "code_not_reachable: unused"


def test_vex_that_states_nothing_is_told_of_or_refused(
    match: Match, tmp_path: Path, vex: WriteVex
) -> None:
    code, out, err = match("--vex", str(vex(justification=None, impact_statement=None)))
    assert (code, out.count("\n")) == (1, 1)
    assert "statements[0]: is not affected without justification or impact_statement" in err
    code, out, err = match("--vex", str(tmp_path / "osv.json"))
    assert (code, out) == (2, "")
    assert "osv.json: has no VEX document that can be read: is OSV; expected CSAF" in err


def test_a_malformed_entry_is_undecided_and_said(match: Match, tmp_path: Path) -> None:
    broken = record("X-1", "flask", "9")
    broken["affected"][0]["ranges"][0]["events"] = [{"fixed": "9"}]
    broken["affected"].append({"package": {"ecosystem": "PyPI"}})
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    code, out, err = match(advisories=tmp_path / "broken.json")
    assert code == 1
    assert out == (
        "pkg:pypi/flask@2.0.1  X-1  undecided: the advisory cannot be read:"
        " affected[0].ranges[0]: expected an introduced event\n"
    )
    assert "broken.json: X-1: affected[1].package: expected name as text" in err
