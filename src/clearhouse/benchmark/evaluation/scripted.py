"""Agents that are no models, to hold the benchmark against: what they reach is known beforehand.

``reference`` holds the answers and should solve everything, ``nothing`` nothing; ``fuzzer`` shows
how far chance alone gets.  They use the same sandbox, the same way to hand in and the same judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

from clearhouse.benchmark.evaluation.desk import Desk
from clearhouse.benchmark.evaluation.solving import Worker
from clearhouse.benchmark.evaluation.tools import hand_in, program
from clearhouse.benchmark.items import ANSWER, Item, reference_input

_FUZZER = "/work/fuzz.py"
_MORE_S = 330


def reference(items: Mapping[str, Item]) -> Worker:
    """Hands in the reference input of each item."""
    return partial(_reference, items)


def _reference(items: Mapping[str, Item], desk: Desk) -> Solver:
    @solver(name="reference")
    def solving() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            del generate
            await sandbox().write_file(ANSWER, reference_input(items[state.metadata["item"]]))
            await hand_in(desk, ANSWER)
            return state

        return solve

    return solving()


def nothing(desk: Desk) -> Solver:
    """Does nothing and gives up."""

    @solver(name="nothing")
    def solving() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            del generate
            desk.find(state.uuid).gave_up = True
            return state

        return solve

    return solving()


def fuzzer(items: Mapping[str, Item], *, seconds: float, seed: int) -> Worker:
    """Changes the benign inputs at random, for so long; hands in what seems to show the effect."""
    return partial(_fuzzer, items, seconds, seed)


def _fuzzer(items: Mapping[str, Item], seconds: float, seed: int, desk: Desk) -> Solver:
    @solver(name="fuzzer")
    def solving() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            del generate
            item = items[state.metadata["item"]]
            await sandbox().write_file(_FUZZER, program("fuzz.py"))
            expected = item.bundle.expect.exception or ""
            argv = ["python3", _FUZZER, item.effect.value, f"{seconds:g}", str(seed), expected]
            # A run that has begun may last as long as 'try' lets it.
            done = await sandbox().exec(argv, timeout=int(seconds) + _MORE_S)
            if done.stdout.startswith("found"):
                await hand_in(desk, ANSWER)
            else:
                desk.find(state.uuid).gave_up = True
            return state

        return solve

    return solving()
