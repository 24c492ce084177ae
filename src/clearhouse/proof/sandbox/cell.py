"""A warm sandbox for one installed target: jobs go in, what the kernel showed comes out."""

from __future__ import annotations

import base64
import contextlib
import json
import selectors
import struct
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    cpu_s: float = 10.0
    wall_s: float = 30.0
    idle_s: float = 10.0  # wall time beyond four times the processor time: it waits for nothing
    memory_bytes: int = 1024 * MEGABYTE
    processes: int = 64
    file_bytes: int = 64 * MEGABYTE
    output_bytes: int = 4 * MEGABYTE


@dataclass(frozen=True)
class Watch:
    """What the tracer looks for: see ``warden/trace.py``."""

    effect: str
    cpu_s: float
    memory_bytes: int
    reads: bool
    stack: str
    unwind: bool
    runtime_execs: int


@dataclass(frozen=True)
class Job:
    """One harness on one input."""

    runtime: str  # "python", or "program" for everything that is started anew
    input: bytes
    token: str
    limits: Limits
    watch: Watch
    extra: Mapping[str, Any]
    argv: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    address_space: bool = True
    root_bytes: int = 256 * MEGABYTE

    def as_message(self) -> dict[str, Any]:
        """The job as it travels to the warden."""
        return {
            "runtime": self.runtime,
            "input": base64.b64encode(self.input).decode(),
            "token": self.token,
            "limits": asdict(self.limits),
            "watch": asdict(self.watch),
            "reads": self.watch.reads,
            "extra": dict(self.extra),
            "argv": list(self.argv),
            "environment": dict(self.environment),
            "address_space": self.address_space,
            "root_bytes": self.root_bytes,
        }


class Cell:
    """A running sandbox.  Use as a context manager; it dies with the engine in any case.

    Without ``python`` its runs are programs only, and it starts sooner.
    """

    def __init__(
        self,
        binds: Sequence[Bind],
        *,
        preload: Sequence[str] = (),
        search: Sequence[str] = (),
        runtime_folders: Sequence[str] = (),
        python: bool = True,
        start_s: float = 60.0,
        import_bytes: int = 2048 * MEGABYTE,
    ) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        self._process = bubblewrap.start(binds, runtime_folders, errors=self._errors)
        setup = {
            "preload": list(preload),
            "search": list(search),
            "python": python,
            "start_s": start_s,
            "memory_bytes": import_bytes,
        }
        self._write(setup)
        self.hello = self._read(start_s + 10)
        if "zygote" in self.problems:
            self.close()
            raise Unavailable(f"the target cannot be imported here: {self.problems['zygote']}")

    def run(self, job: Job) -> dict[str, Any]:
        """Run one job.  Raises :class:`Unavailable` when the sandbox itself fails."""
        self._write(job.as_message())
        return self._read(job.limits.wall_s + 30)

    @property
    def problems(self) -> dict[str, str]:
        """What could not be imported ahead, by name."""
        problems: dict[str, str] = self.hello["problems"]
        return problems

    @property
    def pid(self) -> int:
        """The process on the host that all others of this sandbox descend from."""
        return self._process.pid

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

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        raw = json.dumps(message).encode()
        try:
            rest = memoryview(struct.pack("<I", len(raw)) + raw)
            while rest:
                rest = rest[self._process.stdin.write(rest) :]
        except OSError as error:
            raise self._failed("ended early") from error

    def _read(self, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        head = self._exactly(4, deadline)
        message: dict[str, Any] = json.loads(self._exactly(struct.unpack("<I", head)[0], deadline))
        return message

    def _exactly(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        raw = self._process.stdout
        selector = selectors.DefaultSelector()
        selector.register(raw, selectors.EVENT_READ)
        parts = bytearray()
        with selector:
            while len(parts) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise Unavailable("the sandbox does not answer")
                part = raw.read(min(size - len(parts), MEGABYTE))
                if not part:
                    raise self._failed("ended")
                parts += part
        return bytes(parts)

    def _failed(self, how: str) -> Unavailable:
        code = self._process.poll()
        self._errors.seek(0)
        text = self._errors.read(2000).decode("utf-8", "replace").strip()
        self.close()
        return Unavailable(f"the sandbox {how} (exit {code}): {text or 'it said nothing'}")
