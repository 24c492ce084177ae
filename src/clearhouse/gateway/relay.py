"""Sending a request on and its answer back, while the grant stands; writing down what it came to.

What goes on is an allowed list of headers and the developer's credential, to the address of the
grant's endpoint; redirects are not followed, and nothing is tried twice.  What comes back is an
allowed list of headers and the bytes.  Reading waits for writing, so that a slow client holds up
the model and not this process's memory.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp import web

from clearhouse.gateway import refusals
from clearhouse.gateway.answers import Stream, usage_in
from clearhouse.gateway.asks import PATHS, Api, Asked, Route
from clearhouse.gateway.clerk import Clerk
from clearhouse.gateway.contents import Kept, sealed
from clearhouse.gateway.journal import Journal
from clearhouse.gateway.limits import BUFFER_BYTES, Limits
from clearhouse.gateway.records import Begun, end_document
from clearhouse.gateway.refusals import Problem
from clearhouse.gateway.standing import Standing, Standings
from clearhouse.gateway.upstream_errors import problem_of_answer
from clearhouse.protocol.access import Keyed, Upstream
from clearhouse.protocol.grants import Amounts, Call, minute_of
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Finder, Rule, consequence

_SENT_ON: Final = ("anthropic-version", "anthropic-beta", "openai-beta")
_SENT_BACK: Final = ("Content-Type", "Content-Encoding", "request-id", "x-request-id")
_OK: Final = 200
#: How long the end of a stream that was cut waits for a client to take the reason.
_LAST_WORDS_SECONDS: Final = 0.1

Alert = Callable[[str, Rule, str], None]
"""Tells the book of unusual use of a grant; returns at once."""


class Run:
    """A request that runs under a grant, until it is answered or cut."""

    def __init__(
        self, begun: Begun, standing: Standing, standings: Standings, streams: int, raw: bytes
    ) -> None:
        self.begun = begun
        self.standing = standing
        self.raw = raw
        self.problem: Problem | None = None
        self.is_written = False
        self.noticed: tuple[Rule, str] | None = None
        self._streams = streams
        self._standings = standings
        self._scope: asyncio.Timeout | None = None
        self._number = standings.enter(standing, self.cut)

    @property
    def upstream(self) -> Upstream:
        """The endpoint that it goes to."""
        return self.standing.access.upstream

    def within(self) -> asyncio.Timeout:
        """The time that it may take: until it is cut."""
        self._scope = asyncio.timeout(0 if self.problem else None)
        return self._scope

    def cut(self, problem: Problem) -> None:
        """End it at once."""
        if self.problem is None:
            self.problem = problem
            if self._scope is not None and not self._scope.expired():
                with suppress(RuntimeError):  # it was just answered
                    self._scope.reschedule(asyncio.get_running_loop().time())

    def notice(self, rule: Rule, says: str) -> None:
        """Something unusual; where the developer's rule says so, it ends this request."""
        if self.noticed is None:
            self.noticed = rule, says
            if consequence(self.upstream.consequences, rule) is Consequence.CUT:
                withheld = rule is Rule.CREDENTIAL
                self.cut(refusals.WITHHELD if withheld else refusals.CANARY)

    def settle(self, spent: Amounts) -> None:
        """Give back what was reserved and not used."""
        minute = minute_of(self.begun.at)
        self.standing.purse.release(self.begun.most, spent, self._streams, minute)

    def leave(self) -> None:
        """It runs no more."""
        self._standings.leave(self.standing, self._number)


class Relay:
    """Sends requests on and answers back."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        journal: Journal,
        clerk: Clerk,
        limits: Limits,
        alert: Alert,
    ) -> None:
        self._session = session
        self._journal = journal
        self._clerk = clerk
        self._limits = limits
        self._alert = alert

    async def relay(
        self, request: web.BaseRequest, api: Api, route: Route, wanted: Asked, run: Run,
        price: Price,
    ) -> web.StreamResponse:  # fmt: skip
        """Answer a request that was admitted; its end is written, whatever happens."""
        exchange = _Exchange(self, request, api, wanted, run, price, self._limits)
        try:
            async with (
                run.within(),
                self._session.post(
                    run.upstream.address + PATHS[route.call],
                    data=wanted.body,
                    headers=_headers(request, run.upstream, wanted),
                    allow_redirects=False,
                ) as answer,
            ):
                return await exchange.answered(answer)
        except aiohttp.ConnectionTimeoutError:
            return await exchange.failed(refusals.NOT_REACHED, "not reached", Amounts(1))
        except TimeoutError:
            if run.problem is None:  # the model's silence
                return await exchange.failed(refusals.TOO_SLOW, "timeout", run.begun.most)
            cut = f"cut: {run.problem.code}"
            return await exchange.failed(run.problem, cut, run.begun.most)
        except aiohttp.ClientConnectorError:
            # Nothing was sent, so nothing was used.
            return await exchange.failed(refusals.NOT_REACHED, "not reached", Amounts(1))
        except (aiohttp.ClientConnectionResetError, ConnectionError) as error:
            if isinstance(error, aiohttp.ServerConnectionError):
                return await exchange.failed(refusals.BROKE_OFF, "broke off", run.begun.most)
            exchange.write(run.begun.most, "client left")
            raise
        except aiohttp.ClientError:
            return await exchange.failed(refusals.BROKE_OFF, "broke off", run.begun.most)
        finally:
            if not run.is_written:  # cancelled: the client is gone
                exchange.write(run.begun.most, "client left")
            if run.noticed is not None:
                self._alert(run.begun.grant, *run.noticed)

    def write_end(self, run: Run, now: datetime, spent: Amounts, outcome: str, body: bytes) -> None:
        """Write what a request came to, and give back what it did not use."""
        digest = hashlib.sha256(body).hexdigest()
        self.write_digest(run, now, spent, outcome, digest, None)

    def write_digest(
        self, run: Run, now: datetime, spent: Amounts, outcome: str, digest: str,
        contents: bytes | None,
    ) -> None:  # fmt: skip
        """As :meth:`write_end`, of an answer whose digest is known."""
        if run.is_written:
            return
        run.is_written = True
        one = run.begun.ended(now, spent, outcome, digest, contents)
        try:
            self._journal.write(end_document(one))
        finally:
            run.settle(spent)
        self._clerk.note(one)

    async def flushed(self) -> None:
        """Return once all that was written is on the disk."""
        await self._journal.flushed()


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, relay: Relay, request: web.BaseRequest, api: Api, wanted: Asked, run: Run,
        price: Price, limits: Limits,
    ) -> None:  # fmt: skip
        self._relay = relay
        self._request = request
        self._api = api
        self._wanted = wanted
        self._run = run
        self._price = price
        self._limits = limits
        self._digest = hashlib.sha256()
        self._kept = Kept(limits.contents_bytes if run.upstream.recipients else 0)
        self._response: web.StreamResponse | None = None
        self._stream: Stream | None = None

    async def answered(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Pass on what the model answers."""
        if answer.status != _OK:
            problem = await problem_of_answer(answer, self._run.upstream.credential)
            return await self.failed(problem, f"upstream {answer.status}", Amounts(1))
        if self._wanted.streams and answer.content_type == "text/event-stream":
            return await self._streamed(answer)
        return await self._whole(answer)

    async def _whole(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        pieces, size = [], 0
        async for piece in answer.content.iter_any():
            size += len(piece)
            if size > self._limits.answer_bytes:
                return await self.failed(refusals.UPSTREAM_ODD, "too large", self._run.begun.most)
            pieces.append(piece)
        body = b"".join(pieces)
        upstream = self._run.upstream
        if Finder((upstream.credential,)).found_in(body):
            self._run.notice(Rule.CREDENTIAL, "the endpoint's credential stood in an answer")
        elif Finder(upstream.canaries).found_in(body):
            self._run.notice(Rule.CANARY, "a planted text stands in an answer")
        spent = self._spent(body)
        if self._run.problem is not None:
            return await self.failed(self._run.problem, f"cut: {self._run.problem.code}", spent)
        self._digest.update(body)
        self._kept.add(body)
        self.write(spent, "answered")
        await self._relay.flushed()
        return web.Response(body=body, headers=_headers_back(answer))

    def _spent(self, body: bytes) -> Amounts:
        if self._wanted.call is Call.COUNT_TOKENS:
            return Amounts(1)
        usage = usage_in(body)
        return self._run.begun.most if usage is None else self._price.of(usage)

    async def _streamed(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        upstream = self._run.upstream
        secret = Finder((upstream.credential,))
        self._stream = stream = Stream(
            self._wanted.call, hides_usage=self._wanted.hides_usage, canaries=upstream.canaries
        )
        self._response = response = web.StreamResponse(headers=_headers_back(answer))
        transport = self._request.transport
        if transport is not None:
            transport.set_write_buffer_limits(high=BUFFER_BYTES)
        await response.prepare(self._request)
        async for piece in answer.content.iter_any():
            if secret.found_in(piece):
                self._run.notice(Rule.CREDENTIAL, "the endpoint's credential stood in an answer")
                raise TimeoutError
            ready = stream.feed(piece)
            if stream.canary:
                self._run.notice(Rule.CANARY, "a planted text stands in an answer")
                if self._run.problem is not None:
                    raise TimeoutError
            if ready:
                await self._send(ready)
        return await self._end_of_stream(response, stream)

    async def _end_of_stream(
        self, response: web.StreamResponse, stream: Stream
    ) -> web.StreamResponse:
        usage = stream.usage
        spent = self._run.begun.most if usage is None else self._price.of(usage)
        last = stream.final or stream.rest()
        self._digest.update(last)
        self._kept.add(last)
        self.write(spent, "answered" if stream.final else "ended without a last event")
        await self._relay.flushed()
        if last:
            await response.write(last)
        await response.write_eof()
        return response

    async def _send(self, ready: bytes) -> None:
        assert self._response is not None
        self._digest.update(ready)
        self._kept.add(ready)
        await self._response.write(ready)

    async def failed(self, problem: Problem, outcome: str, spent: Amounts) -> web.StreamResponse:
        """Say that there is no answer, or no more of it."""
        if self._response is None:
            self.write(spent, outcome)
            await self._relay.flushed()
            return web.Response(
                status=problem.status,
                body=refusals.document(self._api, problem),
                headers=refusals.headers(problem),
            )
        # What has to end ends first; that it went on is in the journal since it began.
        await self._last_words(self._response, problem)
        self.write(spent, outcome)
        return self._response

    async def _last_words(self, response: web.StreamResponse, problem: Problem) -> None:
        transport = self._request.transport
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await response.write(refusals.event(self._api, problem))
                await response.write_eof()
        if transport is not None:
            # What the client has not taken by now it does not get any more.
            if transport.get_write_buffer_size():
                transport.abort()
            else:
                transport.close()

    def write(self, spent: Amounts, outcome: str) -> None:
        """Write what it came to."""
        run = self._run
        contents = None
        if run.upstream.recipients:
            contents = sealed(
                run.raw[: self._limits.contents_bytes], self._kept.all(), run.upstream.recipients
            )
        self._relay.write_digest(
            run, run.standing.now(), spent, outcome, self._digest.hexdigest(), contents
        )


def _headers(request: web.BaseRequest, upstream: Upstream, wanted: Asked) -> dict[str, str]:
    """What is sent on: nothing of the client's but what the APIs need."""
    sent = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if wanted.streams else "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "clearhouse-gateway",
    }
    for name in _SENT_ON:
        if name in request.headers:
            sent[name] = request.headers[name]
    if upstream.keyed is Keyed.BEARER:
        sent["Authorization"] = f"Bearer {upstream.credential}"
    else:
        sent["x-api-key"] = upstream.credential
    return sent


def _headers_back(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in _SENT_BACK if name in answer.headers}
