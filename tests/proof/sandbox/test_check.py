"""Trying to break out: nothing gets through here, and what would get through is seen."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.sandbox import bombs, bubblewrap
from clearhouse.proof.sandbox.baits import Baits
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell, Limits
from clearhouse.proof.sandbox.check import Report, check_sandbox
from clearhouse.proof.sandbox.gate import being_checked
from clearhouse.proof.warden.breakout.attempt import Attempt, Facts, every, make
from clearhouse.proof.warden.breakout.bombs import BOMBS

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def report() -> Report:
    return check_sandbox()


def test_nothing_gets_through(report: Report) -> None:
    assert [(r.place, r.name, r.by) for r in report.through] == []
    assert report.holds


def test_attempts_are_made_from_every_place_of_foreign_code(report: Report) -> None:
    made = {
        place: {r.name for r in report.results if r.place == place}
        for place in ("run", "import", "build", "room")
    }
    for place, names in made.items():
        assert {a.name for a in every() if place in a.places} <= names
    assert {b.name for b in bombs.BOMBS} <= made["run"]
    assert {name for name, _, _ in bombs.BUILD_BOMBS} <= made["build"]


def test_no_bomb_lies_unused() -> None:
    used = {b.key for b in (*bombs.BOMBS, bombs.LEAVE, bombs.PLANT, bombs.SEARCH)}
    assert used == set(BOMBS)
    assert {key for _, key, _ in bombs.BUILD_BOMBS} <= used


def test_each_attempt_says_what_stopped_it(report: Report) -> None:
    assert all(r.by and r.seconds >= 0 for r in report.results)


def test_the_report_is_one_document(report: Report) -> None:
    document = json.loads(json.dumps(report.as_json()))
    assert document["format"] == 1
    assert document["holds"] is True
    assert document["tried"] == sum(r.stopped is not None for r in report.results) > 200
    assert document["attempts"][0].keys() == {"place", "group", "name", "stopped", "by", "seconds"}


def test_a_report_without_attempts_does_not_hold() -> None:
    assert not Report((), 0.0, None).holds


# -- attempts that find no sandbox in their way get through ----------------------------------------


@pytest.fixture
def baits() -> Iterator[Baits]:
    with Baits() as laid_out:
        yield laid_out


# Those that are harmless where nothing stops them.
UNSTOPPED = (
    "connect to a service on the host's loopback, IPv4",
    "connect to an abstract socket of the host",
    "read a file of the host by its name",
    "read it from a parent of the root",
    "find names of the host in its folders",
    "read accounts, password hashes and keys",
    "read the host's environment",
    "find a file system of the host that can be written",
    "find devices of the host",
    "see the host's processes",
)


def make_outside(baits: Baits, name: str) -> dict[str, Any]:
    """Make an attempt in a process of its own, with no sandbox around it."""
    code = (
        "import json, sys\n"
        "from clearhouse.proof.warden.breakout.attempt import Facts, every, make\n"
        "facts = Facts.read('run', sys.argv[1])\n"
        "print(json.dumps(make(next(a for a in every() if a.name == sys.argv[2]), facts)))"
    )
    facts = str(baits.shown / "facts.json")
    done = subprocess.run(
        [sys.executable, "-c", code, facts, name], capture_output=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("name", UNSTOPPED)
def test_without_a_sandbox_an_attempt_gets_through(baits: Baits, name: str) -> None:
    result = make_outside(baits, name)
    assert result["stopped"] is False
    assert "could not be tried" not in result["by"]


def test_a_visit_to_a_bait_is_seen_from_the_host(baits: Baits) -> None:
    make_outside(baits, UNSTOPPED[0])
    Path(json.loads((baits.shown / "facts.json").read_text())["marker"]).write_text("changed")
    seen = {s.name: s.stopped for s in baits.reached()}
    assert seen["a service of the host was reached"] is False
    assert seen["a file of the host was changed"] is False
    assert seen["a process of the host was harmed"] is True


def test_a_harmed_process_is_seen_from_the_host(baits: Baits) -> None:
    facts = Facts.read("run", str(baits.shown / "facts.json"))
    os.kill(facts.decoy, 9)
    os.waitpid(facts.decoy, 0)
    assert {s.name: s.stopped for s in baits.reached()}["a process of the host was harmed"] is False


def test_an_attempt_that_breaks_is_no_attempt_that_was_stopped(baits: Baits) -> None:
    def broken(_: Facts) -> str:
        raise KeyError("a mistake of ours")

    facts = Facts.read("run", str(baits.shown / "facts.json"))
    result = make(Attempt("any", "any", broken, ("run",)), facts)
    assert result["stopped"] is False


def test_a_folder_of_the_host_that_is_let_in_is_found(baits: Baits) -> None:
    job = bombs.program(
        bubblewrap.interpreter(), "attempt", "run", limits=Limits(memory_bytes=256 << 20)
    )
    # Not below /tmp, of which every sandbox has its own.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as host:
        Path(host).chmod(0o755)
        facts = json.loads((baits.shown / "facts.json").read_text())
        facts["marker"] = f"{host}/marker"
        Path(facts["marker"]).write_text("let in")
        (baits.shown / "facts.json").write_text(json.dumps(facts))
        with being_checked(), Cell([Bind(baits.shown, "/target")], runtime_folders=[host]) as cell:
            lines = cell.run(job)["output"]["out"].splitlines()
    results = {r["name"]: r for r in map(json.loads, lines) if "name" in r}
    assert results["read a file of the host by its name"]["stopped"] is False
    assert results["read it from a parent of the root"]["stopped"] is False


# -- limits hold however a run uses them up --------------------------------------------------------


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    with being_checked(), Baits() as laid_out, Cell([Bind(laid_out.shown, "/target")]) as started:
        yield started


@pytest.mark.parametrize("bomb", bombs.BOMBS, ids=lambda b: b.key.replace(" ", "-"))
def test_each_bomb_is_judged_unstopped_where_its_limits_are_wide(
    cell: Cell, bomb: bombs.Bomb
) -> None:
    """The judge of a bomb does not take an ordinary end for a limit."""
    record = {
        "init": "ended", "wall_total_s": 0.1, "killed": None, "exit_status": 0, "report": [],
        "marks": (1 << 40).to_bytes(8, "little").hex(),
        "output": {"out": "", "err": ""},
    }  # fmt: skip
    ends_by_itself = {"forged report", "deep", "kill"}
    assert bomb.judge(record)[0] is (bomb.key in ends_by_itself)
    assert bomb.judge(record | {"init": "stuck"})[0] is False
    assert bomb.judge(record | {"wall_total_s": 60.0})[0] is False


def test_a_run_after_all_of_that_is_like_the_first(cell: Cell) -> None:
    for key in ("kill", "forged report", "fork bomb", "calls"):
        (bomb,) = [b for b in bombs.BOMBS if b.key == key]
        assert bomb.judge(cell.run(bomb.job(bubblewrap.interpreter())))[0]
    record = cell.run(bombs.SEARCH.job(bubblewrap.interpreter()))
    assert record["output"]["out"] == "[]"
    assert (record["init"], record["exit_status"]) == ("ended", 0)


def test_a_sandbox_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[Cell] = []

    def start() -> None:
        with being_checked(), Baits() as laid_out:
            started.append(Cell([Bind(laid_out.shown, "/target")]))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    with started[0] as cell:
        job = bombs.program(bubblewrap.interpreter(), "bombs", "none")
        assert cell.run(job)["init"] == "ended"


@pytest.mark.slow
def test_the_check_holds_for_an_ordinary_user(ordinary: dict[str, str]) -> None:
    """The same attempts by somebody who is not root, with keys of a login session."""
    if os.geteuid() != 0:
        pytest.skip("the other tests already run as an ordinary user")
    code = (
        "import ctypes; call = ctypes.CDLL(None).syscall\n"
        "assert call(248, b'user', b'of-a-session', b'x', ctypes.c_size_t(1), -4) > 0  # add_key\n"
        "assert 'of-a-session' in open('/proc/keys').read()\n"
        "from clearhouse.proof.sandbox.check import check_sandbox\n"
        "import json; r = check_sandbox()\n"
        "print(json.dumps([[x.place, x.name, x.by] for x in r.through]), len(r.results))"
    )
    done = subprocess.run(
        [ordinary["python"], "-c", code],
        env={"PYTHONPATH": ordinary["path"], "HOME": ordinary["home"], "PATH": os.environ["PATH"]},
        user=int(ordinary["uid"]), group=int(ordinary["uid"]), extra_groups=[],
        cwd="/", capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.startswith("[] "), done.stdout + done.stderr


def test_what_is_missing_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    """Without bubblewrap on the path the command says so and exits with 3."""
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "clearhouse", "sandbox", "check"],
        env=environment | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "apt-get install bubblewrap" in done.stderr
    with contextlib.suppress(FileNotFoundError):
        assert not list((tmp_path / ".cache").rglob("*.json"))


def test_what_a_killed_check_left_goes_with_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os, signal; from clearhouse.proof.sandbox.baits import Baits\n"
        "with Baits(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = [sys.executable, "-c", code]
    subprocess.run(killed, check=False, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert len(list(tmp_path.iterdir())) == 1
    with Baits(), Baits():  # a check that is going on keeps its own
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []
