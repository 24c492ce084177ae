"""The APIs' own client libraries, unchanged, against the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from clearhouse.protocol.grants import Amounts, Call
from tests.gateway.conftest import House
from tests.gateway.model import READ, WRITTEN

SPENT = Amounts(1, READ + WRITTEN, READ + 2 * WRITTEN)


@pytest.fixture
def openai_client(house: House) -> Iterator[openai.OpenAI]:
    token = house.grant()
    with openai.OpenAI(api_key=token, base_url=f"{house.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(house: House) -> Iterator[anthropic.Anthropic]:
    token = house.grant()
    with anthropic.Anthropic(api_key=token, base_url=house.url, max_retries=0) as client:
        yield client


def test_openai_chat(house: House, openai_client: openai.OpenAI) -> None:
    got = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}]
    )
    assert got.choices[0].message.content == "Hello!"
    house.settled_uses(1)
    assert [one.spent for one in house.book.settled] == [SPENT]


def test_openai_chat_in_a_stream_does_not_notice_that_usage_is_counted(
    house: House, openai_client: openai.OpenAI
) -> None:
    stream = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    chunks = list(stream)
    assert all(one.choices for one in chunks)
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == "Hello!"
    assert house.settled_uses(1) == ["answered"]
    assert [one.spent for one in house.book.settled] == [SPENT]


def test_openai_chat_in_a_stream_shows_usage_to_who_asked(
    house: House, openai_client: openai.OpenAI
) -> None:
    stream = openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    last = list(stream)[-1]
    assert last.usage is not None
    assert last.usage.prompt_tokens == READ


def test_openai_responses(house: House, openai_client: openai.OpenAI) -> None:
    assert openai_client.responses.create(model="m", input="hi").output_text == "Hello!"
    with openai_client.responses.stream(model="m", input="hi") as stream:
        texts = [one.delta for one in stream if one.type == "response.output_text.delta"]
    assert "".join(texts) == "Hello!"
    house.settled_uses(2)
    assert [one.spent for one in house.book.settled] == [SPENT, SPENT]


def test_openai_completions_and_embeddings(house: House, openai_client: openai.OpenAI) -> None:
    assert openai_client.completions.create(model="m", prompt="hi").choices[0].text == "Hello!"
    stream = openai_client.completions.create(model="m", prompt="hi", stream=True)
    assert "".join(one.choices[0].text for one in stream) == "Hello!"
    got = openai_client.embeddings.create(model="m", input="hi", encoding_format="float")
    assert got.data[0].embedding == [0.5, 0.25]
    house.settled_uses(3)
    assert house.book.settled[2].spent == Amounts(1, READ, READ)


def test_openai_models_are_those_of_the_grant(house: House, openai_client: openai.OpenAI) -> None:
    assert [one.id for one in openai_client.models.list()] == ["m"]
    assert openai_client.models.retrieve("m").id == "m"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("other")
    assert house.model.seen == []


def test_anthropic_messages(house: House, anthropic_client: anthropic.Anthropic) -> None:
    got = anthropic_client.messages.create(
        model="m", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
    )
    assert got.content[0].type == "text"
    assert got.content[0].text == "Hello!"
    with anthropic_client.messages.stream(
        model="m", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        assert stream.get_final_text() == "Hello!"
        assert stream.get_final_message().usage.output_tokens == WRITTEN
    assert house.settled_uses(2) == ["answered", "answered"]
    assert [one.spent for one in house.book.settled] == [SPENT, SPENT]


def test_anthropic_counts_and_models(house: House, anthropic_client: anthropic.Anthropic) -> None:
    counted = anthropic_client.messages.count_tokens(
        model="m", messages=[{"role": "user", "content": "hi"}]
    )
    assert counted.input_tokens == READ
    assert [one.id for one in anthropic_client.models.list()] == ["m"]
    house.settled_uses(2)
    assert [one.spent for one in house.book.settled] == [Amounts(1), Amounts(1)]


def test_the_developers_credential_is_sent_and_the_clients_is_not(
    house: House, openai_client: openai.OpenAI
) -> None:
    openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "hi"}],
        extra_headers={"x-api-key": "mine", "Cookie": "a=b", "X-Forwarded-For": "192.0.2.1"},
    )
    [seen] = house.model.seen
    assert seen.headers["Authorization"] == "Bearer sk-developers-own-0123456789"
    assert not {"x-api-key", "Cookie", "X-Forwarded-For"} & set(seen.headers)
    assert all("stainless" not in name.lower() for name in seen.headers)


ERRORS_OPENAI = [
    ("400", openai.BadRequestError),
    ("422", openai.UnprocessableEntityError),
    ("429", openai.RateLimitError),
    ("500", openai.InternalServerError),
    ("401", openai.InternalServerError),
    ("redirect", openai.InternalServerError),
    ("break", openai.InternalServerError),
    ("hang", openai.InternalServerError),
]


@pytest.mark.parametrize(("mode", "kind"), ERRORS_OPENAI)
def test_an_upstreams_error_is_an_error_of_the_library_without_the_credential(
    house: House, openai_client: openai.OpenAI, mode: str, kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind) as raised:
        openai_client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": mode}]
        )
    assert "sk-dev" not in str(raised.value)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"]
    assert len(house.model.seen) == 1
    house.settled_uses(1)
    unknown = mode in ("break", "hang")
    assert (house.book.settled[0].spent == Amounts(1)) is not unknown


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("422", anthropic.UnprocessableEntityError),
        ("429", anthropic.RateLimitError),
        ("500", anthropic.InternalServerError),
    ],
)
def test_an_upstreams_error_is_an_error_of_the_other_library(
    house: House,
    anthropic_client: anthropic.Anthropic,
    mode: str,
    kind: type[anthropic.APIStatusError],
) -> None:
    with pytest.raises(kind) as raised:
        anthropic_client.messages.create(
            model="m", max_tokens=5, messages=[{"role": "user", "content": mode}]
        )
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["type"] == "error"


def test_what_a_grant_does_not_allow_is_an_error_of_the_library(house: House) -> None:
    token = house.grant(calls=frozenset({Call.EMBEDDINGS}))
    with openai.OpenAI(api_key=token, base_url=f"{house.url}/v1", max_retries=0) as client:
        with pytest.raises(openai.PermissionDeniedError, match="does not allow chat-completions"):
            client.chat.completions.create(model="m", messages=[])
        with pytest.raises(openai.NotFoundError, match="does not allow that model"):
            client.embeddings.create(model="gpt-9", input="hi")
    with (
        openai.OpenAI(api_key="wrong", base_url=f"{house.url}/v1", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="not known"),
    ):
        client.embeddings.create(model="m", input="hi")
    with (
        anthropic.Anthropic(api_key="wrong", base_url=house.url, max_retries=0) as other,
        pytest.raises(anthropic.AuthenticationError, match="not known"),
    ):
        other.messages.create(model="m", max_tokens=1, messages=[])
    assert house.model.seen == []


def test_a_stream_that_breaks_off_is_an_error_and_charged_in_full(
    house: House, openai_client: openai.OpenAI
) -> None:
    stream = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "break"}], stream=True, max_tokens=77
    )
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)
    assert house.settled_uses(1) == ["broke off"]
    assert house.book.settled[0].spent.tokens > 77


def test_a_body_that_is_too_large_is_refused_in_the_apis_own_shape(
    house: House, openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic
) -> None:
    huge = "x" * 200_000
    with pytest.raises(openai.APIStatusError) as raised:
        openai_client.embeddings.create(model="m", input=huge)
    assert raised.value.status_code == 413
    with pytest.raises(anthropic.RequestTooLargeError):
        anthropic_client.messages.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": huge}]
        )
