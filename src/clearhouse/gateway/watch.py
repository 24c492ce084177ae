"""Asking the book, again and again, what has changed; and knowing when it was last heard."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from clearhouse.errors import ClearhouseError
from clearhouse.gateway.book import Book
from clearhouse.gateway.standing import Standings

EVERY_SECONDS: Final = 0.2
#: What was heard longer ago is not relied on: all that runs is cut, and nothing is let through.
#: With the time that a cut takes this stays within a second.
RELIED_ON_SECONDS: Final = 0.9
_LOG: Final = logging.getLogger(__name__)


class Watch:
    """Keeps the grants in memory as the book has them."""

    def __init__(self, book: Book, standings: Standings) -> None:
        self._book = book
        self._standings = standings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._number = 0
        self._heard = -RELIED_ON_SECONDS
        self._alarm: asyncio.TimerHandle | None = None
        self._was_heard = True

    @property
    def is_current(self) -> bool:
        """Whether the grants in memory are those of the last second."""
        return time.monotonic() - self._heard < RELIED_ON_SECONDS

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(EVERY_SECONDS)

    async def ask(self) -> None:
        """Ask once."""
        loop = asyncio.get_running_loop()
        asked = time.monotonic()
        try:
            changes = await loop.run_in_executor(self._thread, self._book.changes, self._number)
        except ClearhouseError as error:
            if self._was_heard:
                _LOG.warning("grants cannot be looked up: %s", error)
            self._was_heard = False
            return
        if not self._was_heard:
            _LOG.warning("grants can be looked up again")
        # What was true when it was asked; the answer may have taken its time.
        self._heard, self._number, self._was_heard = asked, changes.number, True
        if self._alarm is not None:
            self._alarm.cancel()
        left = asked + RELIED_ON_SECONDS - time.monotonic()
        self._alarm = loop.call_later(max(0.0, left), self._standings.cut_all)
        self._standings.take(changes.accesses)
        self._standings.look_at_all()

    def close(self) -> None:
        """Ask no more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._thread.shutdown(wait=False)
