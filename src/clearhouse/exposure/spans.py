"""Whether a version is in a range of the vers notation (purl project, "Version Range Specifier").

Where that cannot be told the answer is no: a range is only asked for what somebody states of the
versions in it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from clearhouse.versions.ecosystems import key_of, order_of

_FORM: Final = re.compile(r"vers:([a-z.\-+][a-z0-9.\-+]*)/(\S+)")
_CONSTRAINT: Final = re.compile(r"(>=|<=|!=|<|>|=)?([^<>=!*|]+)")
_MOST_CONSTRAINTS: Final = 1000
_LOWER, _UPPER = (">", ">="), ("<", "<=")


def contains(span: str, *, kind: str, ecosystem: str, version: str) -> bool:
    """Whether ``version`` is in ``span``.

    ``kind`` is the type of the package URL that the range is of, ``ecosystem`` OSV's name of it.
    No where the range is of another kind or malformed, or a version has no place in the order.
    """
    form = _FORM.fullmatch(span)
    order = order_of(ecosystem)
    key = key_of(ecosystem, version)
    if form is None or order is None or not isinstance(key, bytes):
        return False
    semantic = form[1] == "semver" and order.name.startswith("semver/")
    if form[1] not in (kind, "all") and not semantic:
        return False
    if form[2] == "*":
        return True
    constraints = _constraints(form[2], ecosystem)
    return constraints is not None and _holds(constraints, key)


def _constraints(text: str, ecosystem: str) -> list[tuple[bytes, str]] | None:
    """Keys and signs in the order of versions; None where one of them cannot be read."""
    parts = text.split("|")
    if len(parts) > _MOST_CONSTRAINTS:
        return None
    found: list[tuple[bytes, str]] = []
    for part in parts:
        constraint = _CONSTRAINT.fullmatch(part)
        key = key_of(ecosystem, unquote(constraint[2])) if constraint else None
        if constraint is None or not isinstance(key, bytes):
            return None
        found.append((key, constraint[1] or "="))
    found.sort()
    # A version stands once in a range.
    return found if all(one[0] != two[0] for one, two in pairwise(found)) else None


def _holds(constraints: list[tuple[bytes, str]], key: bytes) -> bool:
    """The specification's steps: what is named one by one, then the bounds around the version."""
    for at, sign in constraints:
        if at == key:
            return sign in ("=", "<=", ">=")
    bounds = [one for one in constraints if one[1] not in ("=", "!=")]
    if not bounds:
        return False  # of "!=" alone nobody says which versions there are
    below = [sign for at, sign in bounds if at < key]
    above = [sign for at, sign in bounds if at > key]
    if not below:
        return above[0] in _UPPER
    if not above:
        return below[-1] in _LOWER
    return below[-1] in _LOWER and above[0] in _UPPER
