"""Access to a model under review: what a grant allows, and when it ends.

A grant ends by itself: at the end of its window, which no input can make longer than 30 days, and
before that as soon as it is revoked or the developer withdraws.  What is empty allows nothing: no
models, no calls, no networks, no budget.  Money is counted in millionths of the currency's unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

from clearhouse.errors import Invalid, Refused

LONGEST: Final = timedelta(days=30)
"""No window is longer (invariant 2)."""
_A_MINUTE: Final = 60
#: The part of what is left that one lot takes: several processes share it, and none hoards it.
_LOTS: Final = 8
#: Integers that every store and every reader of JSON keeps exactly (RFC 7493, section 2.2).
MOST: Final = 2**53 - 1

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address


class Call(StrEnum):
    """What can be asked of a model."""

    CHAT_COMPLETIONS = "chat-completions"
    RESPONSES = "responses"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    MESSAGES = "messages"
    COUNT_TOKENS = "count-tokens"


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` up to and without ``end``, both in UTC, 30 days at most.

    In UTC, as a difference of two times in one zone ignores its change of hours (Python,
    ``datetime``).  Raises :class:`Invalid`.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for key in ("start", "end"):
            object.__setattr__(self, key, _utc(getattr(self, key), key))
        if not self.start < self.end:
            raise Invalid("a window ends after its start", key="end")
        if self.end - self.start > LONGEST:
            raise Invalid(f"a window has {LONGEST.days} days at most", key="end")

    def has(self, at: datetime) -> bool:
        """Whether a time lies in it; its end does not."""
        return self.start <= at < self.end

    def shortened(self, end: datetime) -> Window:
        """The same with an earlier end.

        Raises :class:`Refused` for a later one: no window is made longer.  An end before the start
        leaves the shortest window there is.
        """
        wanted = _utc(end, "end")
        if wanted > self.end:
            raise Refused("a window can be shortened, not extended")
        return Window(self.start, max(wanted, self.start + timedelta.resolution))


def _utc(at: datetime, key: str) -> datetime:
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example", key=key)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Invalid("there is no such time", key=key) from None


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much: requests, tokens, and money in millionths (``micros``)."""

    requests: int = 0
    tokens: int = 0
    micros: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.requests + other.requests, self.tokens + other.tokens, self.micros + other.micros
        )

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.requests - other.requests, self.tokens - other.tokens, self.micros - other.micros
        )

    def no_less_than_nothing(self) -> Amounts:
        """The same with 0 for what is negative."""
        return Amounts(max(0, self.requests), max(0, self.tokens), max(0, self.micros))


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast: requests and tokens in a minute of the clock, and streams at the same time."""

    requests_a_minute: int = 0
    tokens_a_minute: int = 0
    streams: int = 0


#: What a developer is offered to give, and changes: some days of work by a few people.
USUAL_BUDGET: Final = Amounts(10_000, 20_000_000, 500_000_000)
USUAL_RATES: Final = Rates(60, 400_000, 8)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one party may do with one developer's endpoint.

    ``networks`` are where it may come from.  Whoever makes one takes the values from the store:
    counts are checked there by :func:`checked`.
    """

    name: str
    party: str
    models: frozenset[str]
    calls: frozenset[Call]
    window: Window
    budget: Amounts
    rates: Rates
    networks: tuple[Network, ...]
    paused_at: datetime | None = None
    revoked_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: what it wants, and the most that it can use up.

    ``streams`` is 1 for an answer that comes in pieces, else 0.
    """

    call: Call
    model: str | None
    address: Address
    most: Amounts
    streams: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What of a grant is gone: spent or reserved, in this minute, and by streams that run.

    ``seen`` is the latest time at which the grant was looked at: a clock that was put back gives
    nothing back.
    """

    spent: Amounts
    minute: Amounts
    streams: int
    seen: datetime


class Why(StrEnum):
    """Why a request is refused."""

    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    NOT_BEGUN = "not-begun"
    ENDED = "ended"
    PAUSED = "paused"
    ADDRESS = "address"
    CALL = "call"
    MODEL = "model"
    REQUESTS_RATE = "requests-rate"
    TOKENS_RATE = "tokens-rate"
    STREAMS = "streams"
    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "money"


SCARCE: Final = frozenset(
    {Why.REQUESTS_RATE, Why.TOKENS_RATE, Why.STREAMS, Why.REQUESTS, Why.TOKENS, Why.MONEY}
)
"""Refusals for want of something that may come: the next minute, the end of another request."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why: ``says`` is a sentence for who asked."""

    why: Why
    says: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Yes: ``reserved`` is set aside, and nothing goes on after ``until``."""

    reserved: Amounts
    until: datetime


@dataclass(frozen=True, slots=True)
class Lot:
    """A part of a budget handed to one process, to use within one minute (since 1970)."""

    amounts: Amounts
    streams: int
    minute: int


def admit(grant: Grant, ask: Ask, used: Use, now: datetime) -> Admitted | Refusal:
    """Whether a request may go on.

    1. The grant stands at this time (:func:`stands`).  2. It comes from where it may.  3. The call
    and 4. the model are allowed.  5. The rates and 6. the budgets leave room for the most that it
    can use up.
    """
    no = stands(grant, max(now, used.seen))  # 1
    if no is not None:
        return no
    if not any(ask.address in one for one in grant.networks):  # 2
        return Refusal(Why.ADDRESS, "this grant does not reach to the address you come from")
    if ask.call not in grant.calls:  # 3
        return Refusal(Why.CALL, f"this grant does not allow {ask.call.value}")
    if ask.model is None:
        if ask.call is not Call.MODELS:
            return Refusal(Why.MODEL, "name a model that this grant allows")
    elif ask.model not in grant.models:  # 4
        return Refusal(Why.MODEL, "this grant does not allow that model")
    scarce = _scarce(grant, ask.most, ask.streams, used)  # 5, 6
    return scarce or Admitted(ask.most, grant.window.end)


def stands(grant: Grant, now: datetime) -> Refusal | None:
    """None where a grant gives access at that time, asked of each request and running stream.

    1. A revoked or 2. withdrawn grant never does, whatever the clock says.  3. The window has begun
    4. and not ended.  5. It is not paused.
    """
    if grant.revoked_at is not None:  # 1
        return Refusal(Why.REVOKED, "this grant was revoked")
    if grant.withdrawn_at is not None:  # 2
        return Refusal(Why.WITHDRAWN, "the developer has ended its review; all access is closed")
    if now < grant.window.start:  # 3
        return Refusal(Why.NOT_BEGUN, f"this grant begins at {grant.window.start.isoformat()}")
    if not grant.window.has(now):  # 4
        return Refusal(Why.ENDED, f"this grant ended at {grant.window.end.isoformat()}")
    if grant.paused_at is not None:  # 5
        return Refusal(Why.PAUSED, "this grant is paused")
    return None


def lot(grant: Grant, most: Amounts, streams: int, used: Use, now: datetime) -> Lot | Refusal:
    """The part of a budget that a process is handed so that a request of that size has room.

    More than one request where there is plenty: an eighth of what is left, so that what processes
    hold in store shrinks with it.  Refused as :func:`admit` would.
    """
    no = stands(grant, max(now, used.seen)) or _scarce(grant, most, streams, used)
    if no is not None:
        return no
    left = grant.budget - used.spent
    minute = Amounts(grant.rates.requests_a_minute, grant.rates.tokens_a_minute) - used.minute
    amounts = Amounts(
        max(most.requests, min(left.requests, minute.requests) // _LOTS),
        max(most.tokens, min(left.tokens, minute.tokens) // _LOTS),
        max(most.micros, left.micros // _LOTS),
    )
    slots = max(streams, (grant.rates.streams - used.streams) // _LOTS if streams else 0)
    return Lot(amounts, slots, minute_of(max(now, used.seen)))


def _scarce(grant: Grant, most: Amounts, streams: int, used: Use) -> Refusal | None:
    rates, spent, minute = grant.rates, used.spent + most, used.minute + most
    if streams and used.streams + streams > rates.streams:
        return Refusal(Why.STREAMS, f"{rates.streams} stream(s) at a time are allowed")
    if minute.requests > rates.requests_a_minute:
        return Refusal(Why.REQUESTS_RATE, f"{rates.requests_a_minute} requests a minute allowed")
    if minute.tokens > rates.tokens_a_minute:
        return Refusal(
            Why.TOKENS_RATE,
            f"{rates.tokens_a_minute} tokens a minute are allowed, and this request may use"
            f" {most.tokens}",
        )
    if spent.requests > grant.budget.requests:
        return Refusal(Why.REQUESTS, f"all {grant.budget.requests} requests are used up")
    if spent.tokens > grant.budget.tokens:
        return Refusal(
            Why.TOKENS, f"this request may use {most.tokens} tokens, more than this grant has left"
        )
    if spent.micros > grant.budget.micros:
        return Refusal(Why.MONEY, "this request may cost more than this grant has left")
    return None


def minute_of(at: datetime) -> int:
    """The minute of the clock, counted since 1970: rates are by it."""
    return int(at.timestamp()) // _A_MINUTE


def shortened(grant: Grant, end: datetime) -> Grant:
    """The grant with an earlier end.  Raises :class:`Refused` for a later one."""
    return replace(grant, window=grant.window.shortened(end))


def revoked(grant: Grant, now: datetime) -> Grant:
    """The grant, ended for good; the first time stands."""
    return grant if grant.revoked_at else replace(grant, revoked_at=now)


def withdrawn(grant: Grant, now: datetime) -> Grant:
    """The grant, ended for good by its developer; the first time stands."""
    return grant if grant.withdrawn_at else replace(grant, withdrawn_at=now)


def paused(grant: Grant, now: datetime) -> Grant:
    """The grant, held until it is resumed; its end stays where it is."""
    return grant if grant.paused_at else replace(grant, paused_at=now)


def resumed(grant: Grant) -> Grant:
    """The grant, held no more."""
    return replace(grant, paused_at=None)


def checked(
    *, models: Iterable[str], budget: Amounts, rates: Rates, networks: Iterable[str]
) -> tuple[Network, ...]:
    """See that values from outside can be a grant's; the networks, parsed.

    Raises :class:`Invalid` for negative or enormous counts, and for what is no network.
    """
    counts = {
        "requests": budget.requests, "tokens": budget.tokens, "micros": budget.micros,
        "requests_a_minute": rates.requests_a_minute, "tokens_a_minute": rates.tokens_a_minute,
        "streams": rates.streams,
    }  # fmt: skip
    for key, count in counts.items():
        if not 0 <= count <= MOST:
            raise Invalid(f"expected a count from 0 to {MOST}", key=key)
    if any(not one or not one.isprintable() for one in models):
        raise Invalid("expected names of models", key="models")
    found = []
    for text in networks:
        try:
            found.append(ip_network(text.strip()))
        except ValueError:
            raise Invalid("expected networks such as 192.0.2.0/24", key="networks") from None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Seen:
    """When a grant was last looked at, by the wall clock and by one that only goes forward."""

    at: datetime
    seconds: float

    def now(self, wall: datetime, seconds: float) -> datetime:
        """The time that counts for this grant: never earlier than what has passed since then.

        A wall clock that is put back does not make a window longer; one that is put forward
        shortens it.
        """
        passed = max(0.0, seconds - self.seconds)
        try:
            return max(wall, self.at + timedelta(seconds=passed))
        except OverflowError:
            return max(wall, self.at)
