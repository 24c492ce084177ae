"""What a client asks: the call, the model, how much it may use, and the body that is sent on.

The two APIs as their client libraries speak them: OpenAI's (chat completions, responses,
completions, embeddings, models) and Anthropic's (messages, count_tokens).  A body is read once and
written anew, so that what was checked is what is sent: a name that stands twice in an object would
be one thing here and another there (RFC 8259, section 4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn

from clearhouse.errors import Invalid
from clearhouse.protocol.grants import MOST, Call


class Api(StrEnum):
    """Whose client library is answered."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class Route:
    """An address of the proxy: which call of which API, by which method."""

    call: Call
    api: Api
    method: str = "POST"


ROUTES: Final[Mapping[str, Route]] = {
    "/v1/chat/completions": Route(Call.CHAT_COMPLETIONS, Api.OPENAI),
    "/v1/responses": Route(Call.RESPONSES, Api.OPENAI),
    "/v1/completions": Route(Call.COMPLETIONS, Api.OPENAI),
    "/v1/embeddings": Route(Call.EMBEDDINGS, Api.OPENAI),
    "/v1/models": Route(Call.MODELS, Api.OPENAI, "GET"),
    "/v1/messages": Route(Call.MESSAGES, Api.ANTHROPIC),
    "/v1/messages/count_tokens": Route(Call.COUNT_TOKENS, Api.ANTHROPIC),
}
PATHS: Final = {route.call: path for path, route in ROUTES.items()}

#: Where a request says how long an answer may be; the first that is there counts.
_LENGTH_KEYS: Final[Mapping[Call, tuple[str, ...]]] = {
    Call.CHAT_COMPLETIONS: ("max_completion_tokens", "max_tokens"),
    Call.RESPONSES: ("max_output_tokens",),
    Call.COMPLETIONS: ("max_tokens",),
    Call.MESSAGES: ("max_tokens",),
}
_WITHOUT_ANSWER: Final = frozenset({Call.EMBEDDINGS, Call.COUNT_TOKENS})
_STREAMED: Final = frozenset(
    {Call.CHAT_COMPLETIONS, Call.RESPONSES, Call.COMPLETIONS, Call.MESSAGES}
)
_ASKED_FOR_USAGE: Final = frozenset({Call.CHAT_COMPLETIONS, Call.COMPLETIONS})
#: What would be kept at the developer's and outlive the request: no grant's end could reach it,
#: and what one party left there another could read.
_KEPT: Final = ("previous_response_id", "conversation", "background")
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was understood.

    ``answer_tokens`` is the longest answer that it allows, None where it does not say; ``answers``
    how many it wants.  ``hides_usage``: the count of tokens is asked for on top, and not shown.
    """

    call: Call
    model: str
    body: bytes
    streams: bool = False
    answer_tokens: int | None = 0
    answers: int = 1
    hides_usage: bool = False


def asked(call: Call, raw: bytes) -> Asked:
    """Read a body.  Raises :class:`Invalid` naming the key that is wrong."""
    document = _object(raw)
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise Invalid("expected the name of a model", key="model")
    for key in _KEPT:
        if document.get(key):
            raise Invalid("nothing is kept at the model's side: send all of it anew", key=key)
    streams = document.get("stream") or False
    if not isinstance(streams, bool) or (streams and call not in _STREAMED):
        raise Invalid("expected true or false, where there is a stream", key="stream")
    hides = False
    if streams and call in _ASKED_FOR_USAGE:
        options = document.get("stream_options")
        options = options if isinstance(options, dict) else {}
        hides = options.get("include_usage") is not True
        document["stream_options"] = {**options, "include_usage": True}
    return Asked(
        call,
        model,
        _ENCODE(document).encode(),
        streams=streams,
        answer_tokens=_length(call, document),
        answers=max(_count(document, "n", 1), _count(document, "best_of", 1)),
        hides_usage=hides,
    )


def _length(call: Call, document: Mapping[str, Any]) -> int | None:
    if call in _WITHOUT_ANSWER:
        return 0
    for key in _LENGTH_KEYS[call]:
        if document.get(key) is not None:
            return _count(document, key, 0)
    return None


def _count(document: Mapping[str, Any], key: str, usual: int) -> int:
    found = document.get(key)
    if found is None:
        return usual
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST:
        raise Invalid("expected a count", key=key)
    return found


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw, parse_constant=_no_number)
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except ValueError:
        raise Invalid("the body is not a JSON document in UTF-8") from None
    if not isinstance(document, dict):
        raise Invalid("the body is not a JSON object")
    return document


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
