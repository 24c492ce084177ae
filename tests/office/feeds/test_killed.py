"""``clearhouse feeds load`` killed in the middle: run again, everything is there, nothing twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

_COUNT = 4000


def records(folder: Path) -> Path:
    path = folder / "many.ndjson"
    lines = (
        json.dumps(
            {
                "id": f"PYSEC-{number}",
                "modified": "2026-11-01T00:00:00Z",
                "affected": [
                    {
                        "package": {"ecosystem": "PyPI", "name": f"package-{number}"},
                        "versions": ["1.0"],
                    }
                ],
            }
        )
        for number in range(_COUNT)
    )
    path.write_text("\n".join(lines) + "\n")
    return path


def counted(home: Path, table: str) -> int:
    [database] = home.rglob("*.sqlite3")
    with sqlite3.connect(database) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(found[0])


@pytest.mark.exhaustive
def test_a_load_that_is_killed_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"CLEARHOUSE_HOME": str(home)}
    environment.pop("CLEARHOUSE_DATABASE", None)
    command = [sys.executable, "-m", "clearhouse", "feeds"]
    subprocess.run([*command, "list"], env=environment, check=True, capture_output=True)
    load = [*command, "load", str(records(tmp_path))]
    begun = subprocess.Popen(load, env=environment, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while counted(home, "feeds_record") == 0 and time.monotonic() < until:
        time.sleep(0.005)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    assert 0 < counted(home, "feeds_record") < _COUNT, "it was killed in the middle"
    done = subprocess.run(load, env=environment, check=True, capture_output=True, text=True)
    assert f"many.ndjson: {_COUNT:,} read, {_COUNT:,} new or changed, 0 left out" in done.stdout
    for table, expected in (("feeds_record", _COUNT), ("feeds_subject", _COUNT), ("feeds_load", 1)):
        assert counted(home, table) == expected
