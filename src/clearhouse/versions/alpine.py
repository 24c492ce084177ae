"""Alpine's versions: the order of apk-tools 2, as ``apk version -t`` answers.

Numbers, then a letter (behind which some packages have a number), then suffixes with numbers
(``_alpha``, ``_beta``, ``_pre``, ``_rc`` before none; ``_cvs``, ``_svn``, ``_git``, ``_hg``, ``_p``
after it), a commit, and the build ``-rN``.
A number behind a dot that begins with zeros comes before those that do not, with more zeros before
fewer; a version without build comes before its builds.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import descending, is_readable, number, text

_VERSION = re.compile(
    r"\s*(\d+(?:\.\d+)*)(?:([a-z])(\d*))?((?:_[a-z]+\d*)*)(?:~([0-9a-f]+))?(?:-r(\d*))?\s*",
    re.ASCII,
)
_SUFFIX = re.compile(r"_([a-z]+)(\d*)", re.ASCII)
_BEFORE = {"alpha": b"\1", "beta": b"\2", "pre": b"\3", "rc": b"\4"}
_NONE = b"\5"
_AFTER = {"cvs": b"\6", "svn": b"\7", "git": b"\10", "hg": b"\11", "p": b"\12"}
_RANKS = {**_BEFORE, **_AFTER}
_END, _FRACTION, _NUMBER = b"\0", b"\1", b"\2"
_NO_BUILD, _BUILD = b"\0", b"\1"


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as apk does; what apk calls invalid has no place."""
    found = _VERSION.fullmatch(version) if is_readable(version) else None
    if found is None:
        return OutsideGrammar(version, "apk-tools' version")
    numbers, letter, patch, suffixes, commit, build = found.groups()
    ranks = [(_RANKS.get(word), int(digits or 0)) for word, digits in _SUFFIX.findall(suffixes)]
    if any(rank is None for rank, _ in ranks):
        return OutsideGrammar(version, "apk-tools' version")
    first, *others = numbers.split(".")
    pieces = [number(int(first)), *map(_later, others), _END]
    pieces += [text(letter or ""), number(int(patch or 0))]
    pieces += [(rank or b"") + number(digits) for rank, digits in ranks]
    pieces += [
        _NONE,
        text(commit or ""),
        _NO_BUILD if build is None else _BUILD + number(int(build or 0)),
    ]
    return b"".join(pieces)


def _later(digits: str) -> bytes:
    if digits[0] != "0":
        return _NUMBER + number(int(digits))
    rest = digits.lstrip("0")
    zeros = _FRACTION + descending(len(digits) - len(rest))
    return zeros + (_NUMBER + number(int(rest)) if rest else _END)
