"""Version ranges in the vers notation (purl project, "Version Range Specifier").

CSAF 2.0 asks for it in its canonical form (section 3.1.2.3.2): constraints in the order of
versions, and ``vers:all/*`` for all versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from clearhouse.formats.osv import Bound, Event
from clearhouse.versions import npm, pypi

Key = Callable[[str], Any]
"""A version's sort key in its ecosystem's order."""

ALL: Final = "vers:all/*"
#: Ecosystems whose order of versions is known here, by the type of a package URL.
ORDERS: Final[Mapping[str, Key]] = {"npm": npm.sort_key, "pypi": pypi.sort_key}

_FORM: Final = re.compile(r"vers:[a-z.\-+][a-z0-9.\-+]*/\S+")
_END: Final[Mapping[Bound, str]] = {
    Bound.FIXED: "<",
    Bound.LIMIT: "<",
    Bound.LAST_AFFECTED: "<=",
}


def range_of(kind: str, interval: Sequence[Event], *, without: Sequence[str] = ()) -> str:
    """An interval of affected versions, with those inside that are not.

    ``without`` is for ecosystems with a known order; it names each version once.  A bound that
    is itself left out becomes a strict one: no version stands twice in the canonical form.
    """
    order = ORDERS.get(kind, str)
    left_out = {order(version): version for version in without}
    constraints: list[tuple[str, str]] = []
    for event in interval:
        if event.bound is Bound.INTRODUCED and event.version != "0":
            strict = left_out.pop(order(event.version), None) is not None
            constraints.append((">" if strict else ">=", event.version))
        elif event.bound is not Bound.INTRODUCED and event.version != "*":
            strict = left_out.pop(order(event.version), None) is not None
            constraints.append(("<" if strict else _END[event.bound], event.version))
    constraints += [("!=", version) for version in left_out.values()]
    if kind in ORDERS:
        constraints.sort(key=lambda one: order(one[1]))
    if not constraints:
        return ALL
    return f"vers:{kind}/" + "|".join(sign + _quoted(version) for sign, version in constraints)


def _quoted(version: str) -> str:
    return quote(version, safe=":~")


def in_words(vers: str) -> str:
    """A range for people: ``>=1.0, <2.0``."""
    if vers == ALL:
        return "all versions"
    return ", ".join(unquote(part) for part in vers.partition("/")[2].split("|"))


def is_range(text: str) -> bool:
    """Whether a text has the form of a range in this notation."""
    return bool(_FORM.fullmatch(text))
