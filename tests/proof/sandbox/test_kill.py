"""kill -9 at any instant leaves nothing: no process, no mount, no file."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import clearhouse
from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import bombs, bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell
from clearhouse.proof.sandbox.gate import being_checked

pytestmark = pytest.mark.sandbox

ENGINE = Path(__file__).with_name("engine.py")
# CLEARHOUSE_KILLS=300 looks longer.
KILLS = int(os.environ.get("CLEARHOUSE_KILLS", "4"))
_PATIENCE_S = 10.0

Start = Callable[[], subprocess.Popen[bytes]]


class Bound:
    """A folder that a test's sandboxes have bound; by its name everything of them is found."""

    def __init__(self, base: Path) -> None:
        self.name = f"bound-{random.getrandbits(64):016x}"
        self.folder = base / self.name
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.temporary = base / f"temporary-{self.name}"
        self.temporary.mkdir()
        self.temporary.chmod(0o777)

    def processes(self) -> list[int]:
        """Processes that have the folder mounted, or were started to mount it."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            for name in ("mountinfo", "cmdline"):
                with contextlib.suppress(OSError):
                    if self.name.encode() in (entry / name).read_bytes():
                        found.append(int(entry.name))
                        break
        return found

    def left(self) -> list[str]:
        """What is left after a while: processes, mounts, temporary files."""
        deadline = time.monotonic() + _PATIENCE_S
        while (running := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.01)
        mounts = [
            m for m in Path("/proc/self/mountinfo").read_text().splitlines() if self.name in m
        ]
        return [
            *(f"process {pid}" for pid in running),
            *mounts,
            *(p.name for p in self.temporary.iterdir()),
        ]

    def end(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def bound(open_folder: Path) -> Iterator[Bound]:
    made = Bound(open_folder)
    yield made
    made.end()


@pytest.fixture(params=["as started", "as an ordinary user"])
def start(request: pytest.FixtureRequest, bound: Bound) -> Start:
    """Start an engine that is always in the middle of something."""
    environment = {"TMPDIR": str(bound.temporary), "PATH": os.environ["PATH"]}
    source = str(Path(clearhouse.__file__).parent.parent)

    def as_started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, ENGINE, source, bound.folder], env=environment, stdout=subprocess.PIPE
        )

    if request.param == "as started":
        return as_started
    if os.geteuid() != 0:
        pytest.skip("the other half of this test already runs as an ordinary user")
    ordinary: dict[str, str] = request.getfixturevalue("ordinary")
    uid = int(ordinary["uid"])
    engine = Path(ordinary["path"]) / "engine.py"
    engine.write_bytes(ENGINE.read_bytes())

    def as_ordinary() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [ordinary["python"], engine, ordinary["path"], bound.folder],
            env=environment, stdout=subprocess.PIPE, user=uid, group=uid, extra_groups=[], cwd="/",
        )  # fmt: skip

    return as_ordinary


def _until(engine: subprocess.Popen[bytes], word: bytes) -> None:
    assert engine.stdout is not None
    while (line := engine.stdout.readline()) != word + b"\n":
        assert line, "the engine ended by itself"


@pytest.mark.parametrize(
    ("after", "within_s"), [(b"starting", 0.15), (b"started", 0.3), (b"ran", 0.2)]
)
def test_killing_the_engine_at_any_instant_leaves_nothing(
    bound: Bound, start: Start, after: bytes, within_s: float
) -> None:
    chance = random.Random()
    for _ in range(KILLS):
        with start() as engine:
            _until(engine, after)
            instant = chance.uniform(0, within_s)
            time.sleep(instant)
            engine.kill()
        assert bound.left() == [], f"killed {instant * 1000:.1f} ms after {after.decode()!r}"


@pytest.mark.parametrize("victim", range(5))
def test_killing_any_process_of_the_sandbox_ends_all_of_it(bound: Bound, victim: int) -> None:
    """bubblewrap outside and inside, the warden, the zygote, and what is below it."""
    with being_checked(), Cell([Bind(bound.folder, "/target")]) as cell:
        tree = [cell.pid]
        for parent in tree:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            tree += [int(child) for child in children]
        if victim >= len(tree):
            pytest.skip("an idle sandbox has no more processes")
        os.kill(tree[victim], signal.SIGKILL)
        try:
            record = cell.run(bombs.program(bubblewrap.interpreter(), "bombs", "none"))
        except Unavailable:
            pass  # the engine is told
        else:
            assert record["init"] == "zygote gone"
    assert bound.left() == []


def test_closing_a_sandbox_in_the_middle_of_a_run_leaves_nothing(
    bound: Bound, start: Start
) -> None:
    """An ordinary end, by SIGTERM's default action."""
    with start() as engine:
        _until(engine, b"ran")
        engine.terminate()
    assert bound.left() == []
