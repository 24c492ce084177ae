"""Who does which kind of job: each room registers its handlers in its ``jobs.py``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from clearhouse.errors import NotFound

Payload = Mapping[str, Any]
"""What a job was given, as JSON."""

Progress = Callable[[str], None]
"""Says how far a job is.  Raises :class:`clearhouse.errors.Conflict` once the job is lost."""

Result = TypeVar("Result")


class Handler(ABC, Generic[Result]):
    """Does one kind of job, in two parts.

    :meth:`run` takes as long as it needs and changes nothing that lasts; it may run again after a
    crash.  :meth:`store` writes its result in the transaction that also marks the job as done, so
    that the effect happens once.  One handler serves all jobs of its kind in a worker, one after
    the other, and may keep what is dear to start until :meth:`close`.

    What either raises decides what becomes of the job: Unavailable puts it off; Invalid, Refused
    and NotFound fail it for good; anything else is tried again as often as the job allows.
    """

    @abstractmethod
    def run(self, payload: Payload, progress: Progress) -> Result:
        """The work, outside of any transaction."""

    @abstractmethod
    def store(self, payload: Payload, result: Result, now: datetime) -> None:
        """Write what came of it, inside the transaction that ends the job."""

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        """Write that nothing will come of it, inside the transaction that fails the job."""

    def close(self) -> None:
        """Let go of what is kept between jobs; the worker ends."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something done once in each period of so many seconds, by one worker."""

    name: str
    seconds: int
    act: Callable[[datetime], None]

    @property
    def kind(self) -> str:
        """The kind of its jobs."""
        return f"timer.{self.name}"

    def key(self, now: datetime) -> str:
        """The key of the period in which ``now`` lies."""
        return f"{self.kind}:{math.floor(now.timestamp() / self.seconds)}"


class _OnTime(Handler[None]):
    """A timer's act, whole inside the transaction."""

    def __init__(self, act: Callable[[datetime], None]) -> None:
        self._act = act

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing ahead of the act."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Act."""
        self._act(now)


_HANDLERS: Final[dict[str, Handler[Any]]] = {}
_TIMERS: Final[dict[str, Timer]] = {}

Made = TypeVar("Made", bound=Handler[Any])
Act = TypeVar("Act", bound=Callable[[datetime], None])


def handler(kind: str) -> Callable[[type[Made]], type[Made]]:
    """Register a class for a kind of job: ``@handler("findings.prove")``."""

    def register(made: type[Made]) -> type[Made]:
        _register(kind, made())
        return made

    return register


def every(seconds: int, name: str) -> Callable[[Act], Act]:
    """Register ``act(now)`` to be called once in each period, by exactly one worker at a time.

    It runs inside a transaction and must be short: what takes long is a job that it enqueues.
    A period in which no worker ran is left out, not made up for.
    """

    def register(act: Act) -> Act:
        timer = Timer(name, seconds, act)
        _register(timer.kind, _OnTime(act))
        _TIMERS[name] = timer
        return act

    return register


def handler_of(kind: str) -> Handler[Any]:
    """The handler of a kind.  Raises :class:`NotFound` where no room has registered one."""
    found = _HANDLERS.get(kind)
    if found is None:
        raise NotFound(f"no handler is registered for jobs of kind {kind}")
    return found


def kinds() -> tuple[str, ...]:
    """Every kind that has a handler."""
    return tuple(sorted(_HANDLERS))


def timers() -> tuple[Timer, ...]:
    """Every timer."""
    return tuple(_TIMERS.values())


def _register(kind: str, one: Handler[Any]) -> None:
    if kind in _HANDLERS:
        raise RuntimeError(f"two handlers for {kind}")
    _HANDLERS[kind] = one
