"""Patterns of file names as in ``[target]``.

``*``, ``?`` and ``[...]`` stand within a name, ``**`` for any number of folders.  Time is linear in
pattern and name: both may be somebody's trap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

_Token = Callable[[str], bool] | None  # None stands for ``*``
_Part = str | list[_Token]  # a name as it is, or a pattern of names


def matching(patterns: Sequence[str], names: Sequence[str]) -> Iterable[str]:
    """Names that match a pattern, pattern after pattern, each once."""
    found: dict[str, None] = {}
    known = set(names)
    split = [(name, name.split("/")) for name in names]
    for pattern in patterns:
        folders = (pattern.strip("/").removeprefix("./") or ".").split("/")
        start = list(takewhile(is_plain, folders))
        if start == folders:
            found.update(dict.fromkeys(known.intersection(["/".join(folders)])))
            continue
        parts = [None if part == "**" else _part(part) for part in folders]
        found.update(
            dict.fromkeys(
                name
                for name, pieces in split
                if pieces[: len(start)] == start and _path(parts, pieces)
            )
        )
    return found


def is_plain(part: str) -> bool:
    """Whether a name is no pattern, but stands for itself."""
    return not any(character in part for character in "*?[")


def _part(part: str) -> _Part:
    return part if is_plain(part) else _tokens(part)


def _path(parts: Sequence[_Part | None], pieces: Sequence[str]) -> bool:
    """Whether a path's folders and name match, ``None`` standing for any number of folders."""
    at = _skipping(parts, {0})
    for piece in pieces:
        after = set()
        for place in at:
            if place < len(parts):
                part = parts[place]
                if part is None:
                    after.add(place)
                elif part == piece if isinstance(part, str) else _name(part, piece):
                    after.add(place + 1)
        at = _skipping(parts, after)
    return len(parts) in at


def _skipping(parts: Sequence[_Part | None], places: set[int]) -> set[int]:
    """The places in the pattern, and those behind a ``**`` that may stand for nothing."""
    found = set()
    for place in places:
        found.add(place)
        while place < len(parts) and parts[place] is None and place + 1 not in found:
            place += 1  # noqa: PLW2901 - over a run of them
            found.add(place)
    return found


def _name(tokens: Sequence[_Token], name: str) -> bool:
    """Whether one name matches: the classical greedy walk, going back to the last star only."""
    at, index, star, kept = 0, 0, -1, 0
    while index < len(name):
        token = tokens[at] if at < len(tokens) else _never
        if token is None:
            star, kept = at, index
            at += 1
        elif token(name[index]):
            at, index = at + 1, index + 1
        elif star >= 0:
            kept += 1
            at, index = star + 1, kept
        else:
            return False
    return all(token is None for token in tokens[at:])


def _never(_: str) -> bool:
    return False


def _tokens(pattern: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        end = pattern.find("]", at + 2) if character == "[" else -1
        if character == "*":
            found.append(None)
        elif character == "?":
            found.append(lambda _: True)
        elif end > 0:
            found.append(_class(pattern[at + 1 : end]))
            at = end
        else:
            found.append(character.__eq__)
        at += 1
    return found


def _class(inner: str) -> Callable[[str], bool]:
    """``[abc]``, ``[a-z]`` and their opposites ``[!...]``."""
    negated = inner.startswith("!")
    inner = inner.removeprefix("!")
    ranges, at = [], 0
    while at < len(inner):
        if at + 2 < len(inner) and inner[at + 1] == "-":
            ranges.append((inner[at], inner[at + 2]))
            at += 3
        else:
            ranges.append((inner[at], inner[at]))
            at += 1
    return lambda character: any(a <= character <= b for a, b in ranges) is not negated
