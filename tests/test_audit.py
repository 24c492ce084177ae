"""What is locked is held against advisories, and the answer says how recent they are."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "audit"
RECORD = {
    "id": "PYSEC-2021-66",
    "modified": "2021-04-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}],
        }
    ],
}


def audited(folder: Path, version: str, *records: object) -> tuple[int, str]:
    """The exit code and the answer for a lock file with that version of jinja2."""
    lock, advisories = folder / "some.lock", folder / "all.ndjson.gz"
    lock.write_text(f"jinja2=={version} \\\n    --hash=sha256:00\n")
    advisories.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
    done = subprocess.run(
        [sys.executable, TOOL, "--lock", lock, advisories], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("version", "code"), [("2.11.2", 1), ("2.11.3", 0)])
def test_a_locked_version_inside_a_range_is_named(tmp_path: Path, version: str, code: int) -> None:
    found, said = audited(tmp_path, version, RECORD)
    assert found == code, said
    assert ("PYSEC-2021-66" in said) is bool(code)
    assert "1 advisories up to 2021-04-01" in said


def test_a_record_that_was_withdrawn_says_nothing(tmp_path: Path) -> None:
    gone = RECORD | {"withdrawn": "2022-01-01T00:00:00Z"}
    assert audited(tmp_path, "2.11.2", gone)[0] == 0


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    done = subprocess.run([sys.executable, TOOL, missing], capture_output=True, text=True)
    assert done.returncode == 2
    assert "none.json" in done.stderr
