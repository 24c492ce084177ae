"""Versions of packages in RPM: epoch, version and release by ``rpmvercmp``.

rpm-version(7).  Words and numbers are compared one by one, numbers after words; other signs only
part them.  ``~`` comes before the end of a version, ``^`` after it and before everything else.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number, text

_EPOCH = re.compile(r"([0-9A-Za-z~^.]*):(.*)", re.ASCII | re.DOTALL)
_SEGMENT = re.compile(r"(\d+)|([A-Za-z]+)|([~^])", re.ASCII)
_TILDE, _END, _CARET, _WORD, _NUMBER = b"\1", b"\2", b"\3", b"\4", b"\5"
_NO_RELEASE, _RELEASE = b"\0", b"\1"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as ``epoch:version-release`` does; a missing epoch is 0.

    A version without release comes before the same version with any.
    """
    if not is_readable(version):
        return OutsideGrammar(version, "rpm-version")
    found = _EPOCH.fullmatch(version)
    epoch, rest = (found[1] or "0", found[2]) if found else ("0", version)
    name, dash, release = rest.partition("-")
    tail = _RELEASE + segments(release) if dash else _NO_RELEASE
    return segments(epoch) + segments(name) + tail


def segments(part: str) -> bytes:
    """One of the three parts by ``rpmvercmp``: tilde, end, caret, words, numbers."""
    pieces = [_segment(*found) for found in _SEGMENT.findall(part)]
    return b"".join(pieces) + _END


def _segment(digits: str, word: str, sign: str) -> bytes:
    if digits:
        return _NUMBER + number(int(digits))
    if word:
        return _WORD + text(word)
    return _TILDE if sign == "~" else _CARET
