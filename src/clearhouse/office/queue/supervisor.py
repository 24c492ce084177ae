"""Several workers on one machine: processes that are started again when they die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Final

_LOOK_SECONDS: Final = 0.1
#: A process that dies sooner than this is started again after a pause that doubles.
_SOON_SECONDS: Final = 5.0
_PAUSES: Final = (0.2, 30.0)


@dataclass(slots=True)
class _Place:
    """One worker's place; the process in it changes."""

    number: int
    process: BaseProcess
    since: float
    pause: float = _PAUSES[0]


class Supervisor:
    """Runs ``work(number)`` in so many processes.

    They are forked, before this process has threads or connections, and share what was imported.
    """

    def __init__(self, work: Callable[[int], None], *, say: Callable[[str], None]) -> None:
        self._work = work
        self._say = say
        self._stops = 0

    def run(self, count: int) -> None:
        """Keep ``count`` of them running until each has ended by itself or all are told to stop."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._signalled)
        places = [_Place(n, self._started(n), time.monotonic()) for n in range(1, count + 1)]
        told = 0
        while places:
            if told < self._stops:
                told += 1
                for place in places:
                    place.process.terminate()
            places = [place for place in places if self._kept(place)]
            time.sleep(_LOOK_SECONDS)

    def _kept(self, place: _Place) -> bool:
        """Whether a place is still taken; who died in it is started again."""
        if place.process.is_alive():
            return True
        code = place.process.exitcode
        if code == 0 or self._stops:
            return False
        lived = time.monotonic() - place.since
        if lived > _SOON_SECONDS:
            place.pause = _PAUSES[0]
        if lived < place.pause:
            return True
        self._say(f"worker {place.number} died ({_cause(code)}), starting it again")
        place.process, place.since = self._started(place.number), time.monotonic()
        place.pause = min(place.pause * 2, _PAUSES[1])
        return True

    def _started(self, number: int) -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(self._work, number), name=f"worker-{number}"
        )
        process.start()
        return process

    def _signalled(self, number: int, frame: object) -> None:  # noqa: ARG002 - Python's
        self._stops += 1


def _child(work: Callable[[int], None], number: int) -> None:
    # A terminal sends Ctrl-C to all of them: the supervisor alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    work(number)
    # What multiprocessing does at the end of a child is not ours to wait for.
    os._exit(0)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
