"""``clearhouse history``: what is refused before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearhouse.cli.main import main
from tests.proof.making import FILES, MANIFEST, folder_of


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["history", *map(str, arguments)])
    shown = capsys.readouterr()
    assert shown.out == ""
    return code, shown.err


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return folder_of(FILES, tmp_path / "bundle")


ADVISORIES = {
    "no file": (None, "cannot be read: No such file or directory"),
    "no JSON": ("{", "expected an OSV record in JSON"),
    "nested beyond reason": ("[" * 100_000, "expected an OSV record in JSON"),
    "not UTF-8": (b"\xff{}", "expected an OSV record in JSON"),
    "no record": ("[]", "expected an object, found a list"),
    "no identifier": ('{"affected": []}', "expected id as text"),
    "another package": (
        json.dumps(
            {"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "other"}}]}
        ),
        "affected: expected an entry for PyPI/sqlparse, found PyPI/other",
    ),
}


@pytest.mark.parametrize(("content", "message"), ADVISORIES.values(), ids=ADVISORIES)
def test_an_advisory_is_read_before_anything_is_run(
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | bytes | None,
    message: str,
) -> None:
    advisory = tmp_path / "advisory.json"
    if content is not None:
        advisory.write_bytes(content.encode() if isinstance(content, str) else content)
    code, err = told(capsys, bundle, "--compare", advisory)
    assert code == 2
    assert f"{advisory}: {message}" in err


def test_a_bundle_that_ships_its_source_has_no_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = MANIFEST.replace('purl = "pkg:pypi/sqlparse@0.4.4"', 'source = "src"')
    manifest = manifest.replace('fixed = "0.5.0"', "")
    shipped = {**FILES, "proof.toml": manifest.encode(), "src/sqlparse.py": b"parse = list\n"}
    code, err = told(capsys, folder_of(shipped, tmp_path / "shipped"))
    assert code == 2
    assert "proof.toml: target.purl: a history needs a package of a registry" in err


def test_a_bundle_that_is_none_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = told(capsys, tmp_path / "nothing")
    assert code == 2
    assert "nothing" in err


@pytest.mark.parametrize("option", [("--every", "0"), ("--jobs", "0"), ("--limit",)])
def test_options_are_checked(
    bundle: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    code, _ = told(capsys, bundle, *option)
    assert code == 2
