"""``clearhouse proof``: the finder's way from nothing to a file to send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearhouse.cli.main import main
from clearhouse.proof.authoring import HARNESS_LANGUAGES, Draft, first_files, pack, summary
from clearhouse.proof.bundle import Language
from clearhouse.proof.door import open_bundle, parse_archive
from clearhouse.proof.effects import Effect
from clearhouse.proof.manifest import parse_bundle
from clearhouse.proof.purls import parse_package_purl
from tests.proof.making import FILES, folder_of

INIT = ["--purl", "pkg:pypi/sqlparse@0.4.4", "--effect", "exception", "--cwe", "674"]


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("language", HARNESS_LANGUAGES)
def test_first_files_pass_the_door(language: Language, effect: Effect) -> None:
    registry = "npm/%40scope" if language is Language.JAVASCRIPT else "pypi"
    draft = Draft(
        id='quote " and \\ back',
        title="título",
        effect=effect,
        cwe=79,
        purl=parse_package_purl(f"pkg:{registry}/some-name@1.0.0"),
        language=language,
    )
    bundle = parse_bundle(first_files(draft), where="new")
    assert (bundle.id, bundle.title, bundle.effect) == (draft.id, draft.title, effect)
    assert (bundle.target.purl, bundle.harness.language) == (draft.purl, language)


def test_init_show_and_pack_tell_one_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, archive = tmp_path / "CVE-1", tmp_path / "out.zip"
    assert main(["proof", "init", str(folder), *INIT]) == 0
    assert main(["proof", "pack", str(folder), "-o", str(archive)]) == 0
    capsys.readouterr()
    assert main(["proof", "show", str(archive), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == summary(open_bundle(folder))
    assert (shown["id"], shown["effect"], shown["cwe"]) == ("CVE-1", "exception", [674])
    assert shown["target"]["purl"] == "pkg:pypi/sqlparse@0.4.4"


def test_show_is_for_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof", "show", str(folder_of(FILES, tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "title:    Deeply nested lists exhaust the stack\n" in out
    assert "pocs:     poc.bin (5000 bytes)\n" in out
    assert "expect:   type RecursionError\n" in out


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "harness.py").write_text("mine")
    assert main(["proof", "init", str(tmp_path), *INIT, "--id", "X"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "harness.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--purl", "sqlparse", "--effect", "crash", "--cwe", "1"], "expected a purl such as"),
        (["--purl", "pkg:pypi/x", "--effect", "crash", "--cwe", "1"], "purl: expected a version"),
        (["--purl", "pkg:gem/x@1", "--effect", "crash", "--cwe", "1"], "or --language"),
        (["--purl", "pkg:pypi/x@1", "--effect", "boom", "--cwe", "1"], "'boom' is not one of"),
        (["--purl", "pkg:pypi/x@1", "--effect", "crash", "--cwe", "0"], "[proof] cwe: expected"),
    ],
)  # fmt: skip
def test_init_writes_nothing_that_the_door_would_refuse(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proof", "init", str(tmp_path / "new"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_pack_gives_the_same_bytes_for_the_same_files(tmp_path: Path) -> None:
    folder = open_bundle(folder_of(FILES, tmp_path / "b"))
    packed = pack(folder)
    assert parse_archive(packed, where="b") == folder
    assert pack(parse_archive(packed, where="b")) == packed


def test_pack_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder_of(FILES, tmp_path / "b")
    (tmp_path / "b.zip").write_bytes(b"mine")
    assert main(["proof", "pack", str(tmp_path / "b"), "-o", str(tmp_path / "b.zip")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "b.zip").read_bytes() == b"mine"


def test_pack_names_the_file_after_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder_of(FILES, tmp_path / "CVE-1.v2")
    assert main(["proof", "pack", "CVE-1.v2"]) == 0
    assert open_bundle(tmp_path / "CVE-1.v2.zip") == open_bundle(tmp_path / "CVE-1.v2")


def test_a_bad_bundle_is_exit_code_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of({**FILES, "proof.toml": b"[proof]\nformat = 1\n"}, tmp_path)
    assert main(["proof", "show", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"clearhouse: {tmp_path}/proof.toml: [proof] id: the key is missing\n"
