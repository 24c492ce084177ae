"""Backups of offices at work, brought back elsewhere, on both databases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests.office.postgresql import Server, postgresql

__all__ = ["postgresql"]

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
_WRITE = """
import sys
import django
django.setup()
from django.utils import timezone
from clearhouse.formats.report import parse_report
from clearhouse.office.findings.actions import submit
from clearhouse.office.findings.intake import of_report
from clearhouse.office.ledgerbook.actions import sign_checkpoint
from clearhouse.protocol.roles import Role
from tests.office.story import somebody
viewer = somebody("hexfind", Role.FINDER)
first, last = int(sys.argv[1]), int(sys.argv[2])
for number in range(first, last):
    submit(viewer, [of_report(parse_report({"title": f"Report {number}"}, "report"))],
           now=timezone.now())
    print(number, flush=True)
    if number % 10 == 0:
        sign_checkpoint(now=timezone.now())
"""
_SIGN_IN = """
import django
django.setup()
from importlib import import_module
from django.conf import settings
made = import_module(settings.SESSION_ENGINE).SessionStore()
made["who"] = "ada"
made.create()
"""


@dataclass(frozen=True)
class Place:
    """A home and a database, there or yet to be made."""

    home: Path
    database: str

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT)]),
            "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
            "CLEARHOUSE_HOME": str(self.home),
            "CLEARHOUSE_DATABASE": self.database,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment, cwd=_ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a run of Python prints; it has to end with that code."""
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == code, out + errors
        return out + errors

    def clearhouse(self, *arguments: str, code: int = 0) -> str:
        return self.run("-m", "clearhouse", *arguments, code=code)

    def report(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.run("-m", "tests.office.kept", "report")))


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """An office with some findings, and a place for a second one."""
    urls = ["", ""]
    if request.param == "postgresql":
        server = cast("Server", request.getfixturevalue("postgresql"))
        urls = [server.new_database(), server.new_database()]
    first, second = (Place(tmp_path / f"home-{n}", url) for n, url in enumerate(urls))
    first.clearhouse("office", "prepare")
    first.run("-c", _WRITE, "0", "12")
    first.run("-c", _SIGN_IN)
    return first, second


def test_a_backup_made_beside_writers_comes_back_whole_elsewhere(
    places: tuple[Place, Place], tmp_path: Path
) -> None:
    first, second = places
    writer = first.start("-c", _WRITE, "12", "100000")
    assert writer.stdout is not None
    assert writer.stdout.readline().strip() == "12"
    told = first.clearhouse("office", "backup", str(tmp_path / "backup"))
    assert "seal-key" in told
    assert writer.poll() is None, "nobody wrote while the backup was made"
    time.sleep(0.5)
    writer.kill()
    written = 13 + len(writer.communicate()[0].split())

    assert "1 session(s) ended" in second.clearhouse("office", "restore", str(tmp_path / "backup"))
    kept = second.report()
    titles = sorted(int(one["title"].split()[1]) for one in kept["findings"])
    assert titles == list(range(len(titles))), "what came first is there, without a gap"
    assert 13 <= len(titles) < written
    assert all(one["is_readable"] for one in kept["findings"])
    assert len(kept["jobs"]) == len(titles)
    verified = second.clearhouse("ledger", "verify")
    assert "everything fits" in verified
    assert f"entries:     {len(titles)}\n" in verified
    # And it goes on from there.
    second.run("-c", _WRITE, "200000", "200011")
    assert "everything fits" in second.clearhouse("ledger", "verify")


def test_only_the_owner_can_read_a_backup(places: tuple[Place, Place], tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    places[0].clearhouse("office", "backup", str(folder))
    assert folder.stat().st_mode & 0o077 == 0
    secret = [one for one in folder.iterdir() if one.name != "SHA256SUMS"]
    assert len(secret) == 4
    assert all(one.stat().st_mode & 0o077 == 0 for one in secret)
    sums = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=folder).returncode == 0


def test_nothing_is_written_over(places: tuple[Place, Place], tmp_path: Path) -> None:
    first, second = places
    backup = str(tmp_path / "backup")
    first.clearhouse("office", "backup", backup)
    assert "is there already" in first.clearhouse("office", "backup", backup, code=1)
    assert "already; restore into" in first.clearhouse("office", "restore", backup, code=1)
    # A database without its keys is not written over either.
    for key in first.home.glob("*-key"):
        key.unlink()
    assert "already; restore" in first.clearhouse("office", "restore", backup, code=1)
    second.clearhouse("office", "restore", backup)
    assert len(second.report()["findings"]) == 12


def test_a_key_of_another_office_is_told(places: tuple[Place, Place], tmp_path: Path) -> None:
    first, second = places
    backup = tmp_path / "backup"
    first.clearhouse("office", "backup", str(backup))
    (first.home / "seal-key").write_text("ab" * 32)
    told = first.clearhouse("office", "backup", str(tmp_path / "another"), code=3)
    assert "sealed with another key" in told
    assert not (tmp_path / "another").exists()
    shutil.copyfile(backup / "seal-key", first.home / "seal-key")
    (first.home / "ledger-key").write_text("ab" * 32)
    told = first.clearhouse("office", "backup", str(tmp_path / "another"), code=3)
    assert "was not signed with" in told
    (first.home / "ledger-key").write_text("")
    told = first.clearhouse("office", "backup", str(tmp_path / "another"), code=3)
    assert "the ledger's key cannot be read" in told
    # Altered after it was made: told before anything is put in place.
    (backup / "seal-key").write_text("ab" * 32)
    told = second.clearhouse("office", "restore", str(backup), code=2)
    assert "seal-key is not as it was" in told
    assert not second.home.exists()


def test_a_home_that_is_none_is_told_and_not_made(
    places: tuple[Place, Place], tmp_path: Path
) -> None:
    _, second = places
    told = second.clearhouse("office", "backup", str(tmp_path / "backup"), code=3)
    assert "is CLEARHOUSE_HOME right?" in told
    assert not second.home.exists()
    (tmp_path / "half").mkdir()
    told = second.clearhouse("office", "restore", str(tmp_path / "half"), code=2)
    assert "holds no database" in told
