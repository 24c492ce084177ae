"""How an API key is spelt: ``chk_<prefix>_<secret>``, and what is kept of it.

The prefix finds the key and may be shown.  The secret has 256 random bits, so that its plain
SHA-256 digest gives nothing away; slow hashes are for what people think up (NIST SP 800-63B-4,
section 3.1.2, look-up secrets of 112 bits and more).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

_PREFIX_BYTES: Final = 5
_SECRET_BYTES: Final = 32
_SHAPE: Final = re.compile(r"chk_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")
#: What an unknown prefix is compared with, so that it takes no less time than a known one.
_NO_DIGEST: Final = "0" * 64


def new_key() -> tuple[str, str]:
    """A key's text and its prefix."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    return f"chk_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}", prefix


def prefix_of(text: str) -> str | None:
    """The prefix of what looks like a key."""
    found = _SHAPE.fullmatch(text)
    return found[1] if found else None


def digest_of(text: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, digest: str | None) -> bool:
    """Whether the text is the key of that digest; in the same time wherever they differ."""
    equal = hmac.compare_digest(digest_of(text), digest or _NO_DIGEST)
    return equal and digest is not None
