"""A room: a sandbox in which somebody works for hours, as the engine holds it.

Commands are run, files read and written, several at a time; what a command leaves running is there
for the next.  Nothing of the host is in it but the runtime and the folders that were bound, all
read-only; its only network is its own loopback; what it may write is one ``tmpfs``.  The other end
is ``warden/steward.py``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import select
import struct
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from clearhouse.errors import Unavailable
from clearhouse.proof.closing import Closing
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.packages import installed_packages

_MEGABYTE = 1 << 20
WORK, HOME = "/work", "/home/user"
ENVIRONMENT = {
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "USER": "user",
    "LOGNAME": "user",
    "SHELL": "/bin/bash",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_START_S, _GRACE_S = 60.0, 30.0
_HEAD_BYTES = 64 << 10
_DATA_BYTES = 512 * _MEGABYTE
_ERROR_BYTES = 2000


@dataclass(frozen=True)
class RoomLimits:
    """What a room may use in all: seconds, bytes and counts; ``file_bytes`` is for each file."""

    cpu_s: float = 4 * 3600.0
    wall_s: float = 12 * 3600.0
    memory_bytes: int = 2048 * _MEGABYTE
    processes: int = 256
    file_bytes: int = 256 * _MEGABYTE
    disk_bytes: int = 512 * _MEGABYTE


@dataclass(frozen=True)
class RoomCommand:
    """What is to be run; ``cwd`` is relative to :data:`WORK`, ``output_bytes`` for each output."""

    argv: Sequence[str]
    input: bytes = b""
    cwd: str = WORK
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    output_bytes: int = 10 * _MEGABYTE


@dataclass(frozen=True)
class Done:
    """How a command ended.

    ``code`` is 128 and the signal's number where a signal ended it.  ``killed`` says why it was
    ended early: ``timeout``, ``stopped``, ``memory``, ``output:out`` or ``output:err``, ``cpu`` or
    ``wall`` (then the room is spent), or None.
    """

    code: int
    out: bytes
    err: bytes
    killed: str | None


class RoomSpent(Unavailable):
    """The room has used up its processor or wall time (``limit``): nothing more runs in it."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"the sandbox has used up its {limit} time")
        self.limit = limit


class Room(Closing):
    """One running room.  Safe to be used from several threads; ends with the engine in any case.

    Whatever it says is taken for what it is, the word of a process that hostile code may have
    taken over: sizes are limited, and nothing but data comes of it.
    """

    def __init__(self, binds: Sequence[Bind] = (), limits: RoomLimits = RoomLimits()) -> None:
        self._limits = limits
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[tuple[dict[str, Any], bytes]]] = {}
        self._state = threading.Lock()
        self._sending = threading.Lock()
        self._ended = False
        self._first: int | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the room
        self._ready: Future[tuple[dict[str, Any], bytes]] = Future()
        try:
            self._process = bubblewrap.start(
                binds,
                errors=self._errors,
                first="steward",
                masked=installed_packages(tuple(bubblewrap.interpreter_folders())),
            )
        except BaseException:
            self._errors.close()
            raise
        self._reader = threading.Thread(target=self._read, name="room", daemon=True)
        self._reader.start()
        numbers = asdict(limits)
        disk = numbers.pop("disk_bytes")
        setup = {
            "limits": numbers,
            "disk_bytes": disk,
            "token": secrets.token_hex(16),
            "places": [bind.place for bind in binds],
        }
        try:
            self._send(setup, b"")
            self._ready.result(_START_S)
        except FutureTimeout:
            self.close()
            raise Unavailable("the sandbox does not start") from None
        except BaseException:
            self.close()
            raise
        self._first = _first_of(self._process.pid)

    @property
    def pid(self) -> int:
        """The process on the host that all others of this room descend from."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is closed, or has ended by itself."""
        return self._ended

    def run(self, command: RoomCommand, *, number: int | None = None) -> Done:
        """Run a command until it ends.

        ``number`` (see :meth:`number`) lets another thread :meth:`stop` it.  Raises
        :class:`Unavailable` where the room has ended, :class:`RoomSpent` where nothing runs in it
        any more, ``PermissionError`` where the program may not be executed.
        """
        path = f"{Path(bubblewrap.interpreter()).parent}:/usr/local/bin:/usr/bin:/bin"
        order = {
            "op": "run",
            "argv": list(command.argv),
            "cwd": os.path.normpath(f"{WORK}/{command.cwd}")
            if not command.cwd.startswith("/")
            else command.cwd,
            "environment": {"PATH": path, **ENVIRONMENT, **command.environment},
            "timeout": command.timeout_s,
            "limit": command.output_bytes,
        }
        wall_s = command.timeout_s if command.timeout_s is not None else self._limits.wall_s
        message, data = self._ask(order, command.input, wall_s, number)
        if "errno" in message:
            raise OSError(_whole(message, "errno"), str(message.get("text")), command.argv[0])
        size = min(max(_whole(message, "out"), 0), len(data))
        killed = message.get("killed")
        return Done(
            _whole(message, "code"), data[:size], data[size:], str(killed) if killed else None
        )

    def number(self) -> int:
        """A number for a command that may have to be stopped."""
        with self._state:
            return next(self._numbers)

    def stop(self, number: int) -> None:
        """End a command with everything that it started."""
        with contextlib.suppress(Unavailable):
            self._send({"op": "stop", "id": 0, "which": number}, b"")

    def read(self, path: str, limit: int) -> bytes:
        """Return a regular file; relative names begin at :data:`WORK`.

        Raises ``OSError`` as the room has it, ``OverflowError`` where the file is larger than
        ``limit`` bytes, otherwise as :meth:`run` does.
        """
        message, data = self._ask({"op": "read", "path": _plain(path), "limit": limit}, b"", 60.0)
        _complain(message, path)
        if message.get("larger") or len(data) > limit:
            raise OverflowError(path)
        return data

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a regular file and make its folders.  Raises as :meth:`read` does."""
        message, _ = self._ask({"op": "write", "path": _plain(path)}, data, 60.0)
        _complain(message, path)

    def close(self) -> None:
        """End the room and every process in it, and wait until they are gone."""
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(_GRACE_S)
        with self._state:
            first, self._first = self._first, None
        if first is not None:
            select.select([first], [], [], _GRACE_S)
            os.close(first)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._errors.close()

    def _ask(
        self, order: Mapping[str, Any], data: bytes, seconds: float, number: int | None = None
    ) -> tuple[dict[str, Any], bytes]:
        future: Future[tuple[dict[str, Any], bytes]] = Future()
        with self._state:
            if self._ended:
                raise Unavailable("the sandbox has ended")
            key = next(self._numbers) if number is None else number
            self._waiting[key] = future
        self._send({**order, "id": key}, data)
        try:
            message, answer = future.result(seconds + _GRACE_S)
        except FutureTimeout:
            self.close()
            raise Unavailable("the sandbox does not answer") from None
        if "spent" in message:
            raise RoomSpent("processor" if message["spent"] == "cpu" else "wall")
        return message, answer

    def _send(self, order: Mapping[str, Any], data: bytes) -> None:
        raw = json.dumps({**order, "size": len(data)}).encode("utf-8", "surrogatepass")
        assert self._process.stdin is not None
        try:
            with self._sending:
                for part in (struct.pack("<I", len(raw)) + raw, data):
                    rest = memoryview(part)
                    while rest:
                        rest = rest[self._process.stdin.write(rest) :]
        except (OSError, ValueError) as error:  # closed at either end
            raise Unavailable("the sandbox has ended") from error

    # -- the reading thread ------------------------------------------------------------------------

    def _read(self) -> None:
        why = "the sandbox has ended"
        try:
            while True:
                size = struct.unpack("<I", self._exactly(4))[0]
                if size > _HEAD_BYTES:
                    break
                message = json.loads(self._exactly(size))
                length = _whole(message, "size")
                if not 0 <= length <= _DATA_BYTES:
                    break
                data = self._exactly(length)
                if not self._ready.done():
                    self._ready.set_result((message, data))
                    continue
                with self._state:
                    future = self._waiting.pop(_whole(message, "id"), None)
                if future is not None:
                    future.set_result((message, data))
        except (OSError, EOFError, ValueError, TypeError, RecursionError):
            pass
        finally:
            with contextlib.suppress(OSError):
                self._process.kill()
            with contextlib.suppress(OSError, ValueError):
                self._errors.seek(0)
                said = self._errors.read(_ERROR_BYTES).decode("utf-8", "replace").strip()
                why += f": {said}" if said else ""
            with self._state:
                self._ended = True
                left = [*self._waiting.values(), *([] if self._ready.done() else [self._ready])]
                self._waiting.clear()
            for future in left:
                future.set_exception(Unavailable(why))

    def _exactly(self, size: int) -> bytes:
        assert self._process.stdout is not None
        parts = bytearray()
        while len(parts) < size:
            part = self._process.stdout.read(min(size - len(parts), _MEGABYTE))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


def _first_of(pid: int) -> int | None:
    """A descriptor that tells when process 1 of bubblewrap's namespace has ended.

    The kernel lets it end only after everybody else in the namespace (pid_namespaces(7)).
    """
    with contextlib.suppress(OSError, IndexError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return os.pidfd_open(int(children.split()[0]))
    return None


def _plain(path: str) -> str:
    if not path or "\0" in path:
        raise FileNotFoundError(2, "No such file or directory", path)
    return path


def _whole(message: Mapping[str, Any], key: str) -> int:
    value = message.get(key)
    if not isinstance(value, int):
        raise TypeError(key)
    return value


def _complain(message: Mapping[str, Any], path: str) -> None:
    if "errno" in message:
        raise OSError(_whole(message, "errno"), str(message.get("text"))[:200], path)
