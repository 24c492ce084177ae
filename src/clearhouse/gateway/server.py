"""One gateway process: its socket, its tasks, its end.

Any number of processes share a port (socket(7), SO_REUSEPORT) and a folder of journals; each has a
journal of its own, and takes up those of others that are gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import uvloop
from aiohttp import web
from aiohttp.connector import AddrInfoType

from clearhouse.errors import ClearhouseError, Unavailable
from clearhouse.gateway import limits as usual
from clearhouse.gateway.book import Book
from clearhouse.gateway.clerk import Clerk, take_up
from clearhouse.gateway.journal import Journal
from clearhouse.gateway.limits import Limits
from clearhouse.gateway.outward import PublicOnly
from clearhouse.gateway.proxy import Proxy
from clearhouse.gateway.relay import Relay
from clearhouse.gateway.standing import Standings
from clearhouse.gateway.watch import Watch
from clearhouse.protocol.access import Reach
from clearhouse.protocol.unusual_use import Rule

_TURN_SECONDS: Final = 0.001
_BACKLOG: Final = 1024
#: What runs when the process is told to end may take so long to be answered.
_LAST_REQUESTS_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a gateway process is run.  ``folder`` holds the journals."""

    host: str
    port: int
    folder: Path
    reach: Reach = Reach.PUBLIC
    trusts_proxy: bool = False
    limits: Limits = usual.USUAL


def listening(host: str, port: int) -> socket.socket:
    """A socket that shares its port with the other processes.  Raises :class:`Unavailable`."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # Connections take these over from the socket that accepts them (tcp(7)).
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, usual.KEEPALIVE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, usual.KEEPALIVE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, usual.PROBES)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, usual.USER_TIMEOUT_MS)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, usual.SOCKET_BYTES)
    # Who connects and says nothing is not taken in before it does.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, usual.KEEPALIVE_SECONDS)
    try:
        made.bind((host.strip("[]"), port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise Unavailable(f"{host}:{port} cannot be listened at: {error.strerror}") from None
    made.settimeout(0)
    return made


def _outgoing(address: AddrInfoType) -> socket.socket:
    """A socket to an endpoint."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, usual.SOCKET_BYTES)
    return made


def serve(book: Book, settings: Settings) -> None:
    """Be a gateway process until SIGTERM or SIGINT."""
    # The thread that asks what has changed gets its turn soon, however busy the loop is.
    sys.setswitchinterval(_TURN_SECONDS)
    uvloop.run(_served(book, settings))


async def _served(book: Book, settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stopping.set)
    with listening(settings.host, settings.port) as socket_:
        gateway = Gateway(book, settings)
        await gateway.start(socket_)
        ended = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait({ended, *gateway.tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            await gateway.stop()


class Gateway:
    """The parts of a gateway process, put together."""

    def __init__(self, book: Book, settings: Settings) -> None:
        self._book = book
        self._settings = settings
        self.standings = Standings()
        self.journal = Journal(settings.folder)
        self.watch = Watch(book, self.standings)
        self.clerk = Clerk(book, self.standings, self.journal)
        self.tasks: tuple[asyncio.Task[None], ...] = ()
        self._alerts = ThreadPoolExecutor(1, thread_name_prefix="alerts")
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._proxy: Proxy | None = None

    async def start(self, socket_: socket.socket) -> None:
        """Take requests at a socket."""
        limits = self._settings.limits
        resolver = PublicOnly() if self._settings.reach is Reach.PUBLIC else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, resolver=resolver, socket_factory=_outgoing),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect_seconds, sock_read=limits.silence
            ),
            read_bufsize=usual.BUFFER_BYTES,
        )
        relay = Relay(self._session, self.journal, self.clerk, limits, self.alert)
        self._proxy = Proxy(
            self._book, self.standings, self.watch, self.journal, self.clerk, relay, limits,
            trusts_proxy=self._settings.trusts_proxy,
        )  # fmt: skip
        await self.watch.start()
        server = web.Server(self._proxy.handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_LAST_REQUESTS_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, socket_).start()
        self.tasks = (asyncio.create_task(self.clerk.run()),)

    def alert(self, grant: str, rule: Rule, says: str) -> None:
        """Tell the book of unusual use, without waiting for it."""
        self._alerts.submit(self._alerted, grant, rule, says)

    def _alerted(self, grant: str, rule: Rule, says: str) -> None:
        try:
            self._book.alert(grant, rule, says, datetime.now(UTC))
        except ClearhouseError as error:
            _LOG.error("an alert (%s) about %s could not be noted: %s", rule.value, grant, error)

    async def stop(self) -> None:
        """Take no more, answer what runs or cut it, and hand on what was written."""
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()
            await self._runner.cleanup()
        for task in self.tasks:
            task.cancel()
        failures = await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        self._alerts.shutdown()
        self.watch.close()
        self.clerk.close()
        if self._proxy is not None:
            self._proxy.close()
        self.journal.close()
        with suppress(ClearhouseError):
            await asyncio.to_thread(take_up, self._book, self._settings.folder)
        for one in failures:
            if isinstance(one, Exception):
                raise one
