"""What was written to the journal goes into the book; journals of dead processes are taken up."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.gateway import journal as journals
from clearhouse.gateway.book import Book
from clearhouse.gateway.records import settled_in
from clearhouse.gateway.standing import Standings
from clearhouse.protocol.access import Returned, Settled, Settlement

EVERY_SECONDS: Final = 0.3
ORPHANS_SECONDS: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class Clerk:
    """Hands on what one process has written, in steps that the book takes whole."""

    def __init__(self, book: Book, standings: Standings, journal: journals.Journal) -> None:
        self._book = book
        self._standings = standings
        self._journal = journal
        self._settled: list[Settled] = []
        self._step: Settlement | None = None
        self._count = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clerk")
        self._folder = journal.path.parent
        self._looked_at = -ORPHANS_SECONDS
        self._was_taken = True

    @property
    def waiting(self) -> int:
        """How many requests the book has not taken."""
        return len(self._settled) + (len(self._step.settled) if self._step else 0)

    def note(self, one: Settled) -> None:
        """A request is over, and written."""
        self._settled.append(one)

    async def run(self) -> None:
        """Hand on until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.hand_on()
            if time.monotonic() - self._looked_at > ORPHANS_SECONDS:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, take_up, self._book, self._folder)
                self._looked_at = time.monotonic()

    async def hand_on(self) -> None:
        """Hand on what there is; a step that the book did not take is handed on again as it was."""
        if self._step is None:
            self._step = self._next_step()
        if self._step is None:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._thread, self._book.settle, self._step, datetime.now(UTC)
            )
        except ClearhouseError as error:
            if self._was_taken:
                _LOG.warning("the use of grants cannot be written: %s", error)
            self._was_taken = False
        else:
            self._was_taken, self._step = True, None

    def _next_step(self) -> Settlement | None:
        returned: list[Returned] = []
        refused = {}
        for standing in self._standings.all():
            returned += standing.purse.returned(standing.now(), seconds=time.monotonic())
            if standing.refused:
                refused[standing.access.grant.name] = dict(standing.refused)
                standing.refused.clear()
        settled, self._settled = self._settled, []
        entries = self._journal.take()
        if not (entries or settled or returned or refused):
            return None
        self._count += 1
        return Settlement(self._journal.name, self._count, entries, settled, returned, refused)

    def close(self) -> None:
        """Hand on no more."""
        self._thread.shutdown()


def take_up(book: Book, folder: Path) -> int:
    """Take up the journals in a folder whose processes are gone; how many there were."""
    count = 0
    for path in journals.left_behind(folder):
        name = journals.name_of(path)
        try:
            since = book.position(name)
            entries = list(journals.read(path))
            settled = list(settled_in(entries, since=since))
            rest = [one for one in entries if one.number > since]
            book.close(Settlement(name, 0, rest, settled), datetime.now(UTC))
            journals.mark_taken(path)
        except Invalid as error:
            # It stays where it is, and what it was lent stays lent: nothing is given out twice.
            _LOG.error("the journal %s was altered and is not taken up: %s", name, error)
            continue
        except ClearhouseError as error:
            _LOG.warning("the journal %s cannot be taken up now: %s", name, error)
            return count
        count += 1
    return count
