"""Blind deconfliction: is this known, without saying what, and learning nothing else.

The facts that a signature is made of can be guessed (package, file, function, effect), so a plain
digest of it would tell them to whoever sees the question.  Each asker has a key of its own from the
office; a question is an HMAC under it, which neither the way there nor another asker can read.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid

FINGERPRINT_HEX: Final = 64


class Answer(StrEnum):
    """All that is said."""

    KNOWN = "known"
    BEING_SCANNED = "being-scanned"
    NOT_KNOWN = "not-known"


def fingerprint(key: bytes, fact: str) -> str:
    """What is sent instead of a signature or a package: an HMAC-SHA256 in hexadecimal."""
    return hmac.new(key, b"clearhouse known\n" + fact.encode(), hashlib.sha256).hexdigest()


def key_of(seed: bytes, organisation: int) -> bytes:
    """The key of one asker, which the office can always make again."""
    return hmac.digest(seed, f"asker {organisation}".encode(), "sha256")


def parse_fingerprint(text: str, *, key: str) -> str:
    """Read one.  Raises :class:`Invalid`."""
    found = text.strip().lower()
    if len(found) != FINGERPRINT_HEX or any(c not in "0123456789abcdef" for c in found):
        raise Invalid(f"expected {FINGERPRINT_HEX} hexadecimal digits", key=key)
    return found


def answer(
    key: bytes,
    *,
    signature: str | None,
    package: str | None,
    known: Iterable[str],
    scanned: Iterable[str],
) -> Answer:
    """The answer to a question about a signature, a package, or both, as fingerprints.

    ``known`` are the signatures of the office, ``scanned`` the packages that somebody looks at.
    """
    if signature is not None and any(_same(key, one, signature) for one in known):
        return Answer.KNOWN
    if package is not None and any(_same(key, one, package) for one in scanned):
        return Answer.BEING_SCANNED
    return Answer.NOT_KNOWN


def _same(key: bytes, fact: str, asked: str) -> bool:
    return hmac.compare_digest(fingerprint(key, fact), asked)
