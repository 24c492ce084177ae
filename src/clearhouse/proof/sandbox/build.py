"""A sandbox for compilers, build commands and symbolisers: commands go in, regular files come out.

The toolchain and every bound folder are read-only; the only place to write is a ``tmpfs`` of
limited size (:data:`SITE`), gone with the sandbox.  There is no network.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import struct
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any, Self

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind

SITE = "/build"
_MEGABYTE = 1 << 20
_ANSWER_BYTES = 256 * _MEGABYTE
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": SITE,
    "TMPDIR": SITE,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    # 1 January 2000: what bakes the time in bakes in the same time every time.
    "SOURCE_DATE_EPOCH": "946684800",
}


@dataclass(frozen=True)
class BuildLimits:
    """What the commands of one batch may use: ``cpu_s`` each, everything else together."""

    cpu_s: float = 240.0
    wall_s: float = 300.0
    memory_bytes: int = 3072 * _MEGABYTE
    processes: int = 256
    file_bytes: int = 256 * _MEGABYTE
    output_bytes: int = 64 * _MEGABYTE


@dataclass(frozen=True)
class Command:
    """A program with its arguments, as it is started in the sandbox."""

    argv: Sequence[str]
    cwd: str = SITE
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a command ended: its exit code (negative: the signal) and the start of its outputs."""

    code: int
    out: str
    err: str


class CommandsKilled(Unavailable):
    """A limit ended a batch of commands: ``limit`` is "wall", "memory" or "output"."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"the build was stopped at its limit of {limit}")
        self.limit = limit


@dataclass(frozen=True)
class Listed:
    """A regular file below the site."""

    path: str
    size: int
    executable: bool


class BuildSandbox:
    """One sandbox in which things are built.  Use as a context manager."""

    def __init__(
        self,
        binds: Sequence[Bind],
        *,
        limits: BuildLimits = BuildLimits(),
        site_bytes: int = 1024 * _MEGABYTE,
        site_files: int = 60_000,
    ) -> None:
        self._limits = limits
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        self._process = bubblewrap.start(binds, errors=self._errors, first="foreman")
        self._write({"bytes": site_bytes, "files": site_files})
        self._read(30.0)

    def run(
        self, commands: Sequence[Command], *, parallel: int = 1, keep: int = 64 << 10
    ) -> list[Result]:
        """Run commands, ``parallel`` at a time, and return their results in order.

        ``keep`` is how many bytes of each output are kept.  Raises :class:`CommandsKilled` where a
        limit ends them.
        """
        if not commands:
            return []
        self._write(
            {
                "op": "run",
                "limits": asdict(self._limits),
                "parallel": parallel,
                "keep": keep,
                "commands": [
                    {
                        "argv": list(c.argv),
                        "cwd": c.cwd,
                        "environment": {**ENVIRONMENT, **c.environment},
                    }
                    for c in commands
                ],
            }
        )
        answer = self._read(self._limits.wall_s + 30)
        if answer["killed"]:
            raise CommandsKilled(str(answer["killed"]))
        return [Result(int(r["code"]), r["out"], r["err"]) for r in answer["results"]]

    def put(self, path: str, data: bytes) -> None:
        """Create a file below the site.  Only before any command of somebody else's has run."""
        self._write({"op": "put", "path": path, "size": len(data)})
        self._send(data)
        self._read(30.0)

    def get(self, path: str, *, limit: int = 256 * _MEGABYTE) -> bytes:
        """Return the content of a regular file below the site.

        Raises :class:`Unavailable` where there is none, or where it is larger than ``limit``.
        """
        self._write({"op": "get", "path": path, "limit": limit})
        answer = self._read(30.0)
        if "size" not in answer:
            raise Unavailable(f"the build left no usable {path}: {answer['why']}")
        if not 0 <= int(answer["size"]) <= limit:
            raise self._failed("sent too much")
        return self._exactly(int(answer["size"]), time.monotonic() + 60)

    def list(self, path: str = "") -> list[Listed]:
        """Return the regular files below a folder of the site, in order of name."""
        self._write({"op": "list", "path": path})
        answer = self._read(60.0)
        listed = [Listed(str(p), int(s), bool(x)) for p, s, x in answer["files"]]
        return [one for one in listed if _is_plain(one.path)]

    def close(self) -> None:
        """End the sandbox and everything in it."""
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- frames ------------------------------------------------------------------------------------

    def _write(self, message: dict[str, Any]) -> None:
        raw = json.dumps(message).encode()
        self._send(struct.pack("<I", len(raw)) + raw)

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._process.stdin.write(rest) :]
        except OSError as error:
            raise self._failed("ended early") from error

    def _read(self, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        size = struct.unpack("<I", self._exactly(4, deadline))[0]
        if size > _ANSWER_BYTES:
            raise self._failed("sent too much")
        message: dict[str, Any] = json.loads(self._exactly(size, deadline))
        return message

    def _exactly(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        parts = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(parts) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise Unavailable("the build sandbox does not answer")
                part = os.read(self._process.stdout.fileno(), min(size - len(parts), _MEGABYTE))
                if not part:
                    raise self._failed("ended")
                parts += part
        return bytes(parts)

    def _failed(self, how: str) -> Unavailable:
        code = self._process.poll()
        self._errors.seek(0)
        text = self._errors.read(2000).decode("utf-8", "replace").strip()
        self.close()
        return Unavailable(f"the build sandbox {how} (exit {code}): {text or 'it said nothing'}")


def _is_plain(path: str) -> bool:
    """Whether a name can be created below a folder without leaving it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path
