"""The office's OpenPGP key: made once, kept in its home, for detached signatures (RFC 9580)."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from django.conf import settings
from pysequoia import Cert, Profile, SignatureMode, sign

from clearhouse.errors import Unavailable


def key_file() -> Path:
    """Where the secret key lies."""
    return Path(settings.CONFIG.home) / "openpgp-key.asc"


@cache
def certificate() -> Cert:
    """The key.  Raises :class:`Unavailable` where it can be neither read nor made."""
    path = key_file()
    config = settings.CONFIG
    try:
        if not path.exists():
            made = Cert.generate(user_id=f"{config.office} <{config.mail_from}>",
                                 profile=Profile.RFC4880)  # fmt: skip
            secret = made.secrets
            assert secret is not None, "a generated key has its secret part"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as out:
                out.write(str(secret))
        return Cert.from_bytes(path.read_bytes())
    except FileExistsError:
        return Cert.from_bytes(path.read_bytes())  # another process was faster
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}") from None


def detached(data: bytes) -> bytes:
    """A detached, armoured signature."""
    secrets = certificate().secrets
    if secrets is None:
        raise Unavailable(f"{key_file()} has no secret key")
    return bytes(sign(secrets.signer(), data, mode=SignatureMode.DETACHED))


def public_key() -> bytes:
    """The public key, armoured."""
    return str(certificate()).encode()


def fingerprint() -> str:
    """The key's fingerprint, in upper case."""
    return str(certificate().fingerprint).upper()
