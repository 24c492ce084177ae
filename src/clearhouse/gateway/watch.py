"""Asking the book, again and again, what has changed; and knowing when it was last heard."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import Final

from clearhouse.errors import ClearhouseError
from clearhouse.gateway.book import Book
from clearhouse.gateway.standing import Standings
from clearhouse.protocol.access import Changes

EVERY_SECONDS: Final = 0.2
#: What was heard longer ago is not relied on: all that runs is cut, and nothing is let through.
#: With the time that a cut takes this stays within a second.
RELIED_ON_SECONDS: Final = 0.9
_LOG: Final = logging.getLogger(__name__)


class Watch:
    """Keeps the grants in memory as the book has them.

    A thread asks, so that much work in the loop does not put it off.
    """

    def __init__(self, book: Book, standings: Standings) -> None:
        self._book = book
        self._standings = standings
        self._number = 0
        self._heard = self._answered = -RELIED_ON_SECONDS
        self._news = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._was_heard = True
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_current(self) -> bool:
        """Whether the grants in memory are those of the last second."""
        return time.monotonic() - self._heard < RELIED_ON_SECONDS

    async def wait_until_current(self) -> bool:
        """Wait for news where the last is too old, as long as it may be; whether it came."""
        if not self.is_current:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(RELIED_ON_SECONDS):
                    await self._news.wait()
        return self.is_current

    async def start(self) -> None:
        """Ask, and go on asking until it is closed."""
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(None, self._asked)
        if first is not None:
            self._take(*first)
        self._thread = threading.Thread(target=self._ask, args=(loop,), name="watch", daemon=True)
        self._thread.start()

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._over.wait(EVERY_SECONDS):
            heard = self._asked()
            if heard is not None:
                with suppress(RuntimeError):  # the loop has just ended
                    loop.call_soon_threadsafe(self._take, *heard)

    def _asked(self) -> tuple[float, Changes] | None:
        asked = time.monotonic()
        try:
            changes = self._book.changes(self._number)
        except ClearhouseError as error:
            if self._was_heard:
                _LOG.warning("grants cannot be looked up: %s", error)
            self._was_heard = False
            return None
        if not self._was_heard:
            _LOG.warning("grants can be looked up again")
        self._was_heard = True
        self._answered = asked
        return asked, changes

    def _take(self, asked: float, changes: Changes) -> None:
        """Take what was true when it was asked; the answer may have taken its time."""
        if self._over.is_set():
            return
        self._heard, self._number = asked, changes.number
        self._standings.take(changes.accesses)
        self._standings.look_at_all()
        self._news.set()
        self._watch_over()

    def _watch_over(self) -> None:
        """Cut all that runs once the last answer is too old; one on its way to here counts."""
        if self._alarm is not None:
            self._alarm.cancel()
        left = self._answered + RELIED_ON_SECONDS - time.monotonic()
        if left <= 0:
            self._standings.cut_all()
        else:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(left, self._watch_over)

    def close(self) -> None:
        """Ask no more."""
        self._over.set()
        if self._alarm is not None:
            self._alarm.cancel()
