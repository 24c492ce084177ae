"""Runs as the tracer would have recorded them, made by hand: the vocabulary of the pure tests."""

from __future__ import annotations

from typing import Any

from clearhouse.proof.observation import (
    CallState,
    Event,
    Frame,
    Outcome,
    Owner,
    Raised,
    Run,
    Sample,
    Stack,
    TargetCall,
)

MIB = 1 << 20


def harness(line: int = 5) -> Frame:
    return Frame("python", "harness.py", "TestOneInput", line, Owner.HARNESS)


def target(name: str = "parse", line: int = 10, code: str | None = "raise") -> Frame:
    return Frame("python", "pkg/core.py", name, line, Owner.TARGET, "pkg:pypi/pkg@1.0", code)


def library(name: str = "open") -> Frame:
    return Frame("python", "/usr/lib/python3/io.py", name, 3, Owner.RUNTIME)


def state(*marks: int, number: int = 1, site: int = 5) -> CallState:
    return CallState(number, site, frozenset(marks))


def call(
    callee: str = "pkg.core.parse",
    *,
    line: int = 5,
    types: tuple[str, ...] = ("str",),
    returned: Any = None,
) -> TargetCall:
    return TargetCall(line, callee, 1, False, (types,), (returned,))


def run(name: str = "poc", version: str = "1.0", **changes: Any) -> Run:
    """A run that returned, having called the target once, by way of marks 0 and 1."""
    plain: dict[str, Any] = {
        "version": version,
        "input": name,
        "outcome": Outcome.RETURNED,
        "why": "returned",
        "cpu_s": 0.01,
        "wall_s": 0.02,
        "rss_bytes": 20 * MIB,
        "growth_bytes": MIB,
        "calls": (call(),),
        "marks": frozenset({0, 1}),
        "mark_lines": (4, 5, 6, 7),
    }
    return Run(**(plain | changes))


def raising(
    kind: str = "RecursionError", stack: Stack = (), *, by_harness: bool = False, **changes: Any
) -> Run:
    """A run that ended in an exception."""
    raised = Raised(
        kind, (kind, f"builtins.{kind}", "Exception"), "too deep", stack or (target(), harness()),
        by_harness, kind == "SecurityGuaranteeBroken",
    )  # fmt: skip
    return run(outcome=Outcome.EXCEPTION, why=f"{kind}: too deep", raised=raised, **changes)


def event(
    kind: str, stack: Stack = (), *, marks: tuple[int, ...] = (0, 1), **details: Any
) -> Event:
    return Event(kind, stack or (library(), target(), harness()), state(*marks), "call", details)


def sample(stack: Stack = (), cpu_s: float = 0.2) -> Sample:
    return Sample(stack or (target(), harness()), state(0, 1), cpu_s)
