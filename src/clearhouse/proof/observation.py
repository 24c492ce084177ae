"""What was seen in one run, as frozen values: the bytes that a judgement works on.

A record comes from the warden as JSON; :func:`read_run` parses it once.  Nothing here knows how a
run is done, and nothing in the judgement reads a clock, a file or a process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MEGABYTE = 1 << 20


class Owner(StrEnum):
    """Whose code a frame is."""

    HARNESS = "harness"
    TARGET = "target"
    DEPENDENCY = "dependency"
    RUNTIME = "runtime"  # interpreter, its library, the C library
    OBSERVER = "observer"  # ours: never part of a judgement
    UNKNOWN = "unknown"  # code without a file, such as a compiled template


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stack."""

    kind: str  # "python", "javascript" or "native"
    file: str  # within the package where it belongs to one
    name: str
    line: int | None
    owner: Owner
    package: str | None = None
    code: str | None = None  # the source line, where it is the target's and can be read

    def as_json(self) -> dict[str, Any]:
        """The frame as verdicts show it."""
        shown: dict[str, Any] = {"file": self.file, "function": self.name, "line": self.line}
        if self.package:
            shown["package"] = self.package
        return shown


Stack = tuple[Frame, ...]  # innermost first
Classify = Callable[[Mapping[str, Any]], Frame]


@dataclass(frozen=True, slots=True)
class CallState:
    """How far the harness was: target calls so far, line of the last one, marks passed."""

    number: int
    site: int
    marks: frozenset[int]
    given: int = 0  # values that the harness gave the target while the target called it
    rss_bytes: int = 0  # when the last target call began, and what its callbacks added; 0 unknown


@dataclass(frozen=True, slots=True)
class Event:
    """Something the kernel reported: a change outside, a program, a connection, the canary."""

    kind: str
    stack: Stack
    call: CallState
    phase: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A stack read while the run was going on."""

    stack: Stack
    call: CallState
    cpu_s: float
    rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fatal:
    """A signal that ended the run."""

    signal: str
    sent: bool  # by a process, not raised by a fault
    address: int | None
    stack: Stack
    call: CallState


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that left the harness."""

    type: str
    names: tuple[str, ...]  # of its class and all above it, bare and qualified
    text: str
    stack: Stack
    by_harness: bool
    guarantee: bool


@dataclass(frozen=True, slots=True)
class TargetCall:
    """What the harness called of the target, from which line, with which kinds of argument."""

    line: int
    callee: str
    count: int
    native: bool
    types: tuple[tuple[str, ...], ...]
    returned: tuple[Any, ...]
    given: tuple[str, ...] = ()  # digests of the arguments, as far as they are simple
    raised: tuple[str, ...] = ()  # classes of the exceptions that came out of it
    at: tuple[int, ...] = ()  # for each of ``types``, how many target calls there were by then


@dataclass(frozen=True, slots=True)
class Escape:
    """The target call that an exception came out of."""

    site: int
    callee: str
    native: bool
    marks: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sanitizer:
    """A sanitizer's report: its kind (``heap-buffer-overflow``) and summary line."""

    tool: str
    kind: str
    text: str


class Outcome(StrEnum):
    """How a run ended."""

    RETURNED = "returned"
    EXCEPTION = "exception"
    SIGNAL = "signal"
    KILLED = "killed"  # by a limit
    EXITED = "exited"  # the process ended itself
    NOT_LOADED = "not-loaded"  # the harness, or what it imports, does not load here
    BROKEN = "broken"  # the sandbox could not be set up


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a harness on one input, against one version."""

    version: str
    input: str  # "poc", "poc:NAME" or "control:NAME"
    outcome: Outcome
    why: str  # a sentence's worth for people: the exception, the signal, the limit
    cpu_s: float  # since the harness was called; of everything where it never was
    wall_s: float
    rss_bytes: int  # peak of the whole run
    growth_bytes: int  # peak above what it had when the harness was called
    events: tuple[Event, ...] = ()
    samples: tuple[Sample, ...] = ()
    fatal: Fatal | None = None
    raised: Raised | None = None
    escape: Escape | None = None
    sanitizer: Sanitizer | None = None
    calls: tuple[TargetCall, ...] = ()
    gave: frozenset[tuple[int, str]] = frozenset()  # line and kind of what it gave when called back
    given: int = 0  # how many values that were
    number: int = 0  # calls of the target, all told
    marks: frozenset[int] = frozenset()
    mark_lines: tuple[int, ...] = ()
    contract: tuple[str, ...] = ()
    tampering: tuple[str, ...] = ()
    missing: str | None = None  # the module that is not there
    killed: str | None = None
    value: Any = None
    output: str = ""
    leaked: bool = False  # the canary's token came out

    @property
    def ran(self) -> bool:
        """Whether the harness was loaded and called at all."""
        return self.outcome not in (Outcome.NOT_LOADED, Outcome.BROKEN)


def _marks(raw: str) -> frozenset[int]:
    return frozenset(i for i, b in enumerate(bytes.fromhex(raw)) if b)


def read_run(
    raw: Mapping[str, Any], *, version: str, name: str, token: str, classify: Classify
) -> Run:
    """Parse a warden's record.  ``classify`` names the owner of a raw frame."""

    def stack(frames: Iterable[Mapping[str, Any]]) -> Stack:
        found = [classify(f) for f in frames]
        return tuple(f for f in found if f.owner is not Owner.OBSERVER)

    def state(call: Mapping[str, Any]) -> CallState:
        return CallState(
            int(call["number"]), int(call["site"]), _marks(call["marks"]),
            int(call.get("given", 0)), int(call.get("rss_bytes", 0)),
        )  # fmt: skip

    report: dict[str, Any] = {}
    tampering, breaches = [], []
    called: dict[tuple[int, str], dict[str, Any]] = {}
    gave = set()
    for message in raw["report"]:
        if "tamper" in message:
            tampering.append(f"line {message['line']}: {message['tamper']}")
        elif "breach" in message:
            breaches.append(f"line {message['line']}: {message['breach']}")
        elif "called" in message:
            one = message["called"]
            called[one["line"], one["callee"]] = one
        elif "gave" in message:
            gave.add((int(message["line"]), str(message["gave"])))
        else:
            report |= message
    report.setdefault("calls", list(called.values()))  # a run that was cut short sends no list
    if raw["forged"]:
        tampering.append("wrote into the observer's report")
    exception = report.get("exception")
    entered = "call" in raw["phases"]
    outcome, why = _outcome(raw, report)
    output = raw["output"]["out"] + raw["output"]["err"]
    escape = report.get("escaped")
    visible = [output, repr(report.get("value", "")), repr(exception["text"]) if exception else ""]
    visible += [repr(c["returned"]) for c in report.get("calls", ())]
    return Run(
        version=version,
        input=name,
        outcome=outcome,
        why=why,
        cpu_s=raw["cpu_call_s"] if entered else raw["cpu_s"],
        wall_s=raw["wall_call_s"] if entered else raw["wall_s"],
        rss_bytes=raw["rss_bytes"],
        growth_bytes=raw["rss_call_bytes"],
        events=tuple(
            Event(
                e["kind"], stack(e["stack"]), state(e["call"]), e["phase"],
                {k: v for k, v in e.items() if k not in ("kind", "stack", "call", "phase")},
            )
            for e in raw["events"]
        ),
samples=tuple(
            Sample(stack(s["stack"]), state(s["call"]), s["cpu_s"], int(s.get("rss_bytes", 0)))
            for s in (*raw["samples"], *report.get("samples", ()))
        ),
        fatal=None
        if raw["fatal"] is None
        else Fatal(
            raw["fatal"]["signal"], raw["fatal"]["sent"], raw["fatal"]["address"],
            stack(raw["fatal"]["stack"]), state(raw["fatal"]["call"]),
        ),
        raised=None
        if exception is None
        else Raised(
            exception["type"], (*exception["names"], *exception["qualified"]), exception["text"],
            stack(exception["frames"]), exception["by_harness"], exception["guarantee"],
        ),
        escape=None
        if escape is None
        else Escape(escape["site"], escape["callee"], escape["native"], _marks(escape["marks"])),
        sanitizer=Sanitizer(**raw["sanitizer"]) if raw.get("sanitizer") else None,
        calls=tuple(
            TargetCall(
                c["line"], c["callee"], c["count"], c["native"],
                tuple(tuple(t) for t in c["types"]), tuple(c["returned"]),
                tuple(c.get("given", ())),
                tuple(c.get("raised", ())), tuple(c.get("at", ())),
            )
            for c in report.get("calls", ())
        ),
        gave=frozenset(gave),
        given=int(raw.get("given", 0)),
        number=int(raw.get("number", 0)),
        marks=_marks(raw["marks"]),
        mark_lines=tuple(report.get("lines", ())),
        contract=(*report.get("contract", ()), *breaches),
        tampering=tuple(tampering),
        missing=report.get("missing"),
        killed=raw["killed"],
        value=report.get("value"),
        output=output[:2000],
        leaked=any(token in text for text in visible),
    )  # fmt: skip


def _outcome(raw: Mapping[str, Any], report: Mapping[str, Any]) -> tuple[Outcome, str]:
    if "setup" in report:
        return Outcome.BROKEN, report["setup"]
    if raw["init"] == "zygote gone":
        return Outcome.BROKEN, "the run ended the process that it was started from"
    if raw["killed"] == "idle":
        return Outcome.KILLED, "stopped because it did nothing for seconds"
    if raw["killed"]:
        return Outcome.KILLED, f"stopped at its limit of {raw['killed']}"
    status = raw["exit_status"]
    if status is not None and os.WIFSIGNALED(status):
        name = raw["fatal"]["signal"] if raw["fatal"] else f"signal {os.WTERMSIG(status)}"
        return Outcome.SIGNAL, f"ended by {name}"
    told = report.get("outcome")
    if told == "not-loaded":
        return Outcome.NOT_LOADED, report["why"]
    if told == "returned":
        return Outcome.RETURNED, "returned"
    if told == "exception":
        exception = report["exception"]
        text = exception["text"].strip().split("\n")[0][:160]
        return Outcome.EXCEPTION, f"{exception['type']}: {text}" if text else exception["type"]
    code = os.waitstatus_to_exitcode(status) if status is not None else "?"
    return Outcome.EXITED, f"the process ended itself with exit code {code}, without a result"
