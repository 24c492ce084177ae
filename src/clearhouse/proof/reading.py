"""From a warden's record, which is JSON, to a :class:`Run`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clearhouse.proof.observation import (
    CallState,
    Classify,
    Escape,
    Event,
    Fatal,
    Frame,
    Outcome,
    Owner,
    Raised,
    Run,
    Sample,
    Sanitizer,
    Stack,
    TargetCall,
)

_MARKS = 65536  # as many as the memory for them holds (``warden/zygote.py``)
_OUTPUT_KEPT = 2000
_ANSWERING = "answer"  # what calls the target for a harness (``warden/observe_javascript.cjs``)


def read_run(
    raw: Mapping[str, Any], *, version: str, name: str, token: str, classify: Classify
) -> Run:
    """Parse a warden's record.

    ``name`` is the input's, ``token`` what a harness may not show (a leak), and ``classify`` names
    the owner of a raw frame.
    """
    told = _Told()
    for message in raw["report"]:
        told.take(message)
    read = _Record(classify)
    report = told.report
    exception, escape = report.get("exception"), report.get("escaped")
    calls = report.setdefault("calls", list(told.called.values()))  # none are sent when cut short
    entered = "call" in raw["phases"]
    outcome, why = _outcome(raw, report)
    output = raw["output"]["out"] + raw["output"]["err"]
    visible = [output, repr(report.get("value", "")), repr(exception["text"]) if exception else ""]
    visible += [repr(c["returned"]) for c in calls]
    return Run(
        version=version,
        input=name,
        outcome=outcome,
        why=why,
        cpu_s=raw["cpu_call_s"] if entered else raw["cpu_s"],
        wall_s=raw["wall_call_s"] if entered else raw["wall_s"],
        rss_bytes=raw["rss_bytes"],
        growth_bytes=raw["rss_call_bytes"],
        events=tuple(read.event(e) for e in raw["events"]),
        samples=tuple(read.sample(s) for s in (*raw["samples"], *report.get("samples", ()))),
        fatal=None if raw["fatal"] is None else read.fatal(raw["fatal"]),
        raised=None if exception is None else read.raised(exception),
        escape=None
        if escape is None
        else Escape(escape["site"], escape["callee"], escape["native"], _marks(escape["marks"])),
        sanitizer=Sanitizer(**raw["sanitizer"]) if raw.get("sanitizer") else None,
        calls=tuple(map(_call, calls)),
        gave=frozenset(told.gave),
        given=int(raw.get("given", 0)),
        number=int(raw.get("number", 0)),
        ways=frozenset(told.ways),
        came_out=frozenset(told.came_out),
        ended=frozenset(told.ended),
        reads=frozenset(told.reads),
        marks=_marks(raw["marks"]),
        mark_lines=_lines(report),
        contract=(*report.get("contract", ()), *told.breaches),
        tampering=(*told.tampering, *_tampering(raw)),
        missing=report.get("missing"),
        killed=raw["killed"],
        value=report.get("value"),
        output=output[:_OUTPUT_KEPT],
        leaked=any(token in text for text in visible),
    )


@dataclass(slots=True)
class _Told:
    """What the observer inside the run reported, message by message."""

    report: dict[str, Any] = field(default_factory=dict)
    tampering: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    called: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    gave: set[tuple[int, str]] = field(default_factory=set)
    ways: set[tuple[int, str, int]] = field(default_factory=set)
    came_out: set[tuple[int, str, str]] = field(default_factory=set)
    reads: set[tuple[int, str, str]] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)

    def take(self, message: Mapping[str, Any]) -> None:
        """Add one message; one without a kind of its own is part of the final report."""
        match message:
            case {"tamper": what, "line": line}:
                self.tampering.append(f"line {line}: {what}")
            case {"breach": what, "line": line}:
                self.breaches.append(f"line {line}: {what}")
            case {"called": call}:
                self.called[call["line"], call["callee"]] = call
            case {"gave": kind, "line": line}:
                self.gave.add((int(line), str(kind)))
            case {"way": function, "line": line, "at": number}:
                self.ways.add((int(line), str(function), int(number)))
            case {"came_out": [line, callee, kind]}:
                self.came_out.add((int(line), str(callee), str(kind)))
            case {"read": [line, what, digest]}:
                self.reads.add((int(line), str(what), str(digest)))
            case {"ended": line}:
                self.ended.add(int(line))
            case _:
                self.report |= message


@dataclass(frozen=True, slots=True)
class _Record:
    """The parts of a record that hold stacks."""

    classify: Classify
    known: dict[tuple[Any, ...], Frame] = field(default_factory=dict)

    def event(self, event: Mapping[str, Any]) -> Event:
        details = {k: v for k, v in event.items() if k not in ("kind", "stack", "call", "phase")}
        stack = self._stack(event["stack"])
        return Event(event["kind"], stack, _state(event["call"]), event["phase"], details)

    def sample(self, sample: Mapping[str, Any]) -> Sample:
        frames = (self._frame(frame) for frame in sample["stack"])
        innermost = next((frame for frame in frames if frame.owner is not Owner.RUNTIME), None)
        ours = innermost is not None and innermost.owner is Owner.OBSERVER
        return Sample(
            self._stack(sample["stack"]),
            _state(sample["call"]),
            sample["cpu_s"],
            int(sample.get("rss_bytes", 0)),
            ours=ours,
            answering=ours and innermost is not None and innermost.name == _ANSWERING,
        )

    def fatal(self, fatal: Mapping[str, Any]) -> Fatal:
        stack = self._stack(fatal["stack"])
        state = _state(fatal["call"])
        return Fatal(fatal["signal"], fatal["sent"], fatal["address"], stack, state)

    def raised(self, exception: Mapping[str, Any]) -> Raised:
        return Raised(
            exception["type"],
            (*exception["names"], *exception["qualified"]),
            exception["text"],
            self._stack(exception["frames"]),
            exception["by_harness"],
            exception["guarantee"],
        )

    def _stack(self, frames: Iterable[Mapping[str, Any]]) -> Stack:
        found = [self._frame(frame) for frame in frames]
        return tuple(frame for frame in found if frame.owner is not Owner.OBSERVER)

    def _frame(self, raw: Mapping[str, Any]) -> Frame:
        """The frame with its owner; samples show the same ones again and again."""
        place = tuple(raw.values())
        if place not in self.known:
            self.known[place] = self.classify(raw)
        return self.known[place]


def _marks(raw: str) -> frozenset[int]:
    return frozenset(i for i, b in enumerate(bytes.fromhex(raw)) if b)


def _lines(report: Mapping[str, Any]) -> tuple[int, ...]:
    """The line of each mark: those of the text, and those that were given out while running."""
    found = list(report.get("lines", ()))
    for number, line in report.get("dynamic", ()):
        if 0 <= number < _MARKS:
            found += [0] * (number + 1 - len(found))
            found[number] = line
    return tuple(found)


def _state(call: Mapping[str, Any]) -> CallState:
    return CallState(
        int(call["number"]),
        int(call["site"]),
        _marks(call["marks"]),
        int(call.get("given", 0)),
        int(call.get("rss_bytes", 0)),
        bool(call.get("native", False)),
    )


def _call(call: Mapping[str, Any]) -> TargetCall:
    return TargetCall(
        call["line"],
        call["callee"],
        call["count"],
        call["native"],
        tuple(tuple(kinds) for kinds in call["types"]),
        tuple(call["returned"]),
        tuple(call.get("given", ())),
        tuple(call.get("at", ())),
    )


def _tampering(raw: Mapping[str, Any]) -> list[str]:
    found = []
    if raw["forged"]:
        found.append("wrote into the observer's report")
    if raw.get("missing"):
        found.append("took away part of the observer's report")
    return found


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
