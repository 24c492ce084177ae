"""Python versions: the order of PEP 440, and the older order for what PEP 440 rejects.

Strings outside PEP 440 (``0.3.2g.dev``, ``trunk``) were once published. They are ordered as
setuptools ordered them before it dropped them: below every valid version, and among themselves by
their parts. That order is good for sorting; it is no statement about which came first, so
``parse`` calls them ``OutsideGrammar`` and a range must not be drawn through them.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from packaging.version import InvalidVersion, Version

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number, text

SortKey: TypeAlias = tuple[int, tuple[str, ...], Version]

_PART = re.compile(r"(\d+|[a-z]+|\.|-)")
_NAMES = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}
_NONE = Version("0")
_PLAIN = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
# Behind the numbers: a version in development, prereleases, the release; then after it or not;
# then in development or not; then with a local part or not.
_IN_DEVELOPMENT, _PRERELEASES, _RELEASE = b"\0", {"a": b"\1", "b": b"\2", "rc": b"\3"}, b"\4"
_NO_POST, _POST = b"\0", b"\1"
_DEV, _NO_DEV = b"\0", b"\1"
_END, _WORD, _NUMBER = b"\0", b"\1", b"\2"
_FINAL = _RELEASE + _NO_POST + _NO_DEV + _END


def parse(version: str) -> Version | OutsideGrammar:
    """Return the PEP 440 key of ``version``."""
    try:
        return Version(version)
    except InvalidVersion:
        return OutsideGrammar(version, "PEP 440")


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as PEP 440 orders.

    The epoch; each number of the release plus one and an end (0), zeros at its end left out; then
    prerelease, post-release, development release and the parts of a local version.
    """
    if not is_readable(version):
        return OutsideGrammar(version, "PEP 440")
    if _PLAIN.fullmatch(version):
        return b"\0" + _release(tuple(map(int, version.split(".")))) + _FINAL
    found = parse(version)
    if isinstance(found, OutsideGrammar):
        return found
    return number(found.epoch) + _release(found.release) + _stage(found) + _local(found.local)


def _release(numbers: tuple[int, ...]) -> bytes:
    last = len(numbers)
    while last and not numbers[last - 1]:
        last -= 1
    return b"".join([number(one + 1) for one in numbers[:last]]) + _END


def _stage(version: Version) -> bytes:
    if version.pre is not None:
        stage = _PRERELEASES[version.pre[0]] + number(version.pre[1])
    elif version.post is None and version.dev is not None:
        stage = _IN_DEVELOPMENT
    else:
        stage = _RELEASE
    stage += _NO_POST if version.post is None else _POST + number(version.post)
    return stage + (_NO_DEV if version.dev is None else _DEV + number(version.dev))


def _local(local: str | None) -> bytes:
    if local is None:
        return _END
    parts = (
        _NUMBER + number(int(part)) if part.isdecimal() else _WORD + text(part)
        for part in local.split(".")
    )
    return b"".join((b"\1", *parts, _END))


def sort_key(version: str) -> SortKey:
    """Return a key that totally orders any strings as PyPI's tools have ordered them."""
    match parse(version):
        case OutsideGrammar():
            return (0, _legacy_parts(version), _NONE)
        case key:
            return (1, (), key)


def compare(left: str, right: str) -> int:
    """-1, 0 or 1 as ``left`` sorts before, with or after ``right``."""
    a, b = sort_key(left), sort_key(right)
    return (a > b) - (a < b)


def _legacy_parts(version: str) -> tuple[str, ...]:
    """Return the parts by which setuptools compared before PEP 440 (its ``LegacyVersion``).

    Numbers are padded to eight digits and compared as text, words keep their alphabetical order
    behind a ``*``, ``dev`` sorts before everything and trailing zeros do not count.
    """
    parts: list[str] = []
    for piece in (*_PART.split(version.lower()), "final"):
        name = _NAMES.get(piece, piece)
        if not name or name == ".":
            continue
        if name[0].isdigit():
            parts.append(name.zfill(8))
            continue
        word = "*" + name
        if word < "*final":
            while parts and parts[-1] == "*final-":
                parts.pop()
        while parts and parts[-1] == "00000000":
            parts.pop()
        parts.append(word)
    return tuple(parts)
