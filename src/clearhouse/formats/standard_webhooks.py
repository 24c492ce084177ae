"""Signatures of webhooks after the Standard Webhooks specification 1.0 (symmetric, ``v1``).

The signed text is ``id.timestamp.body``; the header has one signature for each secret that is
valid, so that a receiver that knows the old or the new one accepts it while they are changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from clearhouse.errors import Invalid, Refused

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
#: Of 24 to 64 bytes, as the specification asks ("Signature scheme").
_BYTES, _LEAST, _MOST = 32, 24, 64
#: How far a receiver's clock may be off, in seconds: what is older may be a replay.
TOLERANCE: Final = 300


def new_secret() -> str:
    """A secret of 256 random bits in its written form, ``whsec_...``."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(message: str, at: datetime, body: bytes, written: Sequence[str]) -> dict[str, str]:
    """The three headers of a message, signed with each of the secrets."""
    timestamp = str(int(at.timestamp()))
    signed = " ".join(_signature(one, message, timestamp, body) for one in written)
    return {ID: message, TIMESTAMP: timestamp, SIGNATURE: signed}


def check(given: dict[str, str], body: bytes, written: str, *, now: datetime) -> None:
    """What a receiver checks.  Raises :class:`Refused` where the message is not the sender's.

    1. The time is near.  2. One of the signatures is by the secret.
    """
    timestamp = given.get(TIMESTAMP, "")
    if not timestamp.isascii() or not timestamp.isdecimal():
        raise Refused("the message has no time")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:  # 1
        raise Refused("the message is too old, or a clock is wrong")
    expected = _signature(written, given.get(ID, ""), timestamp, body)
    found = [
        hmac.compare_digest(one.encode(), expected.encode())
        for one in given.get(SIGNATURE, "").split(" ")
    ]
    if not any(found):  # 2
        raise Refused("the message is not signed with this secret")


def _signature(written: str, message: str, timestamp: str, body: bytes) -> str:
    signed = f"{message}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(written), signed, hashlib.sha256)
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def _key(written: str) -> bytes:
    try:
        key = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not written.startswith(_PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise Invalid(f"a secret is written {_PREFIX} and {_LEAST} to {_MOST} bytes in base64")
    return key
