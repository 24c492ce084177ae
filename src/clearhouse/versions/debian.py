"""Debian's and Ubuntu's versions: deb-version(7), Debian Policy section 5.6.12.

Words and numbers take turns, beginning with a word that may be empty.  In a word ``~`` comes before
its end, the end before letters, letters before other signs.  A number that is missing is zero, and
so is a missing revision.
"""

from __future__ import annotations

import re
from functools import cache

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number

_VERSION = re.compile(r"\s*(?:(\d+):)?([^\s:][^\s]*?)(?:-([^\s-]*))?\s*")
_TURN = re.compile(r"(\D*)(\d*)")
_TILDE, _END = 1, 2
_LETTERS, _OTHERS = 3, 128
_ASCII = 128


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as dpkg does: epoch, upstream version, revision.

    Signs outside ASCII are refused, as dpkg refuses them.
    """
    readable = is_readable(version) and version.isascii()
    found = _VERSION.fullmatch(version) if readable else None
    if found is None:
        return OutsideGrammar(version, "deb-version")
    epoch, upstream, revision = found.groups()
    return number(int(epoch or 0)) + _turns(upstream) + _turns(revision or "")


def _turns(part: str) -> bytes:
    """Each word with its end, then its number; behind the last only an end.

    There a longer version has a word, which does not begin with the sign for the end.
    """
    pieces = bytearray()
    place = 0
    while place < len(part) or not place:
        found = _TURN.match(part, place)
        assert found is not None
        pieces += bytes(map(_rank, found[1]))
        pieces.append(_END)
        pieces += number(int(found[2] or 0))
        if found.end() == place:
            break
        place = found.end()
    pieces.append(_END)
    return bytes(pieces)


@cache
def _rank(sign: str) -> int:
    if sign == "~":
        return _TILDE
    code = ord(sign)
    return _LETTERS + code - 65 if sign.isalpha() else _OTHERS + code % _ASCII
