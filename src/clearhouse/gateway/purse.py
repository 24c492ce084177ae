"""What one process may hand out of a grant's budget, and what of it is free.

The book lends parts of a budget in lots.  What requests reserve comes out of them, what they leave
goes back; after a minute, or when nothing was asked for a while, what is free is returned, as the
next minute has rates of its own and others may need it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from clearhouse.protocol.access import Returned
from clearhouse.protocol.grants import Amounts, Grant, Lot, Use, minute_of

#: After so long without a request nothing is held in store.
_IDLE_SECONDS: Final = 2.0


@dataclass(slots=True)
class Purse:
    """The lots of one grant in one process.

    What was lent is always what is free, reserved, returned, or spent by requests that were
    written to the journal; ``free`` is below zero where an answer used more than was reserved.
    """

    grant: str
    free: Amounts = field(default_factory=Amounts)
    streams_free: int = 0
    minute: int = 0
    stale: Amounts = field(default_factory=Amounts)
    asked_at: float = 0.0

    def use(self, grant: Grant, seen: datetime, now: datetime) -> Use:
        """How the grant stands for this process: gone is what it does not hold."""
        free = self.free if minute_of(now) == self.minute else Amounts()
        return Use(
            spent=grant.budget - free,
            minute=Amounts(grant.rates.requests_a_minute, grant.rates.tokens_a_minute) - free,
            streams=grant.rates.streams - self.streams_free,
            seen=seen,
        )

    def take(self, lot: Lot) -> None:
        """Put a lot in."""
        self._turn(lot.minute)
        self.free = self.free + lot.amounts
        self.streams_free += lot.streams

    def reserve(self, most: Amounts, streams: int, *, seconds: float) -> None:
        """Set aside what a request may use; it was admitted."""
        self.free = self.free - most
        self.streams_free -= streams
        self.asked_at = seconds

    def release(self, reserved: Amounts, spent: Amounts, streams: int, minute: int) -> None:
        """A request is over: what it left is free, in the minute in which it was reserved."""
        left = reserved - spent
        self.streams_free += streams
        if minute == self.minute:
            self.free = self.free + left
        else:
            self.stale = self.stale + left

    def returned(self, now: datetime, *, seconds: float) -> list[Returned]:
        """What is handed back now."""
        if minute_of(now) != self.minute:
            self._turn(minute_of(now))
        back = []
        if self.stale != Amounts():
            back.append(Returned(self.grant, self.stale, 0, 0))
            self.stale = Amounts()
        idle = seconds - self.asked_at > _IDLE_SECONDS
        if idle and (self.free != Amounts() or self.streams_free):
            back.append(Returned(self.grant, self.free, self.streams_free, self.minute))
            self.free, self.streams_free = Amounts(), 0
        return back

    def _turn(self, minute: int) -> None:
        """Another minute: what was lent for the last one has no rate any more."""
        if minute != self.minute:
            self.stale = self.stale + self.free
            self.free, self.minute = Amounts(), minute
