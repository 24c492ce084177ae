"""The agent's tools: a shell that stays, Python, an editor, and the two ways to end.

They work in any of Inspect's sandboxes that has Python 3.9 and bash, ``bwrap`` and Kubernetes
alike, and install nothing but a small program for the shell.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

from inspect_ai.tool import Tool, ToolError, tool
from inspect_ai.util import ExecResult, OutputLimitExceededError, sandbox, store

from clearhouse.benchmark.evaluation.closing import Way
from clearhouse.benchmark.evaluation.desk import Desk
from clearhouse.benchmark.items import ANSWER, ANSWER_BYTES

#: The key in Inspect's store under which a sample keeps its own number.
ATTEMPT: Final = "clearhouse:attempt"
_SESSION: Final = "/tmp/.session/session.py"
_SHELL_S: Final = 180
_LONGEST_S: Final = 3600
_ANSWER_S: Final = 30
_SHOWN: Final = 256 << 10


def program(name: str) -> bytes:
    """A program of :mod:`clearhouse.benchmark.evaluation.inside`, to be put into a sandbox."""
    folder = resources.files("clearhouse.benchmark.evaluation.inside")
    return folder.joinpath(name).read_bytes()


@tool(parallel=False)
def shell() -> Tool:
    """A bash session that lasts for the whole sample."""

    async def execute(command: str, seconds: int = _SHELL_S) -> str:
        """
        Run a command in a bash session that stays.

        Variables, folder and background jobs are there for the next call. A server goes into the
        background with '&'.

        Args:
          command: The command, or several lines of them.
          seconds: How long it may take; then it is ended and the session goes on.

        Returns:
          What it wrote, and its exit code where that is not 0.
        """
        limit = max(1, min(seconds, _LONGEST_S))
        done = await _in_session(command, limit)
        if not done.success:  # the first time, or the agent has removed it
            await sandbox().write_file(_SESSION, program("session.py"))
            done = await _in_session(command, limit)
        if not done.success:
            raise ToolError(f"the shell cannot be reached: {done.stderr[-500:]}")
        return done.stdout

    return execute


async def _in_session(command: str, seconds: int) -> ExecResult[str]:
    argv = ["python3", _SESSION, str(seconds)]
    return await sandbox().exec(argv, input=command, timeout=seconds + _ANSWER_S)


@tool(parallel=False)
def editor() -> Tool:
    """Look at, create and change text files."""

    async def execute(
        action: str,
        path: str,
        text: str = "",
        old: str = "",
        line: int = 0,
    ) -> str:
        """
        Look at or change a text file.

        Args:
          action: "view" shows the file with line numbers; "create" writes 'text' as the whole
            file; "replace" puts 'text' in the place of 'old', which has to occur exactly once;
            "insert" puts 'text' after line number 'line' (0: before the first).
          path: The file's path.
          text: The new text.
          old: The text to be replaced.
          line: The line to insert after.

        Returns:
          The file's text, or what was done.
        """
        if action == "create":
            await sandbox().write_file(path, text)
            return f"{path} has {len(text.encode())} bytes"
        if action not in ("view", "replace", "insert"):
            raise ToolError("'action' is one of view, create, replace, insert")
        content = await sandbox().read_file(path)
        if action == "view":
            lines = content[:_SHOWN].splitlines()
            return "\n".join(f"{number:6}  {one}" for number, one in enumerate(lines, 1))
        await sandbox().write_file(path, edited(content, action, text, old, line))
        return f"{path} was changed"

    return execute


def edited(content: str, action: str, text: str, old: str, line: int) -> str:
    """A file's content after "replace" or "insert".  Raises ``ToolError`` where that cannot be."""
    if action == "replace":
        found = content.count(old) if old else 0
        if found != 1:
            raise ToolError(f"'old' occurs {found} times, expected exactly once")
        return content.replace(old, text)
    lines = content.splitlines(keepends=True)
    if not 0 <= line <= len(lines):
        raise ToolError(f"there is no line {line}, the last is {len(lines)}")
    before = "".join(lines[:line])
    if before and not before.endswith("\n"):
        before += "\n"
    ending = "" if text.endswith("\n") or not text else "\n"
    return before + text + ending + "".join(lines[line:])


def submitting(desk: Desk) -> Tool:
    """The tool that hands in the one input of an attempt."""

    @tool(name="submit", parallel=False)
    def submit() -> Tool:
        async def execute(path: str = ANSWER) -> str:
            """
            Hand in one file as the input that shows the flaw, and end. It is judged once.

            Args:
              path: The file with the input.
            """
            return await hand_in(desk, path)

        return execute

    return submit()


def giving_up(desk: Desk) -> Tool:
    """The tool that ends an attempt without an input."""

    @tool(name="give_up", parallel=False)
    def give_up() -> Tool:
        async def execute(reason: str) -> str:
            """
            End without handing anything in.

            Args:
              reason: Why there is nothing to hand in.
            """
            del reason  # it stands in the transcript; nothing depends on it
            desk.find(store().get(ATTEMPT)).gave_up = True
            return "ended"

        return execute

    return give_up()


async def hand_in(desk: Desk, path: str) -> str:
    """Read a file of the sandbox as the attempt's one input.

    Raises ``ToolError`` where there is none that can be taken, and where one was handed in before.
    """
    attempt = desk.find(store().get(ATTEMPT))
    data = await answer_at(path)
    if not attempt.hand_in(data, Way.SUBMITTED):
        raise ToolError("an input was handed in already: only the first is judged")
    return f"{len(data)} bytes were handed in"


async def answer_at(path: str) -> bytes:
    """The content of a file of the sandbox that may be handed in.  Raises ``ToolError``."""
    try:
        data = await sandbox().read_file(path, text=False)
    except OutputLimitExceededError:
        raise ToolError(_too_large(path)) from None
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be read"
        raise ToolError(f"{path}: {reason}") from error
    if len(data) > ANSWER_BYTES:
        raise ToolError(_too_large(path))
    return data


def _too_large(path: str) -> str:
    return f"{path} is larger than an input may be: {ANSWER_BYTES >> 20} MiB"
