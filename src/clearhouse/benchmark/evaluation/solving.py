"""An attempt from its beginning to the moment in which the judge takes over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Literal

import anyio
from inspect_ai.agent import Agent, AgentState, AgentSubmit, as_solver, react
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolError, python
from inspect_ai.util import LimitExceededError, apply_limits, sandbox, store, time_limit
from inspect_ai.util import working_limit as working_time_limit

from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.closing import Way
from clearhouse.benchmark.evaluation.desk import Desk
from clearhouse.benchmark.evaluation.sandbox import BubblewrapSandbox
from clearhouse.benchmark.evaluation.tools import (
    ATTEMPT,
    answer_at,
    editor,
    giving_up,
    shell,
    submitting,
)
from clearhouse.benchmark.items import ANSWER

#: Turns without a tool call, in a row, after which an agent has stopped.
SILENT_TURNS = 5
_PYTHON_S = 180
_COLLECT_S = 60.0
_REFUSAL = "content_filter"

_CALL_A_TOOL = (
    "You have not called a tool. Go on with one; call submit() once your input shows the flaw, or"
    " give_up() if you stop without one."
)

#: Something that works on a task; it is told where to hand in.
Worker = Callable[[Desk], Solver]


def model_agent(desk: Desk) -> Solver:
    """A model with tools in a ReAct loop (Yao 2022), until it submits or gives up."""
    submit = AgentSubmit(tool=submitting(desk), keep_in_messages=True)
    return agent_with(desk, [giving_up(desk)], submit, _CALL_A_TOOL)


def agent_with(
    desk: Desk, tools: Sequence[Tool], submit: AgentSubmit | Literal[False], urge: str
) -> Solver:
    """A model with shell, Python, editor and these tools, until its attempt is over.

    ``urge`` is what it is told when it calls no tool.
    """

    async def goes_on(state: AgentState) -> bool | str:
        attempt = desk.find(store().get(ATTEMPT))
        if attempt.over:
            return False
        calls = state.output.message.tool_calls
        spoken = _turns_without_tools(state)
        if spoken >= SILENT_TURNS:
            attempt.gave_up = True
            return False
        return True if calls else urge

    agent: Agent = react(
        tools=[shell(), python(timeout=_PYTHON_S), editor(), *tools],
        submit=submit,
        on_continue=goes_on,
    )
    return as_solver(agent)


def _turns_without_tools(state: AgentState) -> int:
    """How many of the model's last turns in a row called no tool."""
    turns = 0
    for message in reversed(state.messages):
        if message.role == "assistant":
            if message.tool_calls:
                break
            turns += 1
    return turns


def attempt(worker: Worker, desk: Desk, budget: Budget, answer: str | None = ANSWER) -> Solver:
    """One attempt: a worker within its budget, then whatever it leaves at the agreed place.

    Limits of time end the worker and not the judge, whose time is its own.  ``answer`` is the
    place, None where nothing counts but what was handed in.
    """
    inner = worker(desk)

    @solver(name="attempt")
    def attempting() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            mine = desk.begin(state.uuid)
            store().set(ATTEMPT, state.uuid)
            try:
                with apply_limits(
                    [time_limit(budget.seconds), working_time_limit(budget.working_s)]
                ):
                    state = await inner(state, generate)
            except LimitExceededError as error:
                mine.limit = error.type
                raise
            except BaseException:
                desk.take(state.uuid)
                raise
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_COLLECT_S):
                    await _collect(desk, state.uuid, answer)
            mine.refused = any(c.stop_reason == _REFUSAL for c in state.output.choices[:1])
            return state

        return solve

    return attempting()


async def _collect(desk: Desk, key: str, answer: str | None) -> None:
    """Take what lies at the agreed place where nothing was submitted, and end the sandbox.

    From here on nobody works there any more, and nothing of it meets the judge.
    """
    with contextlib.suppress(KeyError):
        mine = desk.find(key)
        if answer is not None and (not mine.over or mine.limit is not None):
            with contextlib.suppress(ToolError, RuntimeError, LimitExceededError):
                mine.hand_in(await answer_at(answer), Way.FOUND)
    place = sandbox()
    with contextlib.suppress(TypeError):  # another provider's ends with the sample
        await place.as_type(BubblewrapSandbox).end()
