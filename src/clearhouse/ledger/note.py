"""Signed notes (C2SP signed-note): a text for people and the signatures of keys with names.

A note is UTF-8 text that ends with a line break, an empty line, and one line for each signature.
Signatures of keys that nobody here knows are left alone; those of known keys have to hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from clearhouse.errors import Invalid, Refused

MOST_BYTES: Final = 1_000_000
_MOST_SIGNATURES: Final = 100
_ED25519: Final = b"\x01"
_KEY_BYTES, _ID_BYTES = 32, 4
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key under a name.

    Raises :class:`Invalid` for a name with spaces or plus signs, or a key of another length.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() for c in self.name):
            raise Invalid(f"{self.name[:60]!r} cannot name a key: no spaces, no plus signs")
        if len(self.public) != _KEY_BYTES:
            raise Invalid(f"an Ed25519 key has {_KEY_BYTES} bytes, not {len(self.public)}")

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a key in its written form, ``name+id+key``.  Raises :class:`Invalid`."""
        parts = text.strip().split("+", 2)
        try:
            name, key_id, encoded = parts
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise Invalid("a key is written name+id+key, the key in base64") from error
        if raw[:1] != _ED25519:
            raise Invalid(f"the key {name!r} is of a kind that is not known here")
        found = cls(name, raw[1:])
        if found.key_id.hex() != key_id or str(found) != text.strip():
            raise Invalid(f"the key {name!r} has the id {found.key_id.hex()}, not {key_id[:16]}")
        return found

    def __str__(self) -> str:
        """The written form."""
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        text = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(text).digest()[:_ID_BYTES]

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether a signature is this key's on that text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private Ed25519 key under a name; its representation shows nothing of it."""

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != _KEY_BYTES:
            raise Invalid(f"the seed of a signing key has {_KEY_BYTES} bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier.name!r})"

    def sign(self, text: str) -> bytes:
        """The signature on a text."""
        return self._key.sign(text.encode())


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """The line as it stands there, without its end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it; nothing has been checked yet but the form."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """Read a note.  Raises :class:`Invalid` where it has not the form of one."""
        if len(raw) > MOST_BYTES:
            raise Invalid(f"a note of {len(raw)} bytes; {MOST_BYTES} are the most")
        try:
            whole = raw.decode()
        except UnicodeDecodeError as error:
            raise Invalid("the note is not UTF-8") from error
        if any(ord(character) < 0x20 and character != "\n" for character in whole):
            raise Invalid("the note holds control characters")
        text, separator, rest = whole.rpartition("\n\n")
        if not separator or not rest.endswith("\n"):
            raise Invalid("the note has no empty line with signatures behind it")
        lines = rest.removesuffix("\n").split("\n")
        if len(lines) > _MOST_SIGNATURES:
            raise Invalid(f"the note has {len(lines)} signatures; {_MOST_SIGNATURES} are the most")
        return cls(text + "\n", tuple(map(_signature, lines)))

    def __bytes__(self) -> bytes:
        """The note as it is sent."""
        lines = "".join(f"{one}\n" for one in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def signed_by(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """The keys among ``keys`` that have signed it.

        Raises :class:`Refused` where a signature by one of them does not hold, or none has signed.
        """
        known = {(key.name, key.key_id): key for key in keys}
        found: dict[VerifierKey, None] = {}
        for one in self.signatures:
            key = known.get((one.name, one.key_id))
            if key is None:
                continue
            if not key.holds(self.text, one.signature):
                raise Refused(f"the signature of {key.name} does not hold: the note was altered")
            found[key] = None
        if not found:
            names = ", ".join(sorted({key.name for key in known.values()})) or "nobody"
            raise Refused(f"the note is not signed by {names}")
        return tuple(found)


def sign(text: str, *keys: SigningKey) -> Note:
    """A note of a text, signed by each key.

    Raises :class:`Invalid` for a text that no note can hold: it ends with a line break, and has
    no other control characters.
    """
    signatures = tuple(
        Signature(key.verifier.name, key.verifier.key_id, key.sign(text)) for key in keys
    )
    note = Note(text, signatures)
    if not text.endswith("\n") or Note.parse(bytes(note)) != note:
        raise Invalid("the text of a note ends with a line break")
    return note


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    found = Signature(name, raw[:_ID_BYTES], raw[_ID_BYTES:])
    # One spelling only: base64 has several for the same bytes.
    if not name or "+" in name or len(raw) <= _ID_BYTES or str(found) != line:
        raise Invalid(f"{line[:60]!r} is no signature of a note")
    return found
