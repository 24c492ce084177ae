"""A gateway with a real endpoint behind it, in one process and on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from clearhouse.gateway.limits import Limits
from clearhouse.gateway.server import Gateway, Settings, listening
from clearhouse.protocol.access import Reach, Upstream
from clearhouse.protocol.grants import Grant
from tests.gateway.memory_book import MemoryBook, a_grant, an_upstream
from tests.gateway.model import Model, RunningModel, in_a_loop

TOKEN = "chg_a-token-of-the-tests"
LIMITS = Limits(request_bytes=100_000, request_seconds=5, silence=2, connect_seconds=1)


class RunningGateway:
    """A gateway process's parts, in a loop of the test's own."""

    def __init__(self, book: MemoryBook, folder: Path, limits: Limits = LIMITS) -> None:
        self._socket = listening("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        self.settings = Settings("127.0.0.1", self.port, folder, Reach.ANYWHERE, limits=limits)
        self._book = book

    async def __aenter__(self) -> Gateway:
        self.gateway = Gateway(self._book, self.settings)
        await self.gateway.start(self._socket)
        return self.gateway

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.stop()
        self._socket.close()


@dataclass
class House:
    """A book, a gateway, and the model behind it."""

    book: MemoryBook
    gateway: Gateway
    model: Model
    url: str
    folder: Path

    def grant(self, token: str = TOKEN, upstream: Upstream | None = None, **changed: object) -> str:
        """Issue a grant; returns its token, once the gateway knows it."""
        made: Grant = a_grant(f"G-{len(self.book.rows) + 1}", **changed)
        where = upstream or an_upstream(self.model.address)
        self.book.put(made, where, token)
        self.wait_for(made.name)
        return token

    def wait_for(self, name: str) -> None:
        """Wait until the gateway has the grant as the book has it."""
        import time

        access = self.book.rows[name][1]
        for _ in range(500):
            there = self.gateway.standings.of(access.token_digest)
            if there is not None and there.access.grant == access.grant:
                return
            time.sleep(0.01)
        raise AssertionError(f"the gateway does not know of {name}")

    def settled_uses(self, count: int) -> list[str]:
        """The outcomes of the first uses, once the book has as many."""
        import time

        for _ in range(500):
            if len(self.book.settled) >= count:
                break
            time.sleep(0.01)
        return [one.outcome for one in self.book.settled]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A gateway without grants."""
    yield from housed(tmp_path, LIMITS)


def housed(folder: Path, limits: Limits) -> Iterator[House]:
    """A gateway with those limits."""
    book = MemoryBook()
    with in_a_loop(lambda _: RunningModel()) as model:
        running = RunningGateway(book, folder, replace(limits))
        with in_a_loop(lambda _: running) as gateway:
            url = f"http://127.0.0.1:{running.port}"
            yield House(book, gateway, model, url, folder)
