"""Stacks as a page shows them: frames with their owners, recursion folded.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.observation import Owner

#: Longest cycle of functions that is looked for in a recursion, and how often it has to come round.
_CYCLE, _ROUNDS = 8, 3
_OWNERS: Final = frozenset(owner.value for owner in Owner)


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame; ``owner`` is a value of :class:`Owner`."""

    owner: str
    function: str
    where: str  # file and line, as far as they are known
    package: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """Frames that follow each other, ``times`` in a row."""

    frames: tuple[FrameView, ...]
    times: int = 1


def frame_view(frame: Mapping[str, Any], owner: str | None = None) -> FrameView:
    """A frame of a verdict document.  ``owner`` is for frames that do not name theirs."""
    told = owner or str(frame.get("owner", Owner.UNKNOWN.value))
    line = frame.get("line")
    file = str(frame.get("file") or "")
    return FrameView(
        owner=told if told in _OWNERS else Owner.UNKNOWN.value,
        function=str(frame.get("function") or "?"),
        where=f"{file}, line {line}" if file and line else file,
        package=str(frame["package"]) if frame.get("package") else None,
    )


def folded(frames: Sequence[FrameView]) -> tuple[Part, ...]:
    """Put the rounds of a recursion together: the first of them stands for all.

    Where several cycles fit, the one that covers most frames is taken, of equals the shortest.
    """
    parts: list[Part] = []
    plain: list[FrameView] = []
    at = 0
    while at < len(frames):
        length, times = _cycle(frames, at)
        if times >= _ROUNDS:
            if plain:
                parts.append(Part(tuple(plain)))
                plain = []
            parts.append(Part(tuple(frames[at : at + length]), times))
            at += length * times
        else:
            plain.append(frames[at])
            at += 1
    if plain:
        parts.append(Part(tuple(plain)))
    return tuple(parts)


def _cycle(frames: Sequence[FrameView], at: int) -> tuple[int, int]:
    best = (1, 1)
    for length in range(1, min(_CYCLE, (len(frames) - at) // _ROUNDS) + 1):
        times = 1
        while frames[at + times * length : at + (times + 1) * length] == frames[at : at + length]:
            times += 1
        if times >= _ROUNDS and length * times > best[0] * best[1]:
            best = (length, times)
    return best
