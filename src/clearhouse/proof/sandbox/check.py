"""Trying to break out: everything that a hostile harness, target or build might do to the host.

Attempts are made from all places where other people's code runs: a run (as a native harness), the
process that imports a target, the sandbox for building, the room of an agent.  Each is named with
what stopped it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import bombs, bubblewrap
from clearhouse.proof.sandbox.baits import Baits
from clearhouse.proof.sandbox.bombs import Bomb
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import BuildSandbox, Command, CommandsKilled
from clearhouse.proof.sandbox.cell import MEGABYTE, Cell, Job, Limits
from clearhouse.proof.sandbox.gate import being_checked
from clearhouse.proof.sandbox.needs import bubblewrap_version, diagnosis, missing
from clearhouse.proof.sandbox.room import Room, RoomCommand

FORMAT = 1
_WATCH = replace(bombs.NOTHING, runtime_execs=0)
_PRINT = b"""\
import json, os
from warden.breakout.imported import RESULTS
def TestOneInput(data):
    rest = json.dumps(RESULTS).encode()
    while rest:
        rest = rest[os.write(1, rest):]
"""
_IMPORTS = {
    "forks": "fork bomb",
    "memory": "memory of its own",
    "shared": "shared memory that is in no page table",
    "never": "an import that does not end",
    "leaves": "leave processes behind",
}
_IMPORT_S, _IMPORT_BYTES, _IMPORT_SLACK_S = 0.7, 128 * MEGABYTE, 8.0
_ORDER = ("run", "import", "build", "room", "host")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt: where it was made, whether it was stopped (None: not tried here), by what."""

    place: str  # "run", "import", "build", "room" or "host"
    group: str
    name: str
    stopped: bool | None
    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All attempts on this machine."""

    results: tuple[Result, ...]
    seconds: float
    sandbox: str | None

    @property
    def through(self) -> tuple[Result, ...]:
        """The attempts that nothing stopped."""
        return tuple(r for r in self.results if r.stopped is False)

    @property
    def holds(self) -> bool:
        """Whether attempts were made and every one was stopped."""
        return any(r.stopped for r in self.results) and not self.through

    def as_json(self) -> dict[str, Any]:
        """The report as one document."""
        return {
            "format": FORMAT,
            "holds": self.holds,
            "tried": sum(r.stopped is not None for r in self.results),
            "through": len(self.through),
            "seconds": round(self.seconds, 2),
            "sandbox": self.sandbox,
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "user": os.geteuid(),
            "attempts": [asdict(r) for r in self.results],
        }


def check_sandbox(progress: Progress = lambda _: None) -> Report:
    """Make every attempt.  Raises :class:`Unavailable` where the sandbox cannot start here."""
    began = time.monotonic()
    if lacks := missing():
        raise Unavailable("; ".join(lacks))
    with being_checked(), Baits() as baits, ThreadPoolExecutor(2) as pool:
        bind = Bind(baits.shown, "/target")
        _first_cell(bind).close()
        half = len(bombs.BOMBS) // 2
        parts = [
            pool.submit(copy_context().run, part, bind, baits, some, progress)
            for part, some in (
                (_runs_and_imports, bombs.BOMBS[:half]),
                (_builds_and_others, bombs.BOMBS[half:]),
            )
        ]
        results = [result for part in parts for result in part.result()]
        results += [Result("host", "host", s.name, s.stopped, s.by, 0.0) for s in baits.reached()]
    results.sort(key=lambda r: _ORDER.index(r.place))  # stable: as they were made otherwise
    return Report(tuple(results), time.monotonic() - began, bubblewrap_version())


def _runs_and_imports(
    bind: Bind, baits: Baits, some: Sequence[Bomb], progress: Progress
) -> list[Result]:
    results: list[Result] = []
    progress("attempts of an import")
    with Cell([bind], preload=["warden.breakout.imported"]) as cell:
        results += _at_import(cell)
        progress("attempts of a run")
        results += _in_a_run(cell)
        results += _bombs(cell, some, progress)
        results.append(_leave(cell, baits))
        cell.run(bombs.PLANT.job(bubblewrap.interpreter()))
        results.append(_set_off(cell, bombs.SEARCH, "leftovers"))
    return results


def _builds_and_others(
    bind: Bind, baits: Baits, some: Sequence[Bomb], progress: Progress
) -> list[Result]:
    results: list[Result] = []
    progress("attempts of a build")
    results += _in_a_build(bind)
    results += _build_bombs(bind, baits, progress)
    progress("attempts of an agent")
    results += _in_a_room(bind, baits)
    results += _bad_imports(baits, progress)
    with Cell([bind]) as cell:
        results += _bombs(cell, some, progress)
    return results


def _first_cell(bind: Bind) -> Cell:
    try:
        return Cell([bind])
    except Unavailable as error:
        raise Unavailable(f"{error.message}; {diagnosis()}") from error


def _read(place: str, text: str) -> Iterator[Result]:
    """Results as attempts print them, one a line; an attempt that ended its process got through."""
    trying, done = None, False
    for line in text.splitlines():
        raw = json.loads(line)
        if "trying" in raw:
            trying = raw["trying"]
        elif "done" in raw:
            done = True
        else:
            yield Result(**raw)
    if not done:
        yield _failed(place, trying or "start", "the attempt did not come back")


def _failed(place: str, name: str, by: str) -> Result:
    return Result(place=place, group="check", name=name, stopped=False, by=by, seconds=0.0)


def _in_a_run(cell: Cell) -> Iterator[Result]:
    limits = Limits(wall_s=20.0, memory_bytes=256 * MEGABYTE, processes=bombs.PROCESSES)
    job = bombs.program(bubblewrap.interpreter(), "attempt", "run", limits=limits)
    yield from _read("run", cell.run(job)["output"]["out"])


def _at_import(cell: Cell) -> Iterator[Result]:
    if problem := cell.problems.get("warden.breakout.imported"):
        yield _failed("import", "start", problem)
        return
    extra = {
        "name": "harness.py",
        "source": base64.b64encode(_PRINT).decode(),
        "target": ["warden"],
    }
    record = cell.run(Job("python", b"", "none", Limits(), _WATCH, extra))
    lines = [json.dumps(r) for r in json.loads(record["output"]["out"] or "[]")]
    yield from _read("import", "\n".join([*lines, '{"done": true}'] if lines else []))


def _in_a_build(bind: Bind) -> Iterator[Result]:
    argv = bombs.arguments(bubblewrap.interpreter(), "attempt", "build")
    with BuildSandbox([bind]) as site:
        (result,) = site.run([Command(argv)])
    yield from _read("build", result.out)


def _in_a_room(bind: Bind, baits: Baits) -> Iterator[Result]:
    with Room([bind], bombs.ROOM_LIMITS) as room:
        argv = bombs.arguments(bubblewrap.interpreter(), "attempt", "room")
        done = room.run(RoomCommand(argv, timeout_s=bombs.ROOM_LIMITS.wall_s))
        yield from _read("room", done.out.decode("utf-8", "replace"))
        began = time.monotonic()
        argv = bombs.arguments(bubblewrap.interpreter(), "bombs", "leave", "room")
        room.run(RoomCommand(argv, timeout_s=bombs.ROOM_LIMITS.wall_s))
    left = baits.left("room")
    by = f"{len(left)} live on" if left else "ended with its namespace"
    seconds = round(time.monotonic() - began, 4)
    yield Result("room", "leftovers", "leave processes behind", not left, by, seconds)


def _build_bombs(bind: Bind, baits: Baits, progress: Progress) -> Iterator[Result]:
    with BuildSandbox(
        [bind], limits=bombs.BUILD_LIMITS, site_bytes=bombs.ROOT, site_files=1000
    ) as site:
        for name, key, expected in bombs.BUILD_BOMBS:
            progress(f"attempts of a build: {name}")
            began = time.monotonic()
            argv = bombs.arguments(bubblewrap.interpreter(), "bombs", key, "build")
            try:
                site.run([Command(argv)])
                ended, by = "exit", "refused, or ended with its namespace"
            except CommandsKilled as error:
                ended, by = error.limit, f"limit of {error.limit}"
            stopped = ended in expected and not (key == "leave" and baits.left("build"))
            seconds = round(time.monotonic() - began, 4)
            yield Result("build", "exhaustion", name, stopped, by, seconds)


def _bombs(cell: Cell, some: Sequence[Bomb], progress: Progress) -> Iterator[Result]:
    for bomb in some:
        progress(f"attempts of a run: {bomb.name}")
        yield _set_off(cell, bomb, "exhaustion")


def _set_off(cell: Cell, bomb: Bomb, group: str) -> Result:
    began = time.monotonic()
    stopped, by = bomb.judge(cell.run(bomb.job(bubblewrap.interpreter())))
    return Result("run", group, bomb.name, stopped, by, round(time.monotonic() - began, 4))


def _leave(cell: Cell, baits: Baits) -> Result:
    result = _set_off(cell, bombs.LEAVE, "leftovers")
    left = baits.left("run")
    if left:
        return replace(result, stopped=False, by=f"{len(left)} live on")
    return result


def _bad_imports(baits: Baits, progress: Progress) -> Iterator[Result]:
    """Targets whose import is the attack: the sandbox must end by itself, and wholly."""
    for key, name in _IMPORTS.items():
        progress(f"attempts of an import: {name}")
        text = "import sys; sys.path.insert(0, '/runtime/clearhouse')\n"
        text += f"from warden.breakout import at_import\nat_import.{key}()\n"
        (baits.shown / f"bad_{key}.py").write_text(text)
        began = time.monotonic()
        bind = Bind(baits.shown, "/target")
        by = "ended when the import had succeeded"
        try:
            with Cell(
                [bind],
                preload=[f"bad_{key}"],
                search=["/target"],
                start_s=_IMPORT_S,
                import_bytes=_IMPORT_BYTES,
            ) as cell:
                stopped = key == "leaves" and _alone(cell.pid)
        except Unavailable as error:
            stopped, by = True, error.message.rpartition(": ")[2]
        seconds = time.monotonic() - began
        if seconds > _IMPORT_S + _IMPORT_SLACK_S:
            stopped, by = False, f"it went on for {seconds:.1f} s"
        yield Result("import", "exhaustion", name, stopped, by, round(seconds, 4))


# bubblewrap outside and inside, the warden, the zygote
_OWN_PROCESSES = 4


def _alone(pid: int) -> bool:
    """Whether a sandbox has none but its own processes, or soon has."""
    deadline = time.monotonic() + 1.0
    while len(_tree(pid)) > _OWN_PROCESSES:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _tree(pid: int) -> list[int]:
    """A process and all its living descendants."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            folder = Path(f"/proc/{parent}/task/{parent}")
            for child in (folder / "children").read_text(encoding="ascii").split():
                state = Path(f"/proc/{child}/stat").read_bytes().rpartition(b") ")[2][:1]
                if state not in b"ZX":
                    found.append(int(child))
    return found
