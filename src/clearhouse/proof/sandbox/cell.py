"""A warm sandbox for one installed target: jobs go in, what the kernel showed comes out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.channel import Channel

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


class Cell(Channel):
    """A running sandbox for one installed target.

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
        super().__init__("sandbox", "warden", binds, runtime_folders)
        setup = {
            "preload": list(preload),
            "search": list(search),
            "python": python,
            "start_s": start_s,
            "memory_bytes": import_bytes,
        }
        self.write(setup)
        self.hello = self.read(start_s + 10)
        if "zygote" in self.problems:
            self.close()
            raise Unavailable(f"the target cannot be imported here: {self.problems['zygote']}")

    def run(self, job: Job) -> dict[str, Any]:
        """Run one job.  Raises :class:`Unavailable` when the sandbox itself fails."""
        self.write(job.as_message())
        return self.read(job.limits.wall_s + 30)

    @property
    def problems(self) -> dict[str, str]:
        """What could not be imported ahead, by name."""
        problems: dict[str, str] = self.hello["problems"]
        return problems
