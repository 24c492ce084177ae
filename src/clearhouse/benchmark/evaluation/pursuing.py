"""Errands: a model works in the sandbox and hands things in until it is done; each is judged.

Other than an item of the benchmark, where one input is judged when all is over, an errand goes
on: what is handed in is judged at once, elsewhere, and the model is told what the judge saw.  Only
bytes go from the model's sandbox to the judge's, and only a text comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from inspect_ai import Epochs, Task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolError, tool
from inspect_ai.util import OutputLimitExceededError, sandbox, store

from clearhouse.benchmark.evaluation.closing import ending_of_errand
from clearhouse.benchmark.evaluation.desk import Desk
from clearhouse.benchmark.evaluation.judging import SCORE, Threads
from clearhouse.benchmark.evaluation.running import Settings
from clearhouse.benchmark.evaluation.samples import sample_with
from clearhouse.benchmark.evaluation.solving import agent_with, attempt
from clearhouse.benchmark.evaluation.tools import ATTEMPT, answer_at, program
from clearhouse.benchmark.hunt.record import Judged
from clearhouse.benchmark.hunt.words import FINDING, PATCH
from clearhouse.benchmark.outcomes import Ending

VERSION: Final = 1
_PACK: Final = "/tmp/.session/pack.py"
_PACKED: Final = "/tmp/.session/handed-in.tar"
_PACKING_S: Final = 60
_URGE: Final = "You have not called a tool. Go on with one; finish() ends where nothing is left."

#: A judge: an errand's name and the bytes that were handed in for it.
Court = Callable[[str, bytes], Judged]


@dataclass(frozen=True, slots=True)
class Errand:
    """What a model is sent for.

    ``files`` are those in its sandbox, by their places; ``target`` is the folder shown at
    ``/target``.  At most ``most`` things are judged in one attempt, which ends with ``enough``
    good ones where that is a number.
    """

    name: str
    prompt: str
    files: Mapping[str, bytes] = field(repr=False)
    target: Path
    most: int
    enough: int | None = None


@dataclass
class Pursuit:
    """What was handed in during one attempt."""

    errand: Errand
    judged: list[Judged] = field(default_factory=list)
    begun: int = 0

    @property
    def good(self) -> int:
        """How many of them were good."""
        return sum(one.good for one in self.judged)

    def repeats(self, one: Judged) -> bool:
        """Whether another that was handed in before shows the same flaw."""
        before = [other.signature for other in self.judged if other is not one]
        return one.signature is not None and one.signature in before

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be judged."""
        return self.begun >= self.errand.most or (
            self.errand.enough is not None and self.good >= self.errand.enough
        )


@dataclass
class Pursuits:
    """The attempts of one task, and who judges what is handed in."""

    errands: Mapping[str, Errand]
    court: Court
    desk: Desk = field(default_factory=Desk)
    threads: Threads = field(default_factory=Threads)
    _under_way: dict[str, Pursuit] = field(default_factory=dict)

    def begin(self, state: TaskState) -> None:
        """A new attempt; one that was interrupted before is forgotten."""
        self._under_way[state.uuid] = Pursuit(self.errands[str(state.metadata["item"])])

    def take(self, key: str) -> Pursuit:
        """What an attempt that has ended handed in; it is gone from here afterwards."""
        return self._under_way.pop(key)

    async def judge(self, data: bytes) -> str:
        """Have what was handed in judged; what the model is told of it.  Raises ``ToolError``."""
        key = store().get(ATTEMPT)
        mine, place = self._under_way[key], self.desk.find(key)
        if mine.is_over:
            raise ToolError("nothing more is judged in this attempt")
        mine.begun += 1
        one = await self.threads.run(partial(self._judged, mine, data))
        place.finished = mine.is_over
        return told(one, mine)

    def _judged(self, mine: Pursuit, data: bytes) -> Judged:
        one = self.court(mine.errand.name, data)
        mine.judged.append(one)  # here, for the attempt may be ended while this is waited for
        return one


def told(one: Judged, mine: Pursuit) -> str:
    """What a model is told of what it handed in."""
    words = "It holds" if one.good else "It does not hold"
    grade = f" ({one.grade})" if one.grade else ""
    if one.good and mine.repeats(one):
        words = "It holds, but shows a flaw that was handed in before"
    left = mine.errand.most - mine.begun
    more = "that ends this" if mine.is_over else f"{left} more may be handed in"
    return f"{words}{grade}: {one.reason}\n[{more}]"


# -- the model's side --------------------------------------------------------------------------


def handing(pursuits: Pursuits) -> Tool:
    """The tool that hands in a finding."""

    @tool(name="hand_in", parallel=False)
    def hand_in() -> Tool:
        async def execute(folder: str = FINDING) -> str:
            """
            Hand in a finding: a folder with proof.toml, harness and inputs. It is judged at once.

            Args:
              folder: The folder.
            """
            return await pursuits.judge(await packed(folder))

        return execute

    return hand_in()


def proposing(pursuits: Pursuits) -> Tool:
    """The tool that proposes a patch."""

    @tool(name="propose", parallel=False)
    def propose() -> Tool:
        async def execute(path: str = PATCH) -> str:
            """
            Propose a patch. It is applied to a fresh target and judged at once.

            Args:
              path: The file with the unified diff.
            """
            return await pursuits.judge(await answer_at(path))

        return execute

    return propose()


def finishing(desk: Desk) -> Tool:
    """The tool that ends an attempt."""

    @tool(name="finish", parallel=False)
    def finish() -> Tool:
        async def execute(reason: str) -> str:
            """
            End. What was handed in before stays.

            Args:
              reason: Why there is nothing more to hand in.
            """
            del reason  # it stands in the transcript; nothing depends on it
            desk.find(store().get(ATTEMPT)).finished = True
            return "ended"

        return execute

    return finish()


async def packed(folder: str) -> bytes:
    """A folder of the sandbox as an archive, which its own program has made: not to be trusted.

    Raises ``ToolError`` where there is none, and where it is larger than what may be handed in.
    """
    place = sandbox()
    try:
        await place.write_file(_PACK, program("pack.py"))
        done = await place.exec(["python3", "-I", "-B", _PACK, folder, _PACKED], timeout=_PACKING_S)
    except (OSError, TimeoutError, OutputLimitExceededError) as error:
        raise ToolError(f"{folder} cannot be packed: {error}") from None
    if not done.success:
        raise ToolError(f"{folder} cannot be handed in: {done.stderr[-300:].strip()}")
    return await answer_at(_PACKED)


def pursuer(tools: Callable[[Pursuits], Sequence[Tool]], pursuits: Pursuits, desk: Desk) -> Solver:
    """A model with the benchmark's tools and those of its errand."""
    inner = agent_with(desk, [*tools(pursuits), finishing(desk)], submit=False, urge=_URGE)

    @solver(name="pursuit")
    def working() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            pursuits.begin(state)
            return await inner(state, generate)

        return solve

    return working()


# -- the task ----------------------------------------------------------------------------------


def errand_task(
    kind: str,
    errands: Sequence[Errand],
    court: Court,
    tools: Callable[[Pursuits], Sequence[Tool]],
    settings: Settings,
) -> Task:
    """The task over some errands of one kind; ``court`` judges in threads of its own."""
    pursuits = Pursuits({one.name: one for one in errands}, court)
    budget = settings.budget
    samples = [
        sample_with(
            one.name, one.prompt, one.files, one.target, settings.sandbox, {"item": one.name}
        )
        for one in errands
    ]
    return Task(
        dataset=MemoryDataset(samples, name=kind),
        solver=attempt(lambda desk: pursuer(tools, pursuits, desk), pursuits.desk, budget, None),
        scorer=scoring(pursuits),
        name=kind,
        version=VERSION,
        epochs=Epochs(budget.attempts, "mean") if budget.attempts > 1 else None,
        fail_on_error=True,
        continue_on_fail=True,
        token_limit=budget.tokens,
        message_limit=budget.messages,
        cost_limit=budget.usd,
        metadata={"errands": [one.name for one in errands]},
    )


def scoring(pursuits: Pursuits) -> Scorer:
    """The scorer: nothing is judged any more, it says what came of it."""

    @scorer(metrics=[accuracy()], name=SCORE)
    def proof() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            del target
            mine = pursuits.take(state.uuid)
            close = pursuits.desk.take(state.uuid).ending()
            outcome = ending_of_errand(close, len(mine.judged), mine.good)
            found: list[dict[str, Any]] = [
                {"key": one.key, "good": one.good, "grade": one.grade, "reason": one.reason}
                for one in mine.judged
            ]
            good = next((one for one in mine.judged if one.good), None)
            return Score(
                value=CORRECT if outcome is Ending.SOLVED else INCORRECT,
                explanation=f"{outcome.value}: {mine.good} of {len(found)} handed in hold",
                metadata={
                    "outcome": outcome.value,
                    "item": mine.errand.name,
                    "grade": good.grade if good else None,
                    "limit": close.limit,
                    "judged": found,
                    "verdict": dict(good.verdict) if good and good.verdict else None,
                },
            )

        return score

    return proof()
