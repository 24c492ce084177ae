"""A store outlives its writers, and readers see whole states only."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from clearhouse.errors import Invalid
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Component
from tests.exposure.columnar.fleets import record

# Forks a writer for each step from 1 on, and kills it before its file operation of that number.
KILLED = """
import os, signal, sys
from pathlib import Path
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Component

folder = sys.argv[1]
step = int(sys.argv[2])

def write():
    left = step
    def count(event, arguments):
        nonlocal left
        if event in {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "fcntl.flock"}:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    store = Store(Path(folder))
    sys.addaudithook(count)
    version = f"1.{step}"
    store.put(1, [Component("PyPI", "a", version), Component("PyPI", "b", version)])
    os._exit(0)

while True:
    child = os.fork()
    if child == 0:
        write()
    _, status = os.waitpid(child, 0)
    print(step, os.waitstatus_to_exitcode(status), flush=True)
    sys.stdin.readline()
    if status == 0:
        break
    step += 1
"""

WRITER = """
import sys
from contextlib import ExitStack
from pathlib import Path
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Component

store = Store(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    store.put(1, [Component("PyPI", f"p{one}", f"1.{number}") for one in range(20)])
    print(number, flush=True)
"""

READER = """
import select, sys
from pathlib import Path
from clearhouse.exposure.columnar.store import Store

store = Store(Path(sys.argv[1]))
last = seen = 0
print("ready", flush=True)
ending = False
while not ending:
    ending = bool(select.select([sys.stdin], [], [], 0)[0])
    with store.snapshot() as now:
        found = now.of_holder(1)
    versions = {one.component.version for one in found}
    assert (len(found), len(versions)) in ((20, 1), (0, 0)), (len(found), versions)
    number = int(next(iter(versions)).removeprefix("1.")) if versions else 0
    assert number >= last, (number, last)
    seen += number > last
    last = number
print(seen)
"""


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def versions(folder: Path) -> set[str]:
    with Store(folder).snapshot() as now:
        found = now.of_holder(1)
    assert len(found) in (0, 2)
    return {one.component.version for one in found}


@pytest.mark.slow
def test_a_writer_killed_at_any_step_leaves_the_old_or_the_new_state(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store(folder)
    store.load([record("X-1", "a"), record("X-2", "b")])
    store.put(1, [Component("PyPI", "a", "1.0"), Component("PyPI", "b", "1.0")])
    before = {"1.0"}
    kept = taken = 0
    with run(KILLED, folder, 1) as killed:
        assert killed.stdin is not None
        assert killed.stdout is not None
        for line in killed.stdout:
            step, code = line.split()
            found = versions(folder)
            assert found in (before, {f"1.{step}"})
            assert code == "0" or int(code) == -signal.SIGKILL
            kept += found == before
            taken += found != before
            before = found
            killed.stdin.write("\n")
            killed.stdin.flush()
    assert kept > 5
    assert taken > 2
    store.compact()
    with store.snapshot() as now:
        wanted = {one.name for table in ("stored_facts", "dimensions") for one in now.files(table)}
    left = {one.name for one in folder.iterdir()}
    assert wanted <= left
    assert not [one for one in left if one.endswith(".new")]
    assert len([one for one in left if one.startswith("stored_facts")]) == 1


@pytest.mark.slow
def test_two_processes_read_while_one_writes_and_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    Store(folder).load([record(f"X-{one}", f"p{one}") for one in range(20)])
    with ExitStack() as ended:
        readers = [ended.enter_context(run(READER, folder)) for _ in range(2)]
        for one in readers:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for start in (0, 100, 200):
            with run(WRITER, folder, start) as writer:
                assert writer.stdout is not None
                for number in range(start + 1, start + 6):
                    assert writer.stdout.readline() == f"{number}\n"
                writer.kill()
        for one in readers:
            out, _ = one.communicate("end\n", timeout=60)
            assert one.returncode == 0
            assert int(out) >= 1


def test_a_damaged_state_is_refused_with_its_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(1, [Component("PyPI", "a", "1")])
    (state,) = tmp_path.glob("state-*.json")
    for damaged in ("{", '{"format": "other"}', '{"format": "clearhouse-exposure/1", "files": []}'):
        state.write_text(damaged)
        with pytest.raises(Invalid) as caught, store.snapshot():
            pass
        assert caught.value.where == state.name


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "one.txt").write_text("mine")
    (tmp_path / "fleet.parquet").write_text("mine")
    (tmp_path / "stored_facts-7-0.parquet").write_text("left behind by a crash")
    store = Store(tmp_path)
    store.put(1, [Component("PyPI", "a", "1")])
    store.put(1, [Component("PyPI", "a", "2")])
    assert (tmp_path / "notes" / "one.txt").exists()
    assert (tmp_path / "fleet.parquet").exists()
    assert not (tmp_path / "stored_facts-7-0.parquet").exists()
    assert len(list(tmp_path.glob("state-*.json"))) == 1
