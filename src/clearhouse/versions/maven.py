"""Java's versions: the order of Maven's POM reference, section "Version Order Specification".

A version is a list of numbers and words, each behind a dot or a hyphen; where digits and letters
meet there is a hyphen.  What is missing is ``0`` behind a dot and the empty word behind a hyphen.

That order has cycles (``1.1 < 1.1-1 < 1.1.0.beta < 1.1``; apache/maven issues 6753 and 8070), and
no key has.  Here ``1.1.0.beta`` comes before ``1.1``, and so before ``1.1-1``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number, text

_TOKEN = re.compile(r"([.-]?)(\d+|[^\d.-]+|(?=[.-])|$)")
_WORDS: Final = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_SHORT: Final = {"a": "alpha", "b": "beta", "m": "milestone"}
_ALIASES: Final = {"ga": "", "final": "", "release": "", "cr": "rc"}
_EMPTY = _WORDS.index("")

# What a version goes on with, from the lowest to the highest; the middle one is its end.
(
    _DOT_LOW, _LOW, _EMPTY_LOW, _ZERO_LOW, _END, _EMPTY_HIGH, _DOT_HIGH, _HIGH, _HYPHEN_NUMBER,
    _ZERO_HIGH, _DOT_NUMBER,
) = (bytes((n,)) for n in range(1, 12))  # fmt: skip


class _Token(NamedTuple):
    sign: str
    value: int | str

    @property
    def is_null(self) -> bool:
        return self.value in (0, "")


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as Maven's specification orders, but for its cycles."""
    if not is_readable(version):
        return OutsideGrammar(version, "Maven's version order")
    tokens = _trimmed(_tokens(version.strip().lower()))
    pieces = [_END]
    above = 0  # whether what follows is above the end of the version, below it, or the end
    for sign, value in reversed(tokens[1:]):
        piece, above = _piece(sign, value, above)
        pieces.append(piece)
    first = tokens[0].value
    start = _word(first) if isinstance(first, str) else b"\xff" + number(first)
    return start + b"".join(reversed(pieces))


def _piece(sign: str, value: int | str, above: int) -> tuple[bytes, int]:
    """The bytes of a token, and on which side of the end a version is that goes on with it.

    A token that is as good as missing takes the side of what follows it.
    """
    match sign, value:
        case ".", 0:
            return (_ZERO_HIGH, 1) if above > 0 else (_ZERO_LOW, -1)
        case ".", int():
            return _DOT_NUMBER + number(value), 1
        case _, int():
            return _HYPHEN_NUMBER + number(value), 1
        case _, "":
            return (_EMPTY_HIGH, 1) if above > 0 else (_EMPTY_LOW, -1)
        case _:
            word = _word(value)
            low, high = (_DOT_LOW, _DOT_HIGH) if sign == "." else (_LOW, _HIGH)
            return (low + word, -1) if word[0] < _EMPTY else (high + word, 1)


def _word(word: str) -> bytes:
    if word in _WORDS:
        return bytes((_WORDS.index(word),))
    return bytes((len(_WORDS),)) + text(word)


def _tokens(version: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while place < len(version) or not tokens:
        found = _TOKEN.match(version, place)
        assert found is not None
        sign, value = found.groups()
        place = found.end()
        if tokens and not sign:
            sign = "-"  # digits and letters meet
        if not value:
            tokens.append(_Token(sign, 0))
        elif value[0].isdecimal():
            tokens.append(_Token(sign, int(value)))
        else:
            follows = version[place : place + 1].isdecimal()
            word = _SHORT.get(value, value) if follows else value
            tokens.append(_Token(sign, _ALIASES.get(word, word)))
    return tokens


def _trimmed(tokens: list[_Token]) -> list[_Token]:
    """Without what is as good as missing at the end, and before each hyphen."""
    kept = tokens[:]
    place = len(kept) - 1
    while place > 0:
        if kept[place].is_null:
            del kept[place]
            place -= 1
            continue
        while place > 0 and kept[place].sign != "-":
            place -= 1
        place -= 1
    return kept
