"""Keeping bytes sealed: a copy of the database alone shows no proof, no patch and no file.

Sealed with AES-256-GCM under a key that lies outside of the database (NIST SP 800-38D); the name
of a blob is an HMAC of its content, so that a guess cannot be checked against it either.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from clearhouse.errors import NotFound, Unavailable
from clearhouse.office.blobs.models import Blob

_NONCE: Final = 12
_BATCH: Final = 100


def put(data: bytes) -> str:
    """Keep bytes; the name to read them by.  The same bytes are kept once."""
    return put_many([data])[0]


def put_many(contents: Sequence[bytes]) -> list[str]:
    """Keep several; their names in the same order."""
    names = [_name(data) for data in contents]
    by_name = dict(zip(names, contents, strict=True))
    there = set(Blob.objects.filter(digest__in=by_name).values_list("digest", flat=True))
    Blob.objects.bulk_create(
        (
            Blob(digest=name, size=len(data), sealed=_seal(name, data))
            for name, data in by_name.items()
            if name not in there
        ),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    return names


def read(name: str) -> bytes:
    """The bytes of a name.

    Raises :class:`NotFound` where there are none, :class:`Unavailable` where they were altered or
    sealed with another key.
    """
    found = Blob.objects.filter(digest=name).first()
    if found is None:
        raise NotFound("these bytes are not kept here")
    sealed = bytes(found.sealed)
    try:
        return AESGCM(_keys()["seal"]).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
    except InvalidTag:
        raise Unavailable(
            f"the bytes {name[:12]} cannot be opened: altered, or sealed with another key than"
            f" {settings.CONFIG.seal_key_file}"
        ) from None


def check_key() -> None:
    """See that what is kept can be opened, by one of it.  Raises :class:`Unavailable`."""
    name = Blob.objects.values_list("digest", flat=True).first()
    if name is not None:
        read(name)


def _seal(name: str, data: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_keys()["seal"]).encrypt(nonce, data, name.encode())


def _name(data: bytes) -> str:
    return hmac.new(_keys()["name"], data, hashlib.sha256).hexdigest()


@cache
def _keys() -> Mapping[str, bytes]:
    seed = settings.CONFIG.seal_key()
    return {use: hmac.digest(seed, use.encode(), hashlib.sha256) for use in ("seal", "name")}
