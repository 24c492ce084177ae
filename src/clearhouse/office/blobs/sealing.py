"""Short secrets and tokens of any room, under keys that lie outside of the database.

A secret is sealed with AES-256-GCM (NIST SP 800-38D) and bound to what it is of, so that a row put
in another's place does not open.  Of a token only a keyed digest is kept (HMAC-SHA256, RFC 2104):
a copy of the database alone cannot even check a guess.  ``use`` says what for: each use has a key
of its own, drawn from the office's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from clearhouse.errors import Unavailable

_NONCE: Final = 12


def seal(use: str, secret: str, *, of: str) -> bytes:
    """A secret of something, sealed."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(use)).encrypt(nonce, secret.encode(), of.encode())


def opened(use: str, sealed: bytes, *, of: str) -> str:
    """The secret again.  Raises :class:`Unavailable` where it was altered, or is another's."""
    try:
        key = AESGCM(_key(use))
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], of.encode()).decode()
    except (InvalidTag, ValueError):
        raise Unavailable(
            f"the secret of {of} cannot be opened: altered, or sealed with another key than"
            f" {settings.CONFIG.seal_key_file}"
        ) from None


def keyed_digest(use: str, token: str) -> bytes:
    """What is kept of a token."""
    return hmac.digest(_key(use), token.encode(errors="replace"), hashlib.sha256)


@cache
def _key(use: str) -> bytes:
    return hmac.digest(settings.CONFIG.seal_key(), use.encode(), hashlib.sha256)
