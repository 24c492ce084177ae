"""Evaluation: the agent's sandbox, one attempt, and the agents whose result is known."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from clearhouse.benchmark.building import Made, Masking, make_item, public_canary, write_item
from clearhouse.benchmark.evaluation.closing import counted
from clearhouse.benchmark.evaluation.running import Row, Scripted, Settings, rows, run_scripted
from clearhouse.benchmark.items import Item, read_items
from clearhouse.benchmark.outcomes import Ending
from clearhouse.proof.door import open_bundle
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.sandbox.room import Room, RoomCommand

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "proofs"
ROUNDS = 50
FUZZ_S = 30.0
_AGENTS: tuple[Scripted, ...] = ("reference", "nothing", "fuzzer")


def sandbox() -> Iterator[str]:
    """What the agent's sandbox costs, one thing at a time."""
    spent: dict[str, list[float]] = {name: [] for name in ("start", "command", "file", "end")}

    def timed(name: str, call: Callable[[], object]) -> object:
        began = time.perf_counter()
        result = call()
        spent[name].append(time.perf_counter() - began)
        return result

    Room().close()  # what is looked up once for each process
    for _ in range(ROUNDS):
        room = timed("start", Room)
        assert isinstance(room, Room)
        timed("command", lambda room=room: room.run(RoomCommand(["true"])))  # type: ignore[misc]
        timed("file", lambda room=room: room.write("file", bytes(1 << 20)))  # type: ignore[misc]
        timed("end", room.close)
    yield "| of the agent's sandbox | median | 90th percentile |"
    yield "| --- | --- | --- |"
    names = {"start": "start", "command": "a command", "file": "a file of 1 MiB", "end": "end"}
    for name, label in names.items():
        some = sorted(spent[name])
        middle, high = statistics.median(some), some[int(0.9 * len(some))]
        yield f"| {label} | {1000 * middle:.1f} ms | {1000 * high:.1f} ms |"


def agents(items: Sequence[Item]) -> Iterator[str]:
    """Each agent over all items: what it solves, and how long an attempt takes."""
    yield (
        "| agent | items | solved | of those it handed in | outcomes"
        " | an attempt, median | all of it |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for agent in _AGENTS:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(log_dir=Path(folder) / "logs", display="none", retries=0)
            began = time.perf_counter()
            found = rows(run_scripted(items, agent, settings, fuzz_s=FUZZ_S))
            yield _line(agent, found, time.perf_counter() - began)


def _line(agent: str, found: Sequence[Row], wall_s: float) -> str:
    outcomes = counted(row.outcome for row in found)
    solved = outcomes[Ending.SOLVED]
    handed_in = sum(row.grade is not None for row in found)
    others = ", ".join(f"{count} {name}" for name, count in outcomes.items() if count)
    middle = statistics.median(row.total_s for row in found)
    return (
        f"| {agent} | {len(found)} | {solved} ({solved / len(found):.0%}) | {handed_in} | {others}"
        f" | {middle:.1f} s | {wall_s:.0f} s |"
    )


def built(folder: Path) -> tuple[Item, ...]:
    """The items of this repository's samples; those of which none can be made are left out."""
    with Workshop() as workshop:
        for path in sorted(SAMPLES.iterdir()):
            bundle = open_bundle(path)
            canary = public_canary(bundle)
            made = make_item(
                bundle, workshop, canary=canary, mask=Masking.NONE, progress=lambda _: None
            )
            if isinstance(made, Made):
                write_item(made, folder)
    return read_items(folder)


def main() -> None:
    """Print both tables; with a folder as argument, over the items in it."""
    sys.stdout.write(f"load when it began: {os.getloadavg()[0]:.1f}\n\n")
    for line in sandbox():
        sys.stdout.write(line + "\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        items = read_items(Path(sys.argv[1])) if sys.argv[1:] else built(Path(folder))
        for line in agents(items):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"\nload at its end: {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()
