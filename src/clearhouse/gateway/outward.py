"""Where the gateway's own requests may go: public addresses only, unless whoever runs it says else.

An endpoint's address comes from its developer.  A name that leads into the office's own network
would let a request there speak with the office's address (server-side request forgery).
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


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
