"""Versions that are lists of numbers: Haskell's and R's.

Haskell: the Package Versioning Policy and ``Data.Version``.  R: ``package_version``, where a hyphen
is a dot.  The list that goes on comes after the one that ends.
"""

from __future__ import annotations

import re

from clearhouse.versions import OutsideGrammar
from clearhouse.versions.encoding import is_readable, number

_NUMBERS = re.compile(r"\s*([0-9]+(?:[.-][0-9]+)*)\s*")


def key(version: str) -> bytes | OutsideGrammar:
    """Return bytes that compare as the list of numbers does: each plus one, then zero."""
    found = _NUMBERS.fullmatch(version) if is_readable(version) else None
    if found is None:
        return OutsideGrammar(version, "numbers with dots")
    return b"".join(number(int(one) + 1) for one in re.split("[.-]", found[1])) + b"\0"
