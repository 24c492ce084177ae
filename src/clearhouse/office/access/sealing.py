"""Tokens and secrets of the room, under keys that lie outside of the database."""

from __future__ import annotations

import secrets
from typing import Final

from clearhouse.office.blobs import sealing

_TOKEN_BYTES: Final = 32
_TOKENS, _SECRETS = "access token", "access seal"


def new_token() -> str:
    """A token of 256 random bits."""
    return f"chg_{secrets.token_urlsafe(_TOKEN_BYTES)}"


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return sealing.keyed_digest(_TOKENS, token)


def seal(secret: str, *, of: str) -> bytes:
    """A secret of an endpoint, sealed."""
    return sealing.seal(_SECRETS, secret, of=of)


def opened(sealed: bytes, *, of: str) -> str:
    """The secret again.  Raises :class:`Unavailable` where it was altered, or is another's."""
    return sealing.opened(_SECRETS, sealed, of=of)
