"""The values of a setup.py that is read and not run, and what may be computed with them.

A hostile script tries to make the reader compute forever or fill the memory: text that doubles,
lists that hold themselves, widths of a billion. So only flat values are compared and formatted,
and nothing grows past a limit.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LIMIT = 100_000
"""Characters or items that a computed value may have."""
_PLAIN_PERCENT = re.compile(r"(?:[^%]|%[sdr%])*")
_PLAIN_BRACES = re.compile(r"(?:[^{}]|\{\d?\})*")


class Unknown:
    """A value that reading alone does not give."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class FindPackages:
    """A call of ``find_packages``."""

    where: str = "."
    exclude: tuple[str, ...] = ()


def modulo(left: object, right: object) -> object:
    """Take ``%`` of numbers, or of text without widths."""
    if isinstance(left, str) and not _PLAIN_PERCENT.fullmatch(left):
        raise ValueError(left)
    return operator.mod(left, right)


def contains(item: object, items: Any) -> bool:  # noqa: ANN401 - any value of the script's
    """Tell what ``in`` tells."""
    return bool(item in items)


def lacks(item: object, items: Any) -> bool:  # noqa: ANN401 - any value of the script's
    """Tell what ``not in`` tells."""
    return bool(item not in items)


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mod: modulo,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: contains,
    ast.NotIn: lacks,
}


def apply(function: Callable[[Any, Any], Any], left: object, right: object) -> object:
    """Compute with two values; Unknown where that cannot be told or might take long."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if function is operator.add and isinstance(left, FindPackages | list):
        return (as_list(left) + as_list(right))[:LIMIT]
    if function not in {operator.add, operator.getitem} and not (is_flat(left) and is_flat(right)):
        return UNKNOWN
    try:
        result = function(left, right)
    except (TypeError, ValueError, LookupError, ArithmeticError):
        return UNKNOWN
    too_long = isinstance(result, str | list | tuple) and len(result) > LIMIT
    return UNKNOWN if too_long else result


def is_flat(value: object) -> bool:
    """Whether a value holds no others, or only such that hold none."""
    if isinstance(value, list | tuple):
        return all(isinstance(item, str | int | float | None) for item in value)
    return isinstance(value, str | int | float | None)


def as_list(value: object) -> list[Any]:
    """Return the items of a list or tuple; a single value as the only one; Unknown as none."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if isinstance(value, Unknown) else [value]


def as_key(value: object) -> object:
    """Return a value as the key of a dictionary; Unknown for what cannot be one."""
    return value if isinstance(value, str | int | float | bool | None) else UNKNOWN


def convert(name: str, value: object) -> object:
    """Call ``str``, ``list`` or ``tuple``."""
    if name == "str":
        return str(value) if isinstance(value, str | int | float) else UNKNOWN
    return as_list(value) if isinstance(value, list | tuple) else UNKNOWN


def method(holder: object, name: str, arguments: list[Any]) -> object:
    """Call a string's, list's or dictionary's own method, where it is a harmless one."""
    match holder, name, arguments:
        case str(), _, _:
            return _text_method(holder, name, arguments)
        case list(), "append", [item] if len(holder) < LIMIT:
            holder.append(item)
        case list(), "extend", [list() | tuple() as items] if len(holder) + len(items) < LIMIT:
            holder.extend(items)
        case dict(), "update", [dict() as more]:
            holder.update(more)
        case dict(), "get", [key, *_]:
            return holder.get(as_key(key), UNKNOWN)
        case _:
            pass
    return UNKNOWN


def _text_method(holder: str, name: str, arguments: list[Any]) -> object:
    match name, arguments:
        case "split", [] | [str()]:
            return holder.split(*arguments)
        case "strip" | "lower" | "rstrip" | "lstrip", []:
            return str(getattr(holder, name)())
        case "startswith" | "endswith", [str() as affix]:
            return holder.startswith(affix) if name == "startswith" else holder.endswith(affix)
        case "replace", [str() as old, str() as new] if holder.count(old) * len(new) < LIMIT:
            return holder.replace(old, new)
        case "join", [list() | tuple() as parts] if all(isinstance(part, str) for part in parts):
            length = sum(len(part) + len(holder) for part in parts)
            return holder.join(parts) if length < LIMIT else UNKNOWN
        case "format", _ if _PLAIN_BRACES.fullmatch(holder) and all(map(is_flat, arguments)):
            try:
                return holder.format(*arguments)
            except (LookupError, ValueError):
                return UNKNOWN
        case _:
            return UNKNOWN
