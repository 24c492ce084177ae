"""Contents of requests and answers, kept only where the developer says so, for its eyes alone.

They are encrypted to the developer's age keys before they are written anywhere (age-encryption.org,
format v1).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import pyrage

from clearhouse.errors import Invalid


class Kept:
    """The first bytes of an answer, as far as they are kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Some more of it."""
        if self._size < self._most:
            self._pieces.append(piece[: self._most - self._size])
            self._size += len(self._pieces[-1])

    def all(self) -> bytes:
        """What was kept."""
        return b"".join(self._pieces)


def check_recipients(recipients: Sequence[str]) -> None:
    """See that all are age recipients.  Raises :class:`Invalid`."""
    for one in recipients:
        try:
            pyrage.x25519.Recipient.from_str(one)
        except pyrage.RecipientError:
            raise Invalid("expected an age recipient such as age1...", key="recipients") from None


def sealed(request: bytes, response: bytes, recipients: Sequence[str]) -> bytes:
    """Request and response as one JSON document, both in base64, encrypted."""
    document = {
        "request": base64.b64encode(request).decode(),
        "response": base64.b64encode(response).decode(),
    }
    keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    encrypted: bytes = pyrage.encrypt(json.dumps(document).encode(), keys)
    return encrypted
