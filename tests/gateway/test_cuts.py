"""What ends access ends requests and running streams as well; what is not known lets nothing in."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anthropic
import httpx
import openai
import pytest

from clearhouse.protocol import grants
from clearhouse.protocol.grants import Amounts, Grant, Rates
from clearhouse.protocol.unusual_use import Consequence, Rule
from tests.gateway.conftest import House
from tests.gateway.memory_book import an_upstream

WAIT = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "wait"}]}
HANG = {"model": "m", "messages": [{"role": "user", "content": "hang"}]}


def post(house: House, token: str, body: object, path: str = "chat/completions") -> httpx.Response:
    return httpx.post(
        f"{house.url}/v1/{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


def until(true: Callable[[], bool]) -> None:
    """Wait for it; a minute is for a machine that does much else."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it does not come about")


def ending_soon(grant: Grant) -> Grant:
    return grants.shortened(grant, datetime.now(UTC) + timedelta(seconds=0.2))


ENDINGS: list[tuple[str, Callable[[Grant], Grant]]] = [
    ("grant_revoked", lambda one: grants.revoked(one, datetime.now(UTC))),
    ("grant_withdrawn", lambda one: grants.withdrawn(one, datetime.now(UTC))),
    ("grant_paused", lambda one: grants.paused(one, datetime.now(UTC))),
    ("grant_ended", ending_soon),
]


@pytest.mark.parametrize(("code", "ending"), ENDINGS)
def test_every_running_stream_and_request_is_cut(
    house: House, code: str, ending: Callable[[Grant], Grant]
) -> None:
    token = house.grant()
    with ThreadPoolExecutor(12) as pool:
        streams = [pool.submit(post, house, token, WAIT) for _ in range(8)]
        hanging = [pool.submit(post, house, token, HANG) for _ in range(2)]
        until(lambda: house.model.open == 8 and len(house.model.seen) == 10)
        house.book.change("G-1", ending)
        for stream in streams:
            answer = stream.result()
            assert answer.status_code == 200
            assert code in answer.text.split("data: ")[-1]
            assert "[DONE]" not in answer.text
        for request in hanging:
            assert request.result().status_code == 403
            assert request.result().json()["error"]["code"] == code
    until(lambda: house.model.open == 0)  # the model is not left working
    assert post(house, token, HANG).json()["error"]["code"] == code
    assert house.settled_uses(10) == [f"cut: {code}"] * 10


def test_a_libraries_stream_ends_with_an_error_that_says_why(house: House) -> None:
    token = house.grant()
    with (
        openai.OpenAI(api_key=token, base_url=f"{house.url}/v1", max_retries=0) as one,
        anthropic.Anthropic(api_key=token, base_url=house.url, max_retries=0) as other,
    ):
        stream = one.chat.completions.create(**WAIT)  # type: ignore[call-overload]
        next(iter(stream))
        second = other.messages.create(**WAIT, max_tokens=9)  # type: ignore[call-overload]
        next(iter(second))
        house.book.change("G-1", lambda grant: grants.revoked(grant, datetime.now(UTC)))
        with pytest.raises(openai.APIError, match="this grant was revoked"):
            list(stream)
        with pytest.raises(anthropic.APIStatusError, match="this grant was revoked"):
            list(second)


def test_a_book_that_cannot_be_asked_cuts_all_and_lets_nothing_in(house: House) -> None:
    token = house.grant()
    with ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(post, house, token, WAIT) for _ in range(3)]
        until(lambda: house.model.open == 3)
        house.book.out_of_order = True
        for stream in streams:
            assert "unavailable" in stream.result().text
    assert post(house, token, HANG).status_code == 503
    assert httpx.get(f"{house.url}/health").status_code == 503
    house.book.out_of_order = False
    until(lambda: httpx.get(f"{house.url}/health").status_code == 200)
    hi = HANG | {"messages": [{"role": "user", "content": "hi"}]}
    assert post(house, token, hi).status_code == 200
    assert len(house.settled_uses(4)) == 4  # what could not be handed on then was kept


def test_a_grant_that_has_not_begun_and_a_foreign_address_are_refused(house: House) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    early = house.grant("early", window=grants.Window(later, later + timedelta(hours=1)))
    nowhere = house.grant("nowhere", networks=())
    assert post(house, early, HANG).json()["error"]["code"] == "grant_not_begun"
    assert post(house, nowhere, HANG).json()["error"]["code"] == "address_not_allowed"


@pytest.fixture
def hi() -> dict[str, object]:
    return {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


def test_a_budget_is_not_overrun_by_requests_at_the_same_time(
    house: House, hi: dict[str, object]
) -> None:
    token = house.grant(budget=Amounts(20, 10**9, 10**9))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(house, token, hi), range(60)))
    codes = [one.status_code for one in answers]
    assert codes.count(200) == 20
    assert codes.count(429) == 40
    assert len(house.model.seen) == 20
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"


def test_tokens_and_money_are_reserved_before_and_settled_after(
    house: House, hi: dict[str, object]
) -> None:
    token = house.grant(budget=Amounts(10**6, 400, 10**9))
    # Each may use about 100 tokens and uses 14: many more than four fit one after the other.
    answers = [post(house, token, hi).status_code for _ in range(20)]
    assert answers == [200] * 20
    house.settled_uses(20)
    assert house.book.accounts["G-1"].spent.tokens == 20 * 14
    assert post(house, token, hi | {"max_tokens": 300}).status_code == 429


def test_rates_and_streams_are_limited(house: House, hi: dict[str, object]) -> None:
    token = house.grant(rates=Rates(10**6, 10**9, 2))
    with ThreadPoolExecutor(2) as pool:
        streams = [pool.submit(post, house, token, WAIT) for _ in range(2)]
        until(lambda: house.model.open == 2)
        answer = post(house, token, WAIT)
        assert answer.status_code == 429
        assert "2 stream(s)" in answer.json()["error"]["message"]
        assert post(house, token, hi).status_code == 200
        house.book.change("G-1", lambda one: grants.revoked(one, datetime.now(UTC)))
        assert all(one.result().status_code == 200 for one in streams)
    slow = house.grant("slow", rates=Rates(3, 10**9, 2))
    codes = [post(house, slow, hi).status_code for _ in range(7)]
    assert codes.count(429) >= 1
    assert codes.count(200) <= 6  # three in a minute, should the minute turn meanwhile


def test_what_is_not_understood_is_refused_before_it_goes_on(house: House) -> None:
    token = house.grant()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{house.url}/v1/chat/completions"
    for body in (
        b"", b"[]", b"{", b'{"model":1}', b'{"model":"m","n":-1}', b'{"model":"m","n":1e999}',
        b'{"model":"m","max_tokens":"9"}', b'{"model":"m","stream":"yes"}', b"[" * 50_000,
        b'{"model":"m","temperature":NaN}', b'{"model":"m","background":true}',
        b'{"model":"m","previous_response_id":"r"}', b"\xff\xfe",
    ):  # fmt: skip
        answer = httpx.post(url, content=body, headers=headers)
        assert answer.status_code == 400, body[:40]
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert httpx.get(url, headers=headers).status_code == 405
    assert httpx.get(f"{house.url}/v1/files", headers=headers).status_code == 404
    assert house.model.seen == []


def test_a_name_that_stands_twice_does_not_reach_another_model(house: House) -> None:
    token = house.grant()
    body = b'{"model":"secret","messages":[{"role":"user","content":"hi"}],"model":"m"}'
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = httpx.post(f"{house.url}/v1/chat/completions", content=body, headers=headers)
    assert answer.status_code == 200
    [seen] = house.model.seen
    assert seen.body["model"] == "m"


CANARY = "zebra0planted0text"


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("leaves", ["response", "request"])
def test_a_planted_text_is_told_and_cuts_where_the_developer_said_so(
    house: House, leaves: str, streams: bool
) -> None:
    said = f"say:{CANARY}" if leaves == "response" else f"hello {CANARY}"
    body = {"model": "m", "stream": streams, "messages": [{"role": "user", "content": said}]}
    told = an_upstream(house.model.address, canaries=(CANARY,))
    token = house.grant(upstream=told)
    assert post(house, token, body).status_code == 200
    until(lambda: bool(house.book.alerts))
    assert {rule for _, rule, _ in house.book.alerts} == {Rule.CANARY}
    assert CANARY not in str(house.book.alerts)
    cuts = replace(told, consequences={Rule.CANARY: Consequence.CUT})
    other = house.grant("other", upstream=cuts)
    answer = post(house, other, body)
    assert answer.status_code == 403 or "planted_text" in answer.text
    assert CANARY not in answer.text
    until(lambda: post(house, other, HANG).json()["error"]["code"] == "grant_paused")


@pytest.mark.parametrize("streams", [True, False])
def test_the_credential_never_leaves_in_an_answer(house: House, streams: bool) -> None:
    whole = an_upstream(house.model.address, credential="HelloSecretHello")
    token = house.grant(upstream=replace(whole, credential="Hel"))
    body = {"model": "m", "stream": streams, "messages": [{"role": "user", "content": "hi"}]}
    answer = post(house, token, body)
    assert "Hel" not in answer.text
    assert "withheld" in answer.text
    until(lambda: bool(house.book.alerts))
    assert house.book.alerts[0][1] is Rule.CREDENTIAL


def test_a_client_that_leaves_stops_the_model_and_is_charged(house: House) -> None:
    token = house.grant()
    with httpx.stream(
        "POST",
        f"{house.url}/v1/chat/completions",
        json=WAIT,
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        next(answer.iter_bytes())
    until(lambda: house.model.open == 0)
    assert house.settled_uses(1) == ["client left"]
    assert house.book.settled[0].spent.tokens > 1000


def test_a_model_that_cannot_be_reached_costs_nothing(house: House, hi: dict[str, object]) -> None:
    token = house.grant(upstream=an_upstream("http://127.0.0.1:9"))
    answer = post(house, token, hi)
    assert answer.status_code == 502
    assert answer.headers["x-should-retry"] == "true"
    assert house.settled_uses(1) == ["not reached"]
    assert house.book.settled[0].spent == Amounts(1)


def test_an_answer_without_usage_is_charged_the_most(house: House, hi: dict[str, object]) -> None:
    token = house.grant()
    said = {"messages": [{"role": "user", "content": "no-usage"}]}
    assert post(house, token, hi | said).status_code == 200
    assert post(house, token, hi | said | {"stream": True}).status_code == 200
    house.settled_uses(2)
    assert all(one.spent.tokens > 14 for one in house.book.settled)
