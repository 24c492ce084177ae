"""Grants as the API answers with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ninja import Schema
from pydantic import Field

from clearhouse.office.access.queries import AccessAlert, SeenGrant, SeenUse
from clearhouse.protocol.grants import Amounts, Call


class AmountsOut(Schema):
    """Requests, tokens, and money in millionths of the currency's unit."""

    requests: int
    tokens: int
    micros: int

    @classmethod
    def of(cls, one: Amounts) -> AmountsOut:
        """From amounts."""
        return cls(requests=one.requests, tokens=one.tokens, micros=one.micros)


class RatesOut(Schema):
    """How fast: in a minute of the clock, and streams at the same time."""

    requests_a_minute: int
    tokens_a_minute: int
    streams: int


class GrantOut(Schema):
    """A grant as you see it.

    ``holder`` is the one person of the party whom it is for.  ``state`` is open, or why it gives no
    access.  ``spent`` and ``last_use`` are null where its use is not yours to see; ``alerts`` is
    how often it was unusual.
    """

    name: str = Field(examples=["G-7KQ2M9XD4T"])
    party: str
    holder: str | None
    state: str = Field(examples=["open", "paused", "revoked", "withdrawn", "ended"])
    starts_at: datetime
    ends_at: datetime
    issued_at: datetime
    models: list[str]
    calls: list[Call]
    networks: list[str]
    budget: AmountsOut
    spent: AmountsOut | None
    rates: RatesOut
    last_use: datetime | None
    alerts: int

    @classmethod
    def of(cls, one: SeenGrant) -> GrantOut:
        """From a grant as it is seen."""
        row = one.row
        return cls(
            name=row.name, party=row.party.slug,
            holder=str(row.holder) if row.holder is not None else None,
            state=one.no.why.value if one.no else "open",
            starts_at=row.starts_at, ends_at=row.ends_at, issued_at=row.issued_at,
            models=row.models_allowed, calls=[Call(each) for each in row.calls],
            networks=row.networks, budget=AmountsOut.of(one.budget),
            spent=AmountsOut.of(one.spent) if one.spent is not None else None,
            rates=RatesOut(
                requests_a_minute=row.requests_a_minute, tokens_a_minute=row.tokens_a_minute,
                streams=row.streams,
            ),
            last_use=one.last_use, alerts=one.alerts,
        )  # fmt: skip


class IssuedOut(GrantOut):
    """A grant just given; ``token`` is shown this once.

    ``gateway`` is the base address for Anthropic's client library, and with ``/v1`` for OpenAI's;
    null where the office has not said it.
    """

    token: str
    gateway: str | None


class AlertOut(Schema):
    """Unusual use; ``cut`` where the grant was paused by the developer's rule."""

    at: datetime
    rule: str
    says: str
    cut: bool
    entry: int

    @classmethod
    def of(cls, one: AccessAlert) -> AlertOut:
        """From a row."""
        return cls(at=one.at, rule=one.rule, says=one.says, cut=one.cut, entry=one.entry)


class GrantWithAlertsOut(GrantOut):
    """A grant with what was unusual, the latest first."""

    unusual: list[AlertOut]

    @classmethod
    def with_alerts(cls, one: GrantOut, alerts: Sequence[AccessAlert]) -> GrantWithAlertsOut:
        """From both."""
        return cls(**one.dict(), unusual=[AlertOut.of(each) for each in alerts])


class UseOut(Schema):
    """One use: when, from where, what for, how much; digests are SHA-256."""

    name: str = Field(examples=["U-0f2a49c81d7be653"])
    begun_at: datetime
    ended_at: datetime
    call: str
    model: str
    outcome: str
    address: str
    spent: AmountsOut
    request_digest: str
    response_digest: str
    has_contents: bool

    @classmethod
    def of(cls, one: SeenUse) -> UseOut:
        """From a use."""
        row = one.row
        return cls(
            name=row.name, begun_at=row.begun_at, ended_at=row.ended_at, call=row.call,
            model=row.model, outcome=row.outcome, address=row.address,
            spent=AmountsOut(requests=row.requests, tokens=row.tokens, micros=row.micros),
            request_digest=row.request_digest, response_digest=row.response_digest,
            has_contents=one.has_contents,
        )  # fmt: skip


class UsesOut(Schema):
    """A page of uses, and what comes after."""

    uses: list[UseOut]
    next: str | None

    @classmethod
    def of(cls, uses: Sequence[SeenUse], following: str) -> UsesOut:
        """From a page."""
        return cls(uses=[UseOut.of(one) for one in uses], next=following or None)
