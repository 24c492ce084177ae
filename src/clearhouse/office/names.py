"""Names of things: random, so that neither order nor number of what is sealed can be told."""

from __future__ import annotations

import secrets
from typing import Final

#: Crockford's base 32: no letters that look like digits.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 10


def new_name(prefix: str) -> str:
    """A name like ``F-7KQ2M9XD4T``: 50 random bits, so that no two meet and none is guessed."""
    return f"{prefix}-{''.join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))}"
