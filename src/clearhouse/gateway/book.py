"""The port to the office: where grants come from, and where their use is written.

The gateway decides each request in memory.  What it cannot know alone it asks of the book: which
grants changed, how much of a budget it may hand out, and what becomes of what was used.  The
office's room of access implements it; every method may block, and is called in threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from clearhouse.protocol.grants import Amounts, Grant, Lot, Refusal, Why
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule


class Keyed(StrEnum):
    """In which header a developer's endpoint wants its credential."""

    BEARER = "bearer"
    X_API_KEY = "x-api-key"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A developer's endpoint.

    ``address`` is what stands before ``/v1/...``.  ``credential`` is opened in memory only and
    shown nowhere.  ``canaries`` are planted texts that must not pass; ``consequences`` say what
    follows from unusual use; ``recipients`` are the developer's age keys to which contents are
    encrypted, none where they are not kept.
    """

    name: str
    address: str
    keyed: Keyed
    credential: str = field(repr=False)
    prices: Mapping[str, Price]
    canaries: tuple[str, ...] = field(default=(), repr=False)
    consequences: Mapping[Rule, Consequence] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """A grant with the digest of its token, the endpoint it opens, and when it was last seen."""

    grant: Grant
    token_digest: bytes = field(repr=False)
    upstream: Upstream
    seen: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since a change number, and the number to ask with next."""

    number: int
    accesses: Sequence[Access]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a journal, as it stands there: ``raw`` is what is chained, ``head`` the hash."""

    number: int
    raw: bytes
    head: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What one request came to.

    ``spent`` was a part of the process's lots until now, and is used up.  ``contents`` is sealed
    for the developer, None where it is not kept.
    """

    use: str
    grant: str
    begun_at: datetime
    ended_at: datetime
    spent: Amounts
    call: str
    model: str
    outcome: str
    request_digest: str
    response_digest: str
    address: str
    contents: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """What of a grant's lots a process hands back, and of which minute its rates were."""

    grant: str
    amounts: Amounts
    streams: int
    minute: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a process has written since the last one, in one step.

    ``step`` counts up from 1: one that was taken already changes nothing.  ``entries`` continue the
    journal; ``settled`` are the requests that ended in them; ``refused`` counts what was refused,
    by grant.
    """

    journal: str
    step: int
    entries: Sequence[Entry]
    settled: Sequence[Settled]
    returned: Sequence[Returned] = ()
    refused: Mapping[str, Mapping[Why, int]] = field(default_factory=dict)


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
