"""Processes that are started again when they die, and end when the one that started them does."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Final

_LOOK_SECONDS: Final = 0.1
#: A process that dies sooner than this is started again after a pause that doubles.
_SOON_SECONDS: Final = 5.0
_PAUSES: Final = (0.2, 30.0)
_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class _Place:
    """The place of one of them; the process in it changes."""

    name: str
    process: BaseProcess
    since: float
    pause: float = _PAUSES[0]


class Supervisor:
    """Runs each of ``works``, by name, in a process of its own.

    They are forked, before this process has threads or connections, and share what was imported.
    Where this process is killed they are sent SIGTERM by the kernel.
    """

    def __init__(
        self, works: Mapping[str, Callable[[], None]], *, say: Callable[[str], None]
    ) -> None:
        self._works = works
        self._say = say
        self._stops = 0

    def run(self) -> None:
        """Keep them running until each has ended by itself or all are told to stop."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._signalled)
        places = [_Place(name, self._started(name), time.monotonic()) for name in self._works]
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
        self._say(f"{place.name} died ({_cause(code)}), starting it again")
        place.process, place.since = self._started(place.name), time.monotonic()
        place.pause = min(place.pause * 2, _PAUSES[1])
        return True

    def _started(self, name: str) -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(self._works[name], os.getpid()), name=name
        )
        process.start()
        return process

    def _signalled(self, number: int, frame: object) -> None:  # noqa: ARG002 - Python's
        self._stops += 1


def end_with(parent: int, how: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent, of that id, is gone.

    Called first thing in a child, from the process that was started by the parent's main thread
    (prctl(2), PR_SET_PDEATHSIG).
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os.kill(os.getpid(), how)  # it was gone before the kernel was asked


def _child(work: Callable[[], None], parent: int) -> None:
    # A terminal sends Ctrl-C to all of them: the supervisor alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent, signal.SIGTERM)
    work()
    # What multiprocessing does at the end of a child is not ours to wait for.
    os._exit(0)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
