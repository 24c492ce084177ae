"""``clearhouse feeds``: what is publicly known, loaded in every wrapping, also when cut off."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearhouse.cli.exits import ExitCode
from tests.office.serving import environment

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[2] / "samples" / "exposure"
LINES = (SAMPLES / "advisories.ndjson").read_bytes()
COUNT = LINES.count(b"\n")
_PORT = 1  # of an address that nobody asks: nothing is served
_WAIT_SECONDS = 60


class Beside:
    """The commands of an office that is not served."""

    def __init__(self, home: Path) -> None:
        self.environment = environment(home, _PORT)
        self.database = home / "clearhouse.sqlite3"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clearhouse", "feeds", *arguments],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def starts(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "clearhouse", "feeds", *arguments],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def position(self) -> int:
        """How far the last load is; 0 before there is one."""
        try:
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as store:
                rows = store.execute("SELECT position FROM feeds_load ORDER BY id DESC LIMIT 1")
                return int((rows.fetchone() or [0])[0])
        except sqlite3.OperationalError:
            return 0

    def counts(self) -> dict[str, int]:
        """What ``feeds list`` says there is."""
        said = self.run("list").stdout.splitlines()
        rows = [line.split() for line in said]
        return {row[0]: int(row[1].replace(",", "")) for row in rows if len(row) == 2}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an office in which nothing is known."""
    home = tmp_path_factory.mktemp("home")
    assert Beside(home).counts()["records"] == 0
    return home


@pytest.fixture
def office(empty: Path, tmp_path: Path) -> Beside:
    return Beside(shutil.copytree(empty, tmp_path / "home"))


def _folder(path: Path) -> Path:
    path.mkdir()
    for number, line in enumerate(LINES.splitlines()):
        (path / f"{number}.json").write_bytes(line)
    return path


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for line in LINES.splitlines():
            made.writestr(f"{json.loads(line)['id']}.json", line)
    return path


def _gz(path: Path) -> Path:
    path.write_bytes(gzip.compress(LINES))
    return path


def _lines(path: Path) -> Path:
    path.write_bytes(LINES)
    return path


@pytest.mark.parametrize(
    ("make", "name"),
    [(_folder, "osv"), (_zip, "all.zip"), (_gz, "all.ndjson.gz"), (_lines, "all.ndjson")],
    ids=["folder", "zip", "gz", "lines"],
)
def test_records_are_loaded_in_every_wrapping_and_again_without_a_change(
    make: Callable[[Path], Path], name: str, office: Beside, tmp_path: Path
) -> None:
    path = make(tmp_path / name)
    done = office.run("load", str(path))
    assert done.returncode == ExitCode.HOLDS, done.stderr
    assert done.stdout.startswith(f"{name}: {COUNT} read, ")
    assert done.stdout.endswith(f": {COUNT} read, {COUNT} new or changed, 0 left out\n")
    assert office.counts()["records"] == COUNT
    again = office.run("load", str(path), "--json")
    told = json.loads(again.stdout)
    assert (told["file"], told["read"], told["changes"]) == (name, COUNT, 0)
    listed = office.run("list").stdout
    assert listed.count(f"{name}: {COUNT} read, whole") == 2


def test_catalogues_are_known_by_what_they_hold(office: Beside, tmp_path: Path) -> None:
    renamed = tmp_path / "whatever.json"
    renamed.write_bytes((SAMPLES / "kev.json").read_bytes())
    epss = tmp_path / "scores.csv.gz"
    epss.write_bytes(
        gzip.compress(
            b"#model_version:v2025.03.14,score_date:2026-01-03T00:00:00Z\ncve,epss,percentile\n"
            b"CVE-2022-33891,0.94358,0.99962\n"
        )
    )
    done = office.run("load", str(renamed), str(epss))
    assert done.returncode == ExitCode.HOLDS, done.stderr
    found = office.counts()
    assert (found["kev"], found["epss"]) == (6, 1)


def test_what_is_malformed_is_named_left_out_and_takes_nothing_with_it(
    office: Beside, tmp_path: Path
) -> None:
    first, second, *rest = LINES.splitlines()
    broken = {**json.loads(second), "id": 7}
    path = tmp_path / "some.ndjson"
    path.write_bytes(b"\n".join([first, json.dumps(broken).encode(), b"{not json", *rest]))
    done = office.run("load", str(path))
    assert done.returncode == ExitCode.DOES_NOT_HOLD
    assert done.stdout.endswith(" new or changed, 2 left out\n")
    assert "some.ndjson:2: id: " in done.stderr
    assert "some.ndjson:3: is not JSON" in done.stderr
    assert "Traceback" not in done.stderr
    assert office.counts()["records"] == COUNT - 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00" * 100, b"PK\x03\x04 no archive", b"\x1f\x8b\x08 no archive", b"[" * 200_000],
    ids=["empty", "NUL", "zip", "gzip", "deep"],
)
def test_what_is_no_feed_is_left_out_with_the_reason(
    raw: bytes, office: Beside, tmp_path: Path
) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(raw)
    done = office.run("load", str(path))
    assert done.returncode == ExitCode.DOES_NOT_HOLD, done.stdout
    assert "1 left out" in done.stdout
    assert "feed.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_passed_over_is_named_and_nothing_loaded_is_not_well(
    office: Beside, tmp_path: Path
) -> None:
    folder = tmp_path / "feeds"
    folder.mkdir()
    done = office.run("load", str(folder))
    assert done.returncode == ExitCode.DOES_NOT_HOLD
    assert "nothing was loaded" in done.stderr
    (folder / "README").write_text("read me")
    (folder / "one.ndjson").write_bytes(LINES)
    done = office.run("load", str(folder))
    assert done.returncode == ExitCode.HOLDS, done.stderr
    assert "passed over: 1 file whose name is of no feed" in done.stderr
    assert "README" in done.stderr
    (folder / "bom.xml").write_text("<bom/>")
    done = office.run("load", str(folder))
    assert done.returncode == ExitCode.DOES_NOT_HOLD
    assert "expected a CycloneDX bom" in done.stderr


def test_a_path_that_is_not_there_is_named(office: Beside, tmp_path: Path) -> None:
    done = office.run("load", str(tmp_path / "none.zip"))
    assert done.returncode == ExitCode.BAD_INPUT
    assert "none.zip" in done.stderr


def _many(path: Path, count: int) -> Path:
    """A zip of so many records, each of a package of its own."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(count):
            record: dict[str, Any] = {
                "id": f"X-{number}", "modified": "2026-01-01T00:00:00Z",
                "affected": [
                    {"package": {"ecosystem": "PyPI", "name": f"package-{number}"},
                     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
                ],
            }  # fmt: skip
            made.writestr(f"X-{number}.json", json.dumps(record))
    return path


def test_a_load_that_is_killed_in_the_middle_goes_on_where_it_stood(
    office: Beside, tmp_path: Path
) -> None:
    count = 6_000
    path = _many(tmp_path / "all.zip", count)
    process = office.starts("load", str(path))
    end = time.monotonic() + _WAIT_SECONDS
    while office.position() == 0:
        assert time.monotonic() < end
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stood = office.position()
    assert 0 < stood < count
    assert office.counts()["records"] == stood, "as much is there as is noted, and nothing half"
    assert "cut off; load it again to go on" in office.run("list").stdout
    done = office.run("load", str(path), "--json")
    told = json.loads(done.stdout)
    assert (told["read"], told["changes"], told["left_out"]) == (count, count, 0)
    assert office.counts()["records"] == count
    listed = office.run("list").stdout
    assert listed.count("all.zip") == 1
    assert "cut off" not in listed
