"""The port to the office: where grants come from, and where their use is written.

The gateway decides each request in memory.  What it cannot know alone it asks of the book: which
grants changed, how much of a budget it may hand out, and what becomes of what was used.  The
office's room of access implements it; every method may block, and is called in threads.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from clearhouse.protocol.access import Changes, Settlement
from clearhouse.protocol.grants import Amounts, Lot, Refusal
from clearhouse.protocol.unusual_use import Rule


class Book(Protocol):
    """What the gateway needs of the office.  Every method raises :class:`Unavailable`."""

    def token_digest(self, token: str) -> bytes:
        """The keyed digest by which a token is known; in memory, for each request."""

    def changes(self, since: int) -> Changes:
        """Accesses that changed after that number, which counts up with each change; 0: all."""

    def lease(
        self, journal: str, grant: str, most: Amounts, streams: int, now: datetime
    ) -> Lot | Refusal:
        """Hand a process a part of a grant's budget, enough for such a request."""

    def settle(self, settlement: Settlement, now: datetime) -> None:
        """Take what a process has written; the same step again changes nothing."""

    def position(self, journal: str) -> int:
        """How many lines of a journal were taken."""

    def close(self, settlement: Settlement, now: datetime) -> None:
        """Take the rest of a journal whose process is gone; what it still held goes back."""

    def alert(self, grant: str, rule: Rule, says: str, now: datetime) -> None:
        """Tell both sides of unusual use, and do what the endpoint's rule says."""
