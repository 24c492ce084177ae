"""``clearhouse commit``: what it prints opens with the file that it keeps."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from clearhouse.formats.report import read_report
from clearhouse.proof.door import open_bundle
from clearhouse.protocol import commitment

SAMPLE = Path(__file__).parents[2] / "samples/proofs/CVE-2019-14853"


def printed(capsys: pytest.CaptureFixture[str]) -> bytes:
    first = capsys.readouterr().out.splitlines()[0]
    return bytes.fromhex(first.removeprefix("commitment").strip())


def test_a_bundle_is_committed_to_and_the_key_opens_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "my.key"
    assert main(["commit", str(SAMPLE), "--key-file", str(key_file)]) == ExitCode.HOLDS
    made = printed(capsys)
    key = bytes.fromhex(key_file.read_text())
    digest = bytes.fromhex(open_bundle(SAMPLE).digest.removeprefix("sha256:"))
    assert commitment.opens(made, key, digest)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert main(["commit", str(SAMPLE), "--key-file", str(key_file)]) == ExitCode.HOLDS
    assert printed(capsys) == made


def test_a_report_is_committed_to_by_the_digest_that_the_office_computes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "flaw.json"
    file.write_text(json.dumps({"title": "A flaw"}))
    assert main(["commit", str(file)]) == ExitCode.HOLDS
    key = bytes.fromhex((tmp_path / "flaw.json.key").read_text())
    digest = bytes.fromhex(read_report(file.read_bytes(), "x").digest)
    assert commitment.opens(printed(capsys), key, digest)


@pytest.mark.parametrize("content", ["", "no key", "ab"])
def test_a_file_that_is_no_key_is_neither_used_nor_overwritten(
    tmp_path: Path, content: str
) -> None:
    key_file = tmp_path / "notes.txt"
    key_file.write_text(content)
    assert main(["commit", str(SAMPLE), "--key-file", str(key_file)]) == ExitCode.BAD_INPUT
    assert key_file.read_text() == content


def test_what_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert main(["commit", str(tmp_path / "nothing")]) == ExitCode.BAD_INPUT
    assert main(["commit", str(tmp_path / "nothing.json")]) == ExitCode.BAD_INPUT
    assert list(tmp_path.iterdir()) == []
