"""What was seen in one run, as frozen values: the bytes that a judgement works on.

A record comes from the warden as JSON; :mod:`clearhouse.proof.reading` parses it once.  Nothing
here knows how a run is done, and nothing in the judgement reads a clock, a file or a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """How far the harness was: target calls so far, line of the last one, marks passed.

    ``native`` says that the call is going on and has no code of the target's own to be seen.
    """

    number: int
    site: int
    marks: frozenset[int]
    given: int = 0  # values that the harness gave the target while the target called it
    rss_bytes: int = 0  # when the last target call began, and what its callbacks added; 0 unknown
    native: bool = False


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
    ours: bool = False  # our own code was running, on behalf of the harness
    answering: bool = False  # a call of the target was, and no code of anybody's in it


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
    ways: frozenset[tuple[int, str, int]] = frozenset()
    """Line and name of every function it called, and how many target calls there were before."""
    came_out: frozenset[tuple[int, str, str]] = frozenset()
    """Line, function of the target, and class of every exception that came out of it."""
    reads: frozenset[tuple[int, str, str]] = frozenset()
    """Line, name and digest of every simple value that it read off the target."""
    ended: frozenset[int] = frozenset()  # lines at which an iterator of the target ended by itself
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
