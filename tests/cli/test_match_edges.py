"""``clearhouse match`` on inventories that say little, much, or come through a pipe."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearhouse.cli.main import main
from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.openvex_reading import read as read_openvex

Run = Callable[..., tuple[int, str, str]]


def record(
    identifier: str, ecosystem: str, name: str, fixed: str = "9", **more: Any
) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": identifier, "affected": [{"package": package, "ranges": ranges}], **more}


RECORDS = [
    record("GO-1", "PyPI", "flask", aliases=["CVE-2020-11651", "CVE-2020-11110", "GHSA-1"]),
    record("DSA-1", "Debian:12", "openssl"),
    record("ALSA-1", "AlmaLinux:9", "openssl", "1:9"),
    record("MAL-1", "npm", "@scope/x"),
    record("GHSA-9", "Red Hat", "openssl"),
]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "osv.json").write_text(json.dumps(RECORDS))

    def match(*arguments: str, advisories: str = "osv.json", **files: str) -> tuple[int, str, str]:
        given: list[str] = []
        for name, content in files.items():
            (tmp_path / name).write_text(content)
            given += ["--inventory", str(tmp_path / name)]
        code = main(["match", *given, "--advisories", str(tmp_path / advisories), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return match


def test_a_record_with_two_cves_is_shown_with_both(run: Run) -> None:
    _, out, _ = run(installed="flask==1\n")
    assert "CVE-2020-11110 (CVE-2020-11651, GHSA-1, GO-1)  affected" in out


@pytest.mark.parametrize(
    ("named", "counts"),
    [
        (["CVE-2020-11651"], False),
        (["CVE-2020-11110"], False),
        (["CVE-2020-11651", "CVE-2020-11110"], True),
        (["GHSA-1"], True),
    ],
)
def test_a_record_of_two_cves_is_taken_back_where_both_are(
    run: Run, tmp_path: Path, named: list[str], counts: bool
) -> None:
    said = [
        {
            "vulnerability": {"name": name},
            "products": [{"@id": "pkg:pypi/flask"}],
            "status": "not_affected",
            "justification": "component_not_present",
        }
        for name in named
    ]
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.example/1",
        "author": "Acme", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": said,
    }  # fmt: skip
    (tmp_path / "vex.json").write_text(json.dumps(document))
    code, out, _ = run("--vex", str(tmp_path / "vex.json"), installed="flask==1\n")
    assert (code, "not affected as Acme says" in out) == (0 if counts else 1, counts)


@pytest.mark.parametrize(
    ("content", "distribution", "purl"),
    [
        ("ecosystem,name,version\nPyPI,Flask,1.0\n", "", "pkg:pypi/flask@1.0"),
        ("ecosystem,name,version\npypi,Flask,1.0\n", "", "pkg:pypi/flask@1.0"),
        ("ecosystem,name,version\nnpm,@scope/x,1.0\n", "", "pkg:npm/%40scope/x@1.0"),
        (
            "openssl\t3.0.1-1\n",
            "Debian:12",
            "pkg:deb/debian/openssl@3.0.1-1?arch=source&distro=debian-12",
        ),
        (
            "openssl-1:3.0.1-1.x86_64\n",
            "AlmaLinux:9",
            "pkg:rpm/almalinux/openssl@3.0.1-1?distro=almalinux-9&epoch=1",
        ),
    ],
)
def test_a_package_without_package_url_gets_one_in_openvex(
    run: Run, content: str, distribution: str, purl: str
) -> None:
    code, out, err = run("--openvex", "--distribution", distribution, installed=content)
    document = json.loads(out)
    (one,) = document["statements"]
    assert (code, one["products"]) == (1, [{"@id": purl}])
    assert "left out" not in err
    assert len(read_openvex(JsonValue(document, "x")).statements) == 1


def test_what_can_have_no_package_url_is_counted_and_no_empty_document_is_written(
    run: Run,
) -> None:
    table = "ecosystem,name,version\nRed Hat,openssl,1\n"
    code, out, err = run("--openvex", installed=table)
    assert (code, out) == (1, "")
    assert "left out of the document: 1 matches" in err
    assert "no document is written" in err
    code, out, err = run("--openvex", installed=table + "PyPI,flask,1\n")
    assert len(json.loads(out)["statements"]) == 1
    assert "left out of the document: 1 matches" in err
    assert run("--openvex", installed="flask==10\n")[:2] == (0, "")


CYCLONEDX = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(CYCLONEDX),
        json.dumps(CYCLONEDX | {"specVersion": "2.0"}),
        json.dumps(CYCLONEDX | {"components": []}),
        "ecosystem,name,version\n",
        '{"lockfileVersion": 3, "packages": {}}',
    ],
)
@pytest.mark.parametrize("form", ["--json", "--sarif", "--openvex", None])
def test_an_inventory_without_packages_is_not_clean(
    run: Run, content: str, form: str | None
) -> None:
    code, _, err = run(*filter(None, [form]), installed=content)
    assert code == 1
    assert "lists no package" in err
    assert "no package could be compared" in err


def test_of_several_inventories_each_line_says_which(run: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    _, out, _ = run(one="flask==1\n", two="flask==2\n")
    assert [line.partition(": ")[0] for line in out.splitlines()] == [str(one), str(two)]
    _, out, _ = run(one="flask==1\n")
    assert out.startswith("pkg:pypi/flask@1 ")


@pytest.mark.parametrize(
    "forms", [("--json", "--sarif"), ("--openvex", "--json"), ("--json", "--sarif", "--openvex")]
)
def test_one_document_is_written_not_several(run: Run, forms: tuple[str, ...]) -> None:
    code, out, err = run(*forms, installed="flask==1\n")
    assert (code, out) == (2, "")
    assert "only one document can be written" in err


@pytest.mark.parametrize("count", [1, 5])
def test_advisories_come_through_a_pipe_in_lines(run: Run, tmp_path: Path, count: int) -> None:
    lines = "\n".join(map(json.dumps, RECORDS[:count])) + "\n"
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_text, args=(lines,))
    writing.start()
    code, out, err = run(advisories="63", installed="flask==1\n")
    writing.join()
    assert (code, out.count("\n"), "set aside" in err) == (1, 1, False)


def test_an_inventory_comes_through_standard_input(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"flask==1\n")))
    code, out, _ = run("--inventory", "-")
    assert (code, out.count("\n")) == (1, 1)
    code, out, err = run("--inventory", "-", "--inventory", "-")
    assert (code, out, "once" in err) == (2, "", True)


def test_what_is_endless_does_not_flood_the_terminal(run: Run) -> None:
    _, out, err = run(installed="flask==" + "1" * 700 + "\nx==" + "9" * 1_000_000 + "\n")
    assert len(out) < 2_000
    assert len(err) < 2_000
    assert "…" in err
