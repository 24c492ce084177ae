"""Attempts that need a run of their own, and what must have ended each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clearhouse.proof.sandbox.build import BuildLimits
from clearhouse.proof.sandbox.cell import MEGABYTE, Job, Limits, Watch
from clearhouse.proof.sandbox.room import RoomLimits

MEMORY = 96 * MEGABYTE
ROOT, SHARED_FOLDER = 24 * MEGABYTE, 16 * MEGABYTE
PROCESSES = 24
# A limit that is looked at every hundredth of a second is passed by what fits into some of them.
_SLACK_S, _SLACK_BYTES = 6.0, 512 * MEGABYTE
# One file for each 8 KiB of room, as warden/cage.py has it.
_SMALL_ROOT = 8 * MEGABYTE
_FILES = (_SMALL_ROOT + SHARED_FOLDER) // 8192
_LIMITS = Limits(
    cpu_s=3.0,
    wall_s=4.0,
    memory_bytes=MEMORY,
    processes=PROCESSES,
    file_bytes=8 * MEGABYTE,
    output_bytes=MEGABYTE,
)
ROOM_LIMITS = RoomLimits(
    cpu_s=30.0,
    wall_s=60.0,
    memory_bytes=256 * MEGABYTE,
    processes=PROCESSES,
    file_bytes=8 * MEGABYTE,
    disk_bytes=ROOT,
)
_SHORT = replace(_LIMITS, cpu_s=0.3, wall_s=0.4)
_LITTLE_CPU = replace(_LIMITS, cpu_s=0.2)
NOTHING = Watch(
    effect="none",
    cpu_s=1e9,
    memory_bytes=1 << 62,
    reads=False,
    stack="none",
    unwind=False,
    runtime_execs=1,
)

Judge = Callable[[Mapping[str, Any], int], str | None]


@dataclass(frozen=True)
class Bomb:
    """One attempt: its names here and inside, its limits, and what stopped it (None: nothing)."""

    name: str
    key: str
    stopped_by: Judge
    limits: Limits = _LIMITS
    root: int = ROOT

    def job(self, interpreter: str) -> Job:
        """The job that sets it off."""
        job = program(interpreter, "bombs", self.key, "run", limits=self.limits)
        return replace(job, root_bytes=self.root)

    def judge(self, record: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether it was stopped, and by what."""
        if record["init"] != "ended":
            return False, f"the sandbox itself was hit: {record['init']}"
        if record["wall_total_s"] > self.limits.wall_s + _SLACK_S:
            return False, f"it went on for {record['wall_total_s']:.1f} s"
        by = self.stopped_by(record, amount(record))
        if by is None:
            ended = record["killed"] or f"status {record['exit_status']}"
            err = record["output"]["err"].strip().rpartition("\n")[2][:120]
            return False, f"nothing stopped it: {ended}, {amount(record)} reached {err}".strip()
        return True, by


def arguments(interpreter: str, module: str, *more: str) -> list[str]:
    """How a module of ``warden.breakout`` is started inside."""
    code = (
        "import sys; sys.path.insert(0, '/runtime/clearhouse'); "
        f"from warden.breakout.{module} import main; main()"
    )
    return [interpreter, "-I", "-S", "-c", code, *more]


def program(interpreter: str, module: str, *more: str, limits: Limits = _LIMITS) -> Job:
    """A job that runs a module of ``warden.breakout`` as a native harness is run."""
    return Job(
        runtime="program",
        input=b"",
        token="none",  # noqa: S106 - the canary's text
        limits=limits,
        watch=NOTHING,
        extra={},
        argv=arguments(interpreter, module, *more),
        root_bytes=ROOT,
    )


def amount(record: Mapping[str, Any]) -> int:
    """How far a bomb got, by its own mark."""
    return int.from_bytes(bytes.fromhex(record["marks"])[:8], "little")


def _killed(*limits: str, at_most: int | None = None) -> Judge:
    def judge(record: Mapping[str, Any], reached: int) -> str | None:
        if record["killed"] not in limits or (at_most is not None and reached > at_most):
            return None
        after = f", after {reached / MEGABYTE:.0f} MiB" if at_most is not None else ""
        return f"limit of {record['killed']}{after}"

    return judge


def _at_most(most: int, unit: str, *, scale: int = 1) -> Judge:
    def judge(record: Mapping[str, Any], reached: int) -> str | None:
        if reached > most:
            return None
        how = f"limit of {record['killed']}" if record["killed"] else "limit"
        return f"{how} after {reached // scale} {unit}"

    return judge


def _ended(record: Mapping[str, Any], _: int) -> str:
    if record["killed"] is not None:
        return f"limit of {record['killed']}"
    return "gone with its namespace"


def _ignored(record: Mapping[str, Any], _: int) -> str | None:
    if record["killed"] is None and record["exit_status"] == 0 and not record["report"]:
        return "not read as reports"
    return None


def _found_nothing(record: Mapping[str, Any], _: int) -> str | None:
    return "nothing is there" if record["output"]["out"] == "[]" else None


_MEMORY_KILL = _killed("memory", at_most=MEMORY + _SLACK_BYTES)
_MIB = MEGABYTE

BOMBS = (
    Bomb("memory of its own", "heap", _MEMORY_KILL),
    Bomb("memory spread over processes", "heap of many", _MEMORY_KILL),
    Bomb("shared memory that is in no page table", "shared", _MEMORY_KILL),
    Bomb("page tables", "page tables", _MEMORY_KILL),
    Bomb("memory after the first thread has ended", "leaderless", _MEMORY_KILL),
    Bomb(
        "fill every folder",
        "files",
        _at_most(ROOT + SHARED_FOLDER, "MiB", scale=_MIB),
    ),
    Bomb(
        "more files than the kernel can hold", "names", _at_most(_FILES, "files"), root=_SMALL_ROOT
    ),
    Bomb("fill pipes", "pipes", _at_most(4 * 128 * 65536, "MiB", scale=_MIB)),
    Bomb("fill sockets", "sockets", _at_most(_SLACK_BYTES, "MiB", scale=_MIB)),
    Bomb("processes", "forks", _at_most(PROCESSES, "processes")),
    Bomb("threads", "threads", _at_most(PROCESSES, "threads")),
    Bomb("processes that are never reaped", "zombies", _at_most(PROCESSES, "processes")),
    Bomb("fork bomb", "fork bomb", _killed("cpu", "wall", "memory"), _SHORT),
    Bomb("processor time, deaf to signals", "spin", _killed("cpu"), _LITTLE_CPU),
    Bomb(
        "processor time after the first thread has ended",
        "leaderless spin",
        _killed("cpu"),
        _LITTLE_CPU,
    ),
    Bomb("sleep for ever, deaf to signals", "sleep", _killed("wall"), _SHORT),
    Bomb("stop itself and its parent", "stop", _killed("wall", "cpu"), _SHORT),
    Bomb("flood of observed system calls", "calls", _killed("cpu", "wall"), _SHORT),
    Bomb("flood of output", "output", _killed("output")),
    Bomb("flood of the observer's report", "report", _killed("output")),
    Bomb("malformed lines in the observer's report", "forged report", _ignored),
    Bomb("longest names, deepest folders", "deep", _ended),
    Bomb("kill its parent and everything it can", "kill", _ended),
)

PLANT, SEARCH = (
    Bomb("plant", "plant", _ended),
    Bomb("find what the run before left", "search", _found_nothing),
)
LEAVE = Bomb("leave processes behind", "leave", _ended)

#: The same in a build, and which limits may have ended each ("exit": it was refused, and ended).
BUILD_BOMBS = (
    ("memory of its own", "heap", ("memory",)),
    ("shared memory that is in no page table", "shared", ("exit",)),
    ("page tables", "page tables", ("memory",)),
    ("fill every folder", "files", ("exit",)),
    ("fill sockets", "sockets", ("sockets", "memory")),
    ("fork bomb", "fork bomb", ("wall", "memory")),
    ("sleep for ever, deaf to signals", "sleep", ("wall",)),
    ("flood of output", "output", ("output",)),
    ("kill its parent and everything it can", "kill", ("exit",)),
    ("leave processes behind", "leave", ("exit",)),
)
BUILD_LIMITS = BuildLimits(
    cpu_s=3.0,
    wall_s=0.8,
    memory_bytes=MEMORY,
    processes=PROCESSES,
    file_bytes=8 * MEGABYTE,
    output_bytes=MEGABYTE,
)
