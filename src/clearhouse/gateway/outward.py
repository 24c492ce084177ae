"""Where the gateway's own requests may go: public addresses only, unless whoever runs it says else.

An endpoint's address comes from its developer.  A name that leads into the office's own network
would let a request there speak with the office's address (server-side request forgery).
"""

from __future__ import annotations

import socket
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from clearhouse.errors import Invalid


class Reach(StrEnum):
    """Where endpoints may lie."""

    PUBLIC = "public"
    ANYWHERE = "anywhere"


def checked_address(text: str, reach: Reach) -> str:
    """An endpoint's address as the gateway takes it.  Raises :class:`Invalid`.

    Over https; plain http only where an endpoint may lie anywhere.  Nothing but a host, a port and
    a path: the calls of the APIs are put behind it.
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
    return text.rstrip("/")


class PublicOnly(AbstractResolver):
    """Resolves names, and knows only public addresses."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a host.  Raises OSError where it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if ip_address(one["host"].partition("%")[0]).is_global]
        if not public:
            raise OSError(None, "no public address")
        return public

    async def close(self) -> None:
        """Nothing to close."""
        await self._resolver.close()
