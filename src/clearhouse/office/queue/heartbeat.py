"""Keeps a running job's lease alive from a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from clearhouse.errors import Conflict
from clearhouse.office.queue.actions import Claimed, renew

log = logging.getLogger("clearhouse.queue")

_TICK_SECONDS: Final = 1.0
_BEATS_PER_LEASE: Final = 3


class Heartbeat:
    """Renews the lease of the job that is followed, three times in its length.

    It has a database connection of its own and outlives a restart of the database: the lease is
    longer than that takes, or else the job goes to another worker and this one's is refused.
    """

    def __init__(self, *, lease: timedelta, clock: Callable[[], datetime]) -> None:
        self._lease = lease
        self._clock = clock
        self._changed = threading.Condition()
        self._followed: Claimed | None = None
        self._lost = False
        self._text: str | None = None
        self._due = 0.0
        self._ends = False
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        with self._changed:
            self._ends = True
            self._changed.notify()
        self._thread.join()

    def follow(self, claimed: Claimed) -> None:
        """Keep this job from now on."""
        # The thread is not woken: a switch between threads costs more than a short job.
        with self._changed:
            self._followed, self._lost, self._text = claimed, False, None
            self._due = time.monotonic() + self._every

    def leave(self) -> None:
        """Keep none."""
        with self._changed:
            self._followed = None

    def progress(self, text: str) -> None:
        """Say how far the job is; the last said is stored once a second.

        Raises :class:`Conflict` once the job is lost: what it still does would be thrown away.
        """
        with self._changed:
            if self._lost:
                raise Conflict("the job was cancelled or given to another worker")
            self._text = text

    @property
    def _every(self) -> float:
        return self._lease.total_seconds() / _BEATS_PER_LEASE

    def _beat(self) -> None:
        try:
            while True:
                with self._changed:
                    if self._ends:
                        return
                    self._changed.wait(min(_TICK_SECONDS, self._every / 2))
                    claimed, text = self._followed, self._text
                    if claimed is None or (text is None and time.monotonic() < self._due):
                        continue
                    self._text = None
                self._renew(claimed, text)
        finally:
            connection.close()

    def _renew(self, claimed: Claimed, text: str | None) -> None:
        lost = answered = False
        try:
            renew(claimed, self._clock(), lease=self._lease, progress=text)
            answered = True
        except Conflict:
            lost = True
        except (OperationalError, InterfaceError):
            # Due as before: tried again at the next tick.
            log.warning("the lease of job %d could not be renewed, trying again", claimed.id)
            connection.close()
        with self._changed:
            # The job may have ended while this was under way.
            if self._followed is claimed:
                if answered:
                    self._due = time.monotonic() + self._every
                if lost:
                    self._followed, self._lost = None, True
