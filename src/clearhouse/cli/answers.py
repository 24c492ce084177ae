"""Reading an office's answer: a form that is not known is told, and not tripped over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clearhouse.errors import Unavailable
from clearhouse.proof.text import printable

SHOWN: Final = 300


def table(value: object) -> dict[str, Any]:
    """A JSON object.  Raises :class:`Unavailable` where it is anything else."""
    if not isinstance(value, dict):
        raise unknown_form()
    return value


def rows(value: object) -> list[dict[str, Any]]:
    """A JSON array of objects.  Raises :class:`Unavailable` where it is anything else."""
    if not isinstance(value, list):
        raise unknown_form()
    return [table(one) for one in value]


def text(one: Mapping[str, Any], key: str) -> str:
    """A member as it can be shown in a terminal; empty where it is missing or null."""
    value = one.get(key)
    return "" if value is None else printable(str(value), limit=SHOWN)


def unknown_form() -> Unavailable:
    """What to raise where an answer has a form that this version does not know."""
    return Unavailable("the office answered in a form that this version does not know")
