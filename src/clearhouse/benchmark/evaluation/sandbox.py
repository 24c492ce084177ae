"""Inspect's sandbox ``bwrap``: a room of the proof engine's sandbox for each sample.

No Docker, no network, nothing of the host but its runtime and the folders that the configuration
names, all read-only.  Processes live as long as the sample, so a server or a shell started by one
call of a tool is there for the next.  Files are read and written by the sandbox's own first
process, so that names and links lead to nothing that the agent could not reach itself.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import anyio
import anyio.to_thread
from inspect_ai.util import (
    ExecResult,
    LimitExceededError,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandboxenv,
)
from pydantic import BaseModel

from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig
from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.gate import require_checked_sandbox
from clearhouse.proof.sandbox.room import Done, Room, RoomCommand, RoomSpent

_USERS = {None, "user", "1000"}
_AT_A_TIME = 64
_ABSENT = {errno.ENOTDIR, errno.ENAMETOOLONG}
_POLLING_S = 0.2
_KILLED_CODE = 137

_T = TypeVar("_T")


@sandboxenv(name="bwrap")
class BubblewrapSandbox(SandboxEnvironment):
    """One sample's sandbox."""

    def __init__(self, room: Room, config: BubblewrapConfig) -> None:
        super().__init__()
        self._room = room
        self._config = config
        self._limiter = anyio.CapacityLimiter(_AT_A_TIME)

    @classmethod
    def default_concurrency(cls) -> int | None:
        """Twice as many sandboxes as processors: agents mostly wait for their model."""
        return 2 * (os.cpu_count() or 1)

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """The configuration as it was written into a log."""
        return BubblewrapConfig.model_validate(config)

    @classmethod
    async def task_init(cls, task_name: str, config: SandboxEnvironmentConfigType | None) -> None:  # noqa: ARG003 - Inspect's signature
        """Find out before the first sample whether the sandbox holds on this machine."""
        _config_of(config)
        try:
            await anyio.to_thread.run_sync(require_checked_sandbox)
        except Unavailable as error:
            raise SandboxUnavailableError(str(error)) from error

    @classmethod
    async def sample_init(
        cls,
        task_name: str,  # noqa: ARG003 - Inspect's signature
        config: SandboxEnvironmentConfigType | None,
        metadata: dict[str, str],  # noqa: ARG003
    ) -> dict[str, SandboxEnvironment]:
        """Start a sandbox of its own for a sample."""
        settings = _config_of(config)
        return {"default": cls(await _started(settings), settings)}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,  # noqa: ARG003 - Inspect's signature
        config: SandboxEnvironmentConfigType | None,  # noqa: ARG003
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,  # noqa: ARG003, FBT001
    ) -> None:
        """End a sample's sandbox with all that runs in it."""
        with anyio.CancelScope(shield=True):
            for environment in environments.values():
                await environment.as_type(BubblewrapSandbox).end()

    async def end(self) -> None:
        """End the sandbox and every process in it; a second call does nothing."""
        await anyio.to_thread.run_sync(self._room.close)

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,  # noqa: A002 - Inspect's signature
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,  # noqa: ASYNC109
        timeout_retry: bool = True,  # noqa: ARG002, FBT001, FBT002
        concurrency: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> ExecResult[str]:
        """Run a command; see Inspect's documentation for arguments and errors.

        A command that is over its time is not tried again: it may have had effects.
        """
        if user not in _USERS:
            raise SandboxUserUnsupportedError(f"the sandbox 'bwrap' has one user, not {user!r}")
        limit = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
        command = RoomCommand(
            argv=[str(part) for part in cmd],
            input=_as_bytes(input),
            cwd=cwd or ".",
            environment=env or {},
            timeout_s=timeout,
            output_bytes=limit,
        )
        number = self._room.number()
        try:
            done = await self._call(partial(self._room.run, command, number=number))
        except anyio.get_cancelled_exc_class():
            self._room.stop(number)
            raise
        except PermissionError:
            raise
        except OSError as error:  # the sandbox had no process or descriptor left for it
            return ExecResult(
                success=False, returncode=126, stdout="", stderr=f"{cmd[0]}: {error.strerror}\n"
            )
        return _result(done)

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file of the sandbox.

        What does not fit is a ``PermissionError`` too: Inspect shows those to the model.
        """
        try:
            await self._call(partial(self._room.write, file, _as_bytes(contents)))
        except (PermissionError, IsADirectoryError):
            raise
        except OSError as error:
            raise PermissionError(error.errno, error.strerror, file) from error

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...  # noqa: FBT002

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:  # noqa: FBT001, FBT002
        """Read a regular file of the sandbox."""
        limit = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        try:
            data = await self._call(partial(self._room.read, file, limit))
        except OverflowError:
            raise OutputLimitExceededError(
                SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None
            ) from None
        except (PermissionError, IsADirectoryError, FileNotFoundError):
            raise
        except OSError as error:
            kind = FileNotFoundError if error.errno in _ABSENT else PermissionError
            raise kind(error.errno, error.strerror, file) from error
        return data.decode("utf-8") if text else data

    def default_polling_interval(self) -> float:
        """Seconds between looks at long-running processes."""
        return _POLLING_S

    async def _call(self, call: Callable[[], _T]) -> _T:
        try:
            return await anyio.to_thread.run_sync(
                call, abandon_on_cancel=True, limiter=self._limiter
            )
        except RoomSpent as error:
            raise _spent(error.limit, self._config) from error
        except Unavailable as error:
            raise SandboxUnavailableError(str(error)) from error


def _config_of(config: SandboxEnvironmentConfigType | None) -> BubblewrapConfig:
    if config is None:
        return BubblewrapConfig()
    if isinstance(config, str):
        return BubblewrapConfig.from_file(Path(config))
    if isinstance(config, BubblewrapConfig):
        return config
    raise TypeError("the sandbox 'bwrap' is configured by a BubblewrapConfig or a TOML file")


async def _started(config: BubblewrapConfig) -> Room:
    try:
        # Not to be abandoned: nobody would hold what was started.
        return await anyio.to_thread.run_sync(partial(Room, config.as_binds(), config.as_limits()))
    except Unavailable as error:
        raise SandboxUnavailableError(str(error)) from error


def _as_bytes(text: str | bytes | None) -> bytes:
    if isinstance(text, str):
        return text.encode("utf-8", "surrogateescape")
    return text or b""


def _spent(limit: str, config: BubblewrapConfig) -> LimitExceededError:
    most = config.cpu_s if limit == "processor" else config.wall_s
    text = f"the sandbox has used up its {limit} time of {most:g} s"
    return LimitExceededError("custom", value=most, limit=most, message=text)


def _result(done: Done) -> ExecResult[str]:
    out, err = done.out.decode("utf-8", "replace"), done.err.decode("utf-8", "replace")
    if done.killed == "timeout":
        raise TimeoutError("the command was over its time and was ended")
    if done.killed in ("output:out", "output:err"):
        shown = out if done.killed == "output:out" else err
        raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE_STR, shown)
    if done.killed is not None:
        note = f"\nended by the sandbox: its limit of {done.killed}\n"
        return ExecResult(success=False, returncode=_KILLED_CODE, stdout=out, stderr=err + note)
    return ExecResult(success=done.code == 0, returncode=done.code, stdout=out, stderr=err)
