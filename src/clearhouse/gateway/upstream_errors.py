"""An endpoint's own errors, told on without what they may give away.

Endpoints repeat parts of a wrong key in their errors.  What one says is passed on only where the
client can do something about it, and never where it holds a part of the credential.
"""

from __future__ import annotations

import json
from typing import Final

import aiohttp

from clearhouse.gateway.refusals import UPSTREAM_ODD, UPSTREAM_REFUSED, Problem

_MOST_BYTES: Final = 64 * 1024
_LONGEST: Final = 500
#: Parts of a credential of that length are looked for; keys are shortened to fewer.
_PART: Final = 4
_THEIR_OWN: Final = (401, 402, 403, 407)
_FOR_THE_CLIENT: Final = (400, 404, 408, 409, 413, 415, 422)
_BUSY: Final = (429, 503, 529)
_SERVER: Final = 500


async def problem_of_answer(answer: aiohttp.ClientResponse, credential: str) -> Problem:
    """What an answer that is no success becomes."""
    raw = b""
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > _MOST_BYTES:
            break
    return problem(answer.status, raw[:_MOST_BYTES], credential)


def problem(status: int, raw: bytes, credential: str) -> Problem:
    """The same, of a status and a body."""
    if status in _THEIR_OWN:
        return UPSTREAM_REFUSED
    if status in _BUSY:
        return Problem(
            status, "upstream_busy", "the model's endpoint is busy; try later", retry=True
        )
    if status in _FOR_THE_CLIENT:
        says = _said(raw)
        if not says or _gives_away(says, credential):
            says = "the model's endpoint does not take this request"
        return Problem(status, "upstream_refused_request", says)
    if status >= _SERVER:
        return Problem(
            502, "upstream_error", f"the model's endpoint failed (status {status})", retry=True
        )
    return UPSTREAM_ODD


def _said(raw: bytes) -> str:
    """The sentence in an error of either API."""
    try:
        error = json.loads(raw)["error"]
        says = error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return says[:_LONGEST] if isinstance(says, str) and says.isprintable() else ""


def _gives_away(says: str, credential: str) -> bool:
    parts = range(max(1, len(credential) - _PART + 1))
    return any(credential[at : at + _PART] in says for at in parts)
