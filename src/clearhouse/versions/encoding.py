"""Pieces of version keys: byte strings that compare as what they stand for.

No piece is the beginning of another of its kind, so that pieces can be put after one another and
still compare piece by piece, and so that a key followed by a zero byte is the first place after it.
Compare keys as unsigned bytes; a text column with a collation does not keep the order.
"""

from __future__ import annotations

_ONE_BYTE = 200  # numbers below it are one byte; most numbers in versions are
_LONG = 255

LONGEST = 1024
"""Characters of a version that are read; the longest real one in our data has 97."""


def number(value: int) -> bytes:
    """A number of any size: one byte below 200, else how many bytes follow and these.

    ``value`` is not negative.
    """
    if value < _ONE_BYTE:
        return bytes((value,))
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    length = _ONE_BYTE - 1 + len(digits)
    if length < _LONG:
        return bytes((length,)) + digits
    return bytes((_LONG,)) + number(len(digits)) + digits


def descending(value: int) -> bytes:
    """A number of any size, larger ones first."""
    return bytes(255 - byte for byte in number(value))


def text(value: str) -> bytes:
    """Words without NUL in the order of their code points, a beginning before what goes on."""
    return value.encode() + b"\0"


def is_readable(version: str) -> bool:
    """Whether ``version`` can have a key at all: short enough, with no NUL, and valid Unicode."""
    if not version or len(version) > LONGEST or "\0" in version:
        return False
    return version.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in version)
