"""The office's OpenPGP key: made once, kept in its home, for detached signatures (RFC 9580)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from pysequoia import Cert, Profile, SignatureMode, Tsk, sign

from clearhouse.errors import Unavailable
from clearhouse.office.config import write_once


def key_file() -> Path:
    """Where the secret key lies."""
    return Path(settings.CONFIG.home) / "openpgp-key.asc"


@cache
def _secret() -> Tsk:
    """The key.  Raises :class:`Unavailable` where it can be neither read nor made."""
    path = key_file()
    config = settings.CONFIG
    try:
        if not path.exists():
            owner = f"{config.office} <{config.mail_from}>"
            made = Tsk.generate(user_id=owner, profile=Profile.RFC4880)
            write_once(path, str(made))
        return Tsk.from_bytes(path.read_bytes())
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}") from None


def detached(data: bytes) -> bytes:
    """A detached, armoured signature."""
    return bytes(sign(_secret().signer(), data, mode=SignatureMode.DETACHED))


def _certificate() -> Cert:
    return _secret().extract_certificate()


def public_key() -> bytes:
    """The public key, armoured."""
    return str(_certificate()).encode()


def fingerprint() -> str:
    """The key's fingerprint, in upper case."""
    return str(_certificate().fingerprint).upper()
