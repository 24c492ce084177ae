"""A worker: takes one job after the other until it is told to stop."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from clearhouse.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from clearhouse.office.queue import actions, giving, handlers
from clearhouse.office.queue.actions import Claimed
from clearhouse.office.queue.bugs import bug_in
from clearhouse.office.queue.heartbeat import Heartbeat

log = logging.getLogger("clearhouse.queue")

LEASE: Final = timedelta(seconds=60)
#: Seconds that a running job may still take after the first request to stop.
GRACE_SECONDS: Final = 10.0
_SWEEP_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = (0.05, 1.0)
#: Pauses before a transaction is tried again: 16 seconds, longer than a database's restart.
_PAUSES: Final = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0)
_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=10)

Done = TypeVar("Done")


class Ending(StrEnum):
    """What became of one attempt at a job."""

    DONE = "done"
    RETRIED = "to be tried again"
    FAILED = "failed"
    GIVEN_BACK = "given back"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt, for whoever watches the worker."""

    kind: str
    key: str
    ending: Ending
    seconds: float
    reason: str = ""


class _Stop(BaseException):
    """Leaves a handler's run when the worker must end now."""


class Worker:
    """One process's worker.  It runs in the main thread, so that signals reach it."""

    def __init__(
        self,
        *,
        kinds: Sequence[str] | None = None,
        lease: timedelta = LEASE,
        grace_seconds: float = GRACE_SECONDS,
        report: Callable[[Outcome], None] = lambda _: None,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._kinds = tuple(kinds) if kinds is not None else handlers.kinds()
        self._lease = lease
        self._grace = grace_seconds
        self._report = report
        self._clock = clock
        self._parent = os.getppid()
        self._stopping = False
        self._in_run = False
        self._busy = False
        self._next_sweep = 0.0
        self._heartbeat = Heartbeat(lease=lease, clock=clock)

    def stop_on(self, *signals: signal.Signals) -> None:
        """Stop on these signals: the first lets the job end in its grace, the next does not."""
        for one in (*signals, signal.SIGALRM):
            signal.signal(one, self._signalled)

    def serve(self) -> None:
        """Work until told to stop, or until the process that started this one is gone."""
        idle, longest = _IDLE_SECONDS
        with self._at_work():
            while self._goes_on():
                try:
                    busy = self._step()
                except (OperationalError, InterfaceError):
                    log.warning("the database does not answer, trying again")
                    connection.close()
                    busy, idle = False, longest
                if busy:
                    idle = _IDLE_SECONDS[0]
                else:
                    time.sleep(idle)
                    idle = min(idle * 2, longest)

    def drain(self) -> None:
        """Work until no job waits that could start now."""
        with self._at_work():
            while self._goes_on() and self._again_and_again(self._step):
                pass

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._heartbeat.start()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._heartbeat.stop()
            for kind in self._kinds:
                handlers.handler_of(kind).close()
            connection.close()

    def _goes_on(self) -> bool:
        return not self._stopping and os.getppid() == self._parent

    def _step(self) -> bool:
        """Sweep when it is time, and do one job; False if there was none."""
        self._sweep()
        # An idle worker looks before it locks: on SQLite it would take the only pen to do so.
        if not self._busy and not giving.is_any_ready(self._kinds):
            return False
        claimed = actions.claim(self.name, self._clock(), self._kinds, lease=self._lease)
        self._busy = claimed is not None
        if claimed is None:
            return False
        self._report(self._attempt(claimed))
        return True

    def _sweep(self) -> None:
        if time.monotonic() < self._next_sweep:
            return
        now = self._clock()
        actions.start_timers(now)
        actions.reclaim(now)
        self._next_sweep = time.monotonic() + _SWEEP_SECONDS

    def _attempt(self, claimed: Claimed) -> Outcome:
        """1 run, 2 store and finish in one transaction, 3 or record why not."""
        began = time.monotonic()
        ending, reason = Ending.DONE, ""
        self._heartbeat.follow(claimed)
        try:
            handler = handlers.handler_of(claimed.kind)
            result = self._run(handler, claimed)  # 1
            self._again_and_again(lambda: self._store(handler, claimed, result))  # 2
        except _Stop:
            ending = self._settled(lambda: _given_back(claimed))
        except Exception as error:  # noqa: BLE001 - the job's edge: whatever it raises ends here
            reason = _reason(error)
            ending = self._settled(partial(self._set_back, claimed, error, reason))  # 3
        finally:
            self._heartbeat.leave()
        return Outcome(claimed.kind, claimed.key, ending, time.monotonic() - began, reason)

    def _run(self, handler: handlers.Handler[Any], claimed: Claimed) -> Any:  # noqa: ANN401 - the handler's
        try:
            self._in_run = True
            return handler.run(claimed.payload, self._heartbeat.progress)
        finally:
            self._in_run = False

    def _store(self, handler: handlers.Handler[Any], claimed: Claimed, result: object) -> None:
        now = self._clock()
        with transaction.atomic():
            # First, as it locks the job: whoever has lost it stops before storing anything.
            actions.finish(claimed, now)
            handler.store(claimed.payload, result, now)

    def _set_back(self, claimed: Claimed, error: Exception, reason: str) -> Ending:
        now = self._clock()
        match error:
            case Unavailable():
                actions.postpone(claimed, reason, until=now + _delay(claimed.fence))
                return Ending.RETRIED
            case Invalid() | Refused() | NotFound():
                retry_at = None
            case _:
                log.warning("job %d (%s): %s", claimed.id, claimed.kind, reason)
                retry_at = now + _delay(claimed.attempt)
        retried = actions.fail(claimed, reason, now, retry_at=retry_at)
        return Ending.RETRIED if retried else Ending.FAILED

    def _settled(self, record: Callable[[], Ending]) -> Ending:
        """Record an ending; a job that was taken over, or could not be recorded, is lost."""
        try:
            return self._again_and_again(record)
        except (Conflict, OperationalError, InterfaceError):
            # Where the database stays away the lease runs out, and a sweep finds the job.
            return Ending.LOST

    def _again_and_again(self, act: Callable[[], Done]) -> Done:
        """Try a transaction again where the database went away or broke a deadlock.

        If it was committed before the connection broke, the next try finds the job ended.
        """
        for pause in _PAUSES:
            try:
                return act()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(pause)
        return act()

    def _signalled(self, number: int, frame: object) -> None:  # noqa: ARG002 - Python's
        """Runs between two instructions of the main thread: sets what it must, takes no lock."""
        again = self._stopping
        self._stopping = True
        if again and self._in_run:
            self._in_run = False
            raise _Stop
        if not again:
            signal.setitimer(signal.ITIMER_REAL, self._grace)


def _given_back(claimed: Claimed) -> Ending:
    actions.give_back(claimed)
    return Ending.GIVEN_BACK


def _delay(starts: int) -> timedelta:
    """5 seconds, doubled with each start, 10 minutes at most."""
    return min(_FIRST_DELAY * (1 << min(starts - 1, 10)), _LONGEST_DELAY)


def _reason(error: Exception) -> str:
    """What may be shown: the sentence of an error of ours, of any other only kind and place."""
    if isinstance(error, Unavailable | Invalid | Refused | NotFound | Conflict):
        return str(error)
    return bug_in(error)
