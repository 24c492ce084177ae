"""The grants in memory, and the requests that run under each: found, followed, and cut.

A running request is cut when its grant ends, by a timer; when the book says that it changed; when
a clock that was put forward says so; and when the book could not be asked for so long that what it
would say is not known any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from clearhouse.gateway.purse import Purse
from clearhouse.gateway.refusals import NOT_NOW, Problem, problem_of
from clearhouse.protocol.access import Access
from clearhouse.protocol.grants import Seen, Why, stands

Cut = Callable[[Problem], None]
"""Ends a running request at once, saying why; it returns without waiting."""


@dataclass(eq=False, slots=True)
class Standing:
    """A grant, what this process holds of its budget, and what runs under it."""

    access: Access
    seen: Seen
    purse: Purse
    runs: dict[int, Cut] = field(default_factory=dict)
    refused: Counter[Why] = field(default_factory=Counter)
    leasing: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None

    def now(self) -> datetime:
        """The time that counts for this grant; noted as seen."""
        wall, seconds = datetime.now(UTC), time.monotonic()
        at = self.seen.now(wall, seconds)
        self.seen = Seen(at, seconds)
        return at

    def cut(self, problem: Problem) -> None:
        """End all that runs."""
        runs, self.runs = self.runs, {}
        for cut in runs.values():
            cut(problem)


class Standings:
    """All grants, by the digest of their token and by name."""

    def __init__(self) -> None:
        self._by_digest: dict[bytes, Standing] = {}
        self._by_name: dict[str, Standing] = {}
        self._number = 0

    def of(self, token_digest: bytes) -> Standing | None:
        """The grant of a token."""
        return self._by_digest.get(token_digest)

    def all(self) -> Iterable[Standing]:
        """Every grant that is known."""
        return self._by_name.values()

    def take(self, accesses: Iterable[Access]) -> None:
        """Put changed grants in the place of what they were, and cut what they do not allow."""
        for access in accesses:
            name = access.grant.name
            there = self._by_name.get(name)
            if there is None:
                there = Standing(access, Seen(access.seen, time.monotonic()), Purse(name))
                self._by_name[name] = there
            else:
                self._by_digest.pop(there.access.token_digest, None)
                there.access = access
            self._by_digest[access.token_digest] = there
            self.look_at(there)

    def look_at(self, standing: Standing) -> None:
        """Cut what runs where the grant gives no access now; else look again at its end."""
        if standing.timer is not None:
            standing.timer.cancel()
            standing.timer = None
        now = standing.now()
        no = stands(standing.access.grant, now)
        if no is not None:
            standing.cut(problem_of(no))
        elif standing.runs:
            left = (standing.access.grant.window.end - now).total_seconds()
            loop = asyncio.get_running_loop()
            standing.timer = loop.call_later(max(0.0, left), self.look_at, standing)

    def look_at_all(self) -> None:
        """Look at each under which something runs."""
        for standing in self._by_name.values():
            if standing.runs:
                self.look_at(standing)

    def cut_all(self) -> None:
        """End everything: what the book would say is not known."""
        for standing in self._by_name.values():
            standing.cut(NOT_NOW)

    def enter(self, standing: Standing, cut: Cut) -> int:
        """Note a request that runs; the number to take it out with."""
        self._number += 1
        standing.runs[self._number] = cut
        if standing.timer is None:
            self.look_at(standing)
        return self._number

    def leave(self, standing: Standing, number: int) -> None:
        """It runs no more."""
        standing.runs.pop(number, None)
        if not standing.runs and standing.timer is not None:
            standing.timer.cancel()
            standing.timer = None
