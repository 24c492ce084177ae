"""The door: each request is held against its grant, reserved, written down, and sent on.

1. The address is one of the proxy's.  2. The token is known.  3. What is known of grants is of the
last second.  4. The body is small enough, and understood.  5. The grant admits it, after a part of
its budget was lent to this process where it had none left.  6. The most that it can use up is
reserved and 7. written to the journal.  Then :mod:`clearhouse.gateway.relay` sends it on.  Between
the last look at the grant and the note that the request runs nothing is waited for, so that no
change comes in between.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.gateway import refusals
from clearhouse.gateway.asks import ROUTES, Api, Asked, Route, asked
from clearhouse.gateway.book import Book
from clearhouse.gateway.clerk import Clerk
from clearhouse.gateway.journal import Journal
from clearhouse.gateway.limits import Limits
from clearhouse.gateway.records import Begun
from clearhouse.gateway.refusals import Problem
from clearhouse.gateway.relay import Relay, Run
from clearhouse.gateway.standing import Standing, Standings
from clearhouse.gateway.watch import Watch
from clearhouse.protocol.grants import (
    SCARCE,
    Address,
    Admitted,
    Amounts,
    Ask,
    Call,
    Lot,
    Refusal,
    Why,
    admit,
    minute_of,
)
from clearhouse.protocol.unusual_use import Finder, Rule

_MODELS: Final = "/v1/models"
_HEALTH: Final = "/health"
#: A request that needs a lot waits for one that is being lent, once more at most.
_TRIES: Final = 3
_LOG: Final = logging.getLogger(__name__)


class Answered(Exception):
    """A request that is over before it went on; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Proxy:
    """Takes requests.  ``trusts_proxy``: the last address a proxy names is the client's."""

    def __init__(
        self,
        book: Book,
        standings: Standings,
        watch: Watch,
        journal: Journal,
        clerk: Clerk,
        relay: Relay,
        limits: Limits,
        *,
        trusts_proxy: bool,
    ) -> None:
        self._book = book
        self._standings = standings
        self._watch = watch
        self._journal = journal
        self._clerk = clerk
        self._relay = relay
        self._limits = limits
        self._trusts_proxy = trusts_proxy
        self._leases = ThreadPoolExecutor(2, thread_name_prefix="lease")

    def close(self) -> None:
        """Borrow no more."""
        self._leases.shutdown(wait=False)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        if request.path == _HEALTH:
            return web.Response(status=200 if self._watch.is_current else 503)
        api = _api_of(request)
        try:
            return await self._handled(request, api)
        except Answered as over:
            return _answer(api, over.problem)
        except Invalid as error:
            return _answer(api, Problem(400, "invalid_request", str(error)))
        except ClearhouseError as error:
            _LOG.warning("a request could not be handled: %s", error)
            return _answer(api, refusals.NOT_NOW)
        except (OSError, asyncio.CancelledError):
            raise  # the client is gone
        except Exception as error:  # noqa: BLE001 - the request edge: no trace may show a secret
            _LOG.error("a request failed: %s", type(error).__name__)
            return _answer(api, Problem(500, "internal_error", "this is a bug of the gateway"))

    async def _handled(self, request: web.BaseRequest, api: Api) -> web.StreamResponse:
        route = _route(request)  # 1
        standing = self._standing(request)  # 2
        if self._clerk.waiting > self._limits.unsettled or not (  # 3
            await self._watch.wait_until_current()
        ):
            raise Answered(refusals.NOT_NOW)
        address = self._address(request)
        if route.call is Call.MODELS:
            return await self._models(request, standing, api, address)
        raw = await self._body(request)  # 4
        wanted = asked(route.call, raw)
        upstream = standing.access.upstream
        price = upstream.prices.get(wanted.model)
        if price is None:
            no = Refusal(Why.MODEL, "this grant does not allow that model")
            raise Answered(_refused(standing, no))
        if route.call is Call.COUNT_TOKENS:
            most = Amounts(1)
        else:
            most = price.most(
                body_bytes=len(wanted.body),
                answer_tokens=wanted.answer_tokens,
                answers=wanted.answers,
            )
        ask = Ask(route.call, wanted.model, address, most, int(wanted.streams))
        await self._admitted(standing, ask)  # 5, 6
        run = self._begun(standing, ask, wanted, raw)  # 7
        try:
            if Finder(upstream.canaries).found_in(wanted.body):
                run.notice(Rule.CANARY, "a planted text stands in a request")
            return await self._relay.relay(request, api, route, wanted, run, price)
        finally:
            run.leave()

    async def _admitted(self, standing: Standing, ask: Ask) -> None:
        """Reserve what a request may use up, out of a new lot if need be; or raise."""
        purse = standing.purse
        for _ in range(_TRIES):
            if not await self._watch.wait_until_current():
                raise Answered(refusals.NOT_NOW)
            grant, now = standing.access.grant, standing.now()
            decided = admit(grant, ask, purse.use(grant, standing.seen.at, now), now)
            if isinstance(decided, Admitted):
                purse.reserve(decided.reserved, ask.streams, seconds=time.monotonic())
                return
            if decided.why not in SCARCE:
                raise Answered(_refused(standing, decided))
            async with standing.leasing:
                # Who waited finds what the one before has brought.
                again = admit(grant, ask, purse.use(grant, standing.seen.at, now), now)
                if isinstance(again, Refusal):
                    # Shielded: what is lent comes into the purse, whether or not its client waits.
                    lent = await asyncio.shield(asyncio.ensure_future(self._lease(standing, ask)))
                    if isinstance(lent, Refusal):
                        raise Answered(_refused(standing, lent))
        raise Answered(refusals.NOT_NOW)

    async def _lease(self, standing: Standing, ask: Ask) -> Lot | Refusal:
        loop = asyncio.get_running_loop()
        lent = await loop.run_in_executor(
            self._leases,
            self._book.lease,
            self._journal.name,
            standing.access.grant.name,
            ask.most,
            ask.streams,
            standing.now(),
        )
        if isinstance(lent, Lot):
            standing.purse.take(lent)
        return lent

    def _begun(self, standing: Standing, ask: Ask, wanted: Asked, raw: bytes) -> Run:
        now = standing.now()
        begun = Begun(
            f"U-{secrets.token_hex(8)}",
            standing.access.grant.name,
            now,
            ask.call.value,
            wanted.model,
            str(ask.address),
            ask.most,
            hashlib.sha256(raw).hexdigest(),
        )
        try:
            self._journal.write(begun.document())
        except ClearhouseError:
            standing.purse.release(ask.most, Amounts(), ask.streams, minute_of(now))
            raise
        return Run(begun, standing, self._standings, ask.streams, raw)

    async def _models(
        self, request: web.BaseRequest, standing: Standing, api: Api, address: Address
    ) -> web.Response:
        """The models of the grant, and no others of the developer's: answered here."""
        named = request.path.removeprefix(_MODELS).removeprefix("/") or None
        await self._admitted(standing, Ask(Call.MODELS, named, address, Amounts(1)))
        grant, now = standing.access.grant, standing.now()
        wanted = Asked(Call.MODELS, named or "", body=b"")
        run = self._begun(
            standing, Ask(Call.MODELS, named, address, Amounts(1)), wanted, request.path.encode()
        )
        try:
            shown = [named] if named else sorted(grant.models)
            models = [_model(api, one) for one in shown]
            listed = {"object": "list", "data": models, "has_more": False}
            if api is Api.ANTHROPIC:
                listed |= {
                    "first_id": min(shown, default=None),
                    "last_id": max(shown, default=None),
                }
            body = json.dumps(models[0] if named else listed).encode()
            self._relay.write_end(run, now, Amounts(1), "answered", body)
            await self._journal.flushed()
        finally:
            run.leave()
        return web.Response(body=body, content_type="application/json")

    def _standing(self, request: web.BaseRequest) -> Standing:
        token = token_in(request)
        found = self._standings.of(self._book.token_digest(token)) if token else None
        if found is None:
            raise Answered(refusals.UNKNOWN_TOKEN)
        return found

    def _address(self, request: web.BaseRequest) -> Address:
        named = request.headers.get("X-Forwarded-For") if self._trusts_proxy else None
        text = named.rpartition(",")[2].strip() if named else (request.remote or "")
        try:
            found = ip_address(text.partition("%")[0])
        except ValueError:
            raise Answered(
                refusals.problem_of(Refusal(Why.ADDRESS, "it is not known where you come from"))
            ) from None
        return getattr(found, "ipv4_mapped", None) or found

    async def _body(self, request: web.BaseRequest) -> bytes:
        most = self._limits.request_bytes
        too_large = Problem(413, "request_too_large", f"a request has {most} bytes at most")
        if (request.content_length or 0) > most:
            raise Answered(too_large)
        if request.content.is_eof() and request.content.total_bytes <= most:
            return request.content.read_nowait()  # all of it came with the headers
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                async for piece in request.content.iter_any():
                    size += len(piece)
                    if size > most:
                        raise Answered(too_large)
                    pieces.append(piece)
        except TimeoutError:
            raise Answered(
                Problem(408, "request_timeout", "the request did not come in time")
            ) from None
        return b"".join(pieces)


def token_in(request: web.BaseRequest) -> str | None:
    """The token that a client sends, as either API's library does."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    return request.headers.get("x-api-key")


def _api_of(request: web.BaseRequest) -> Api:
    route = ROUTES.get(request.path)
    if route is not None and route.call is not Call.MODELS:
        return route.api
    return Api.ANTHROPIC if "anthropic-version" in request.headers else Api.OPENAI


def _route(request: web.BaseRequest) -> Route:
    path = request.path
    route = ROUTES.get(_MODELS if path.startswith(f"{_MODELS}/") else path)
    if route is None:
        raise Answered(refusals.NO_SUCH_ADDRESS)
    if route.method != request.method:
        raise Answered(refusals.WRONG_METHOD)
    return route


def _refused(standing: Standing, refusal: Refusal) -> Problem:
    standing.refused[refusal.why] += 1
    return refusals.problem_of(refusal)


def _answer(api: Api, problem: Problem) -> web.Response:
    return web.Response(
        status=problem.status,
        body=refusals.document(api, problem),
        headers=refusals.headers(problem),
    )


def _model(api: Api, name: str) -> dict[str, object]:
    if api is Api.ANTHROPIC:
        return {
            "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"
        }  # fmt: skip
    return {"id": name, "object": "model", "created": 0, "owned_by": "developer"}
