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

SortKey: TypeAlias = tuple[int, tuple[str, ...], Version]

_PART = re.compile(r"(\d+|[a-z]+|\.|-)")
_NAMES = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}
_NONE = Version("0")


def parse(version: str) -> Version | OutsideGrammar:
    """Return the PEP 440 key of ``version``."""
    try:
        return Version(version)
    except InvalidVersion:
        return OutsideGrammar(version, "PEP 440")


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
