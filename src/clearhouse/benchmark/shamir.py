"""Shamir's sharing of a secret: any ``needed`` of the shares give it back, fewer say nothing.

Each byte of the secret is the value at 0 of a polynomial of its own over the field of 256 elements,
of degree ``needed - 1`` and with random coefficients (Shamir 1979); a share is their values at its
number.  The field is that of AES (FIPS 197, section 4.2).  Pure: chance is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from clearhouse.errors import Invalid

MOST_SHARES: Final = 255

_POLYNOMIAL: Final = 0x11B
_GENERATOR: Final = 3


def _tables() -> tuple[list[int], list[int]]:
    powers, logarithms = [0] * 255, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = value
        logarithms[value] = exponent
        value ^= value << 1  # times the generator, 3
        if value & 0x100:
            value ^= _POLYNOMIAL
    return powers, logarithms


_POWERS, _LOGARITHMS = _tables()


def _times(left: int, right: int) -> int:
    if left == 0 or right == 0:
        return 0
    return _POWERS[(_LOGARITHMS[left] + _LOGARITHMS[right]) % 255]


def _over(left: int, right: int) -> int:
    if left == 0:
        return 0
    return _POWERS[(_LOGARITHMS[left] - _LOGARITHMS[right]) % 255]


def split(
    secret: bytes, *, shares: int, needed: int, chance: Callable[[int], bytes]
) -> dict[int, bytes]:
    """Return the shares by their numbers, from 1.

    ``chance`` returns so many random bytes.  Raises Invalid unless
    1 <= ``needed`` <= ``shares`` <= 255.
    """
    if not 1 <= needed <= shares <= MOST_SHARES:
        raise Invalid(f"{needed} of {shares} shares cannot be needed; at most {MOST_SHARES} can be")
    rows = [secret, *(chance(len(secret)) for _ in range(needed - 1))]
    return {number: _values(rows, number) for number in range(1, shares + 1)}


def _values(rows: list[bytes], at: int) -> bytes:
    """Each polynomial's value, by Horner's rule; rows are coefficients, the constant first."""
    found = bytearray(len(rows[0]))
    for row in reversed(rows):
        for place, coefficient in enumerate(row):
            found[place] = _times(found[place], at) ^ coefficient
    return bytes(found)


def join(shares: Mapping[int, bytes]) -> bytes:
    """Return what shares were made of, by Lagrange's interpolation at 0.

    Of fewer shares than are needed, or of shares that do not belong together, comes something else:
    whoever joins has to check.  Raises Invalid for none, and for shares of different lengths.
    """
    lengths = {len(share) for share in shares.values()}
    if len(lengths) != 1 or not all(1 <= number <= MOST_SHARES for number in shares):
        raise Invalid("these are no shares of one secret")
    found = bytearray(lengths.pop())
    for number, share in shares.items():
        weight = 1
        for other in shares:
            if other != number:
                weight = _times(weight, _over(other, other ^ number))
        for place, value in enumerate(share):
            found[place] ^= _times(weight, value)
    return bytes(found)
