"""What a run is watched for, and what was seen in it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Watch(NamedTuple):
    """What the run is watched for."""

    effect: str
    cpu_s: float
    memory_bytes: int
    reads: bool
    stack: str  # "python", "javascript", "native" or "none"
    unwind: bool
    runtime_execs: int  # programs that the runtime itself starts first (node, a built harness)


class Record:
    """What was seen in one run."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.events_left_out = 0
        self.samples: list[dict[str, Any]] = []
        self.fatal: dict[str, Any] | None = None
        self.exit_status: int | None = None
        self.killed: str | None = None
        self.cpu_s = self.cpu_call_s = 0.0
        self.rss_bytes = self.rss_call_bytes = 0
        self.wall_s = self.wall_call_s = 0.0
        self.phases: list[str] = []
