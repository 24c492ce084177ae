"""Commitments: something is shown to have been held at a time without being shown.

The commitment is HMAC-SHA256 (RFC 2104, FIPS 198-1) of the content's digest under a random key.
It says nothing of the content to whoever lacks the key, even where the content could be guessed;
with key and content anybody computes it again.  No other content has it, as SHA-256 has no known
collisions.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from clearhouse.errors import Invalid

LEAST_KEY_BYTES: Final = 16
_MOST_KEY_BYTES: Final = 64  # a longer key is hashed first, and would no longer be the only one
_DIGEST_BYTES: Final = hashlib.sha256().digest_size


def commit(key: bytes, digest: bytes) -> bytes:
    """The commitment to a content, of which ``digest`` is the SHA-256.

    Raises :class:`Invalid` for a key that could be guessed, and for what is no digest.
    """
    if not LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise Invalid(f"the key of a commitment has {LEAST_KEY_BYTES} to {_MOST_KEY_BYTES} bytes")
    if len(digest) != _DIGEST_BYTES:
        raise Invalid(f"a SHA-256 digest has {_DIGEST_BYTES} bytes, not {len(digest)}")
    return hmac.digest(key, digest, "sha256")


def opens(commitment: bytes, key: bytes, digest: bytes) -> bool:
    """Whether key and content are those committed to.  Raises as :func:`commit`."""
    return hmac.compare_digest(commit(key, digest), commitment)
