"""What the office and its gateways tell each other about access: endpoints, grants, uses, lots.

Values only.  The gateway's port (:mod:`clearhouse.gateway.book`) says which way each goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from clearhouse.errors import Invalid
from clearhouse.protocol.grants import Amounts, Grant, Why
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


def first_link(journal: str) -> str:
    """What the first line of a journal is chained to."""
    return hashlib.sha256(f"clearhouse gateway journal {journal}".encode()).hexdigest()


def link(before: str, raw: bytes) -> str:
    """The hash of a line after another: SHA-256 over the hash before and the line."""
    return hashlib.sha256(before.encode() + b" " + raw).hexdigest()


class Reach(StrEnum):
    """Where endpoints may lie."""

    PUBLIC = "public"
    ANYWHERE = "anywhere"


def checked_address(text: str, reach: Reach) -> str:
    """An endpoint's address as the gateway takes it.  Raises :class:`Invalid`.

    Over https; plain http only where an endpoint may lie anywhere.  Nothing but a host, a port and
    a path: the calls of the APIs, which begin with ``/v1``, are put behind it, so that a ``/v1`` at
    its end, as OpenAI's clients take it, is left out.
    """
    parts = urlsplit(text)
    schemes = ("https",) if reach is Reach.PUBLIC else ("https", "http")
    try:
        _ = parts.port
    except ValueError:
        raise Invalid("the port is no number", key="address") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise Invalid("expected an address such as https://models.example", key="address")
    if parts.username or parts.password or parts.query or parts.fragment or not text.isprintable():
        raise Invalid("expected a host, a port and a path, and nothing else", key="address")
    try:
        literal = ip_address(parts.hostname)
    except ValueError:
        literal = None
    if literal is not None and reach is Reach.PUBLIC and not literal.is_global:
        raise Invalid("expected an address that is public", key="address")
    return text.rstrip("/").removesuffix("/v1").rstrip("/")
