"""Rows as the values that the rules decide on."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.access.sealing import opened
from clearhouse.protocol.access import Access, Keyed, Upstream
from clearhouse.protocol.grants import Amounts, Call, Grant, Rates, Use, Window
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule


def grant_of(row: AccessGrant) -> Grant:
    """A grant, ``party`` being the organisation's short name."""
    return Grant(
        name=row.name,
        party=row.party.slug,
        models=frozenset(row.models_allowed),
        calls=frozenset(Call(one) for one in row.calls),
        window=Window(row.starts_at, row.ends_at),
        budget=Amounts(row.requests, row.tokens, row.micros),
        rates=Rates(row.requests_a_minute, row.tokens_a_minute, row.streams),
        networks=tuple(ip_network(one) for one in row.networks),
        paused_at=min(filter(None, (row.paused_at, row.held_at)), default=None),
        revoked_at=row.revoked_at,
        withdrawn_at=row.withdrawn_at,
    )


def spent_of(row: AccessGrant) -> Amounts:
    """What of a grant was used up."""
    return Amounts(row.spent_requests, row.spent_tokens, row.spent_micros)


def use_of(row: AccessGrant, loans: Iterable[tuple[int, int, int, int]]) -> Use:
    """What of a grant is gone: used up, or lent."""
    gone, streams = spent_of(row), 0
    for *amounts, slots in loans:
        gone = gone + Amounts(*amounts)
        streams += slots
    minute = Amounts(row.minute_requests, row.minute_tokens)
    return Use(gone, minute, streams, row.seen_at)


def upstream_of(row: Endpoint) -> Upstream:
    """An endpoint, its secrets opened: for the gateway, in memory.  Raises :class:`Unavailable`."""
    return Upstream(
        name=row.name,
        address=row.address,
        keyed=Keyed(row.keyed),
        credential=opened(bytes(row.sealed_credential), of=row.name),
        prices={model: Price(**price) for model, price in row.prices.items()},
        canaries=tuple(opened(bytes(row.sealed_canaries), of=row.name).splitlines()),
        consequences={Rule(rule): Consequence(one) for rule, one in row.consequences.items()},
        recipients=tuple(row.recipients),
    )


def access_of(row: AccessGrant, upstream: Upstream) -> Access:
    """A grant as gateways hold it."""
    return Access(grant_of(row), bytes(row.token_digest), upstream, row.seen_at)
