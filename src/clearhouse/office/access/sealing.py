"""Tokens and secrets of the room, under keys that lie outside of the database.

A developer's credential is sealed with AES-256-GCM (NIST SP 800-38D) and bound to its endpoint, so
that a row put in another's place does not open.  Of a token only a keyed digest is kept
(HMAC-SHA256, RFC 2104): a copy of the database alone cannot even check a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from clearhouse.errors import Unavailable

_NONCE: Final = 12
_TOKEN_BYTES: Final = 32


def new_token() -> str:
    """A token of 256 random bits."""
    return f"chg_{secrets.token_urlsafe(_TOKEN_BYTES)}"


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hmac.digest(_keys()["access token"], token.encode(errors="replace"), hashlib.sha256)


def seal(secret: str, *, of: str) -> bytes:
    """A secret of an endpoint, sealed."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_keys()["access seal"]).encrypt(nonce, secret.encode(), of.encode())


def opened(sealed: bytes, *, of: str) -> str:
    """The secret again.  Raises :class:`Unavailable` where it was altered, or is another's."""
    try:
        key = AESGCM(_keys()["access seal"])
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], of.encode()).decode()
    except (InvalidTag, ValueError):
        raise Unavailable(
            f"the secret of {of} cannot be opened: altered, or sealed with another key than"
            f" {settings.CONFIG.seal_key_file}"
        ) from None


@cache
def _keys() -> Mapping[str, bytes]:
    seed = settings.CONFIG.seal_key()
    return {
        use: hmac.digest(seed, use.encode(), hashlib.sha256)
        for use in ("access token", "access seal")
    }
