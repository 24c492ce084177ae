"""Errors in the shape that each API's client library expects, with plain words.

OpenAI: ``{"error": {"message", "type", "param", "code"}}``.  Anthropic: ``{"type": "error",
"error": {"type", "message"}}``.  ``x-should-retry`` is heeded by the libraries of both: false where
a second try would only cost again, or cannot help.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clearhouse.gateway.asks import Api
from clearhouse.protocol.grants import Refusal, Why


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is answered: status, a code for programs, and a sentence."""

    status: int
    code: str
    says: str
    retry: bool = False


_TABLE: Final[Mapping[Why, tuple[int, str, bool]]] = {
    Why.REVOKED: (403, "grant_revoked", False),
    Why.WITHDRAWN: (403, "grant_withdrawn", False),
    Why.NOT_BEGUN: (403, "grant_not_begun", False),
    Why.ENDED: (403, "grant_ended", False),
    Why.PAUSED: (403, "grant_paused", False),
    Why.ADDRESS: (403, "address_not_allowed", False),
    Why.CALL: (403, "call_not_allowed", False),
    Why.MODEL: (404, "model_not_found", False),
    Why.REQUESTS_RATE: (429, "rate_limit_exceeded", True),
    Why.TOKENS_RATE: (429, "rate_limit_exceeded", True),
    Why.STREAMS: (429, "rate_limit_exceeded", True),
    Why.REQUESTS: (429, "insufficient_quota", False),
    Why.TOKENS: (429, "insufficient_quota", False),
    Why.MONEY: (429, "insufficient_quota", False),
}
_OPENAI_TYPES: Final = {
    401: "authentication_error", 403: "permission_error", 404: "invalid_request_error",
    405: "invalid_request_error", 413: "invalid_request_error", 400: "invalid_request_error",
    408: "timeout_error", 409: "invalid_request_error", 422: "invalid_request_error",
    429: "rate_limit_error",
}  # fmt: skip
_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
    404: "not_found_error", 405: "invalid_request_error", 408: "timeout_error",
    409: "invalid_request_error", 413: "request_too_large", 422: "invalid_request_error",
    429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip

UNKNOWN_TOKEN: Final = Problem(401, "invalid_api_key", "this token is not known here")
NO_SUCH_ADDRESS: Final = Problem(404, "not_found", "there is nothing at this address")
WRONG_METHOD: Final = Problem(405, "method_not_allowed", "this address takes another method")
NOT_NOW: Final = Problem(
    503,
    "unavailable",
    "grants cannot be looked up now, so nothing is let through",
    retry=True,
)
NOT_REACHED: Final = Problem(502, "upstream_unreachable", "the model cannot be reached", retry=True)
BROKE_OFF: Final = Problem(502, "upstream_broke_off", "the model's answer broke off")
TOO_SLOW: Final = Problem(504, "upstream_timeout", "the model did not answer in time")
UPSTREAM_REFUSED: Final = Problem(
    502, "upstream_refused", "the model's own endpoint does not let this gateway in"
)
UPSTREAM_ODD: Final = Problem(502, "upstream_error", "the model's endpoint gave no usable answer")
WITHHELD: Final = Problem(502, "withheld", "the answer held what must not leave; it was withheld")
CANARY: Final = Problem(403, "planted_text", "a planted text was found; this grant is paused")


def problem_of(refusal: Refusal) -> Problem:
    """A refusal by the grant's rules."""
    status, code, retry = _TABLE[refusal.why]
    return Problem(status, code, refusal.says, retry)


def document(api: Api, problem: Problem) -> bytes:
    """The body of an error."""
    if api is Api.ANTHROPIC:
        kind = _ANTHROPIC_TYPES.get(problem.status, "api_error")
        says = f"{problem.says} ({problem.code})"
        return json.dumps({"type": "error", "error": {"type": kind, "message": says}}).encode()
    kind = _OPENAI_TYPES.get(problem.status, "api_error")
    error = {"message": problem.says, "type": kind, "param": None, "code": problem.code}
    return json.dumps({"error": error}).encode()


def event(api: Api, problem: Problem) -> bytes:
    """The same inside a stream, as its last event."""
    named = b"event: error\n" if api is Api.ANTHROPIC else b""
    return named + b"data: " + document(api, problem) + b"\n\n"


def headers(problem: Problem) -> dict[str, str]:
    """The headers of an error."""
    return {
        "Content-Type": "application/json",
        "x-should-retry": "true" if problem.retry else "false",
    }
