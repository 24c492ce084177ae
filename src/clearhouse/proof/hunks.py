"""Hunks of a unified diff, and how they are applied to the bytes of one file.  Pure.

As GNU patch does: a hunk may have moved (the nearest place counts), up to two lines of its context
may differ at its edges (fuzz), and line ends may be another system's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: GNU patch's own default (patch(1), -F).
FUZZ: Final = 2

_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk: ``kind`` is ``" "``, ``"-"`` or ``"+"``, ``text`` has its line end."""

    kind: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk; ``line`` is where it begins in the patch, ``start`` where it says it belongs."""

    line: int
    start: int
    lines: tuple[Line, ...]

    @property
    def before(self) -> tuple[bytes, ...]:
        """The lines that it expects."""
        return tuple(line.text for line in self.lines if line.kind != "+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hunk went.

    ``hunk`` is its line in the patch, ``at`` its line in the file before, from 1; ``offset`` is how
    far that is from where it said, ``fuzz`` how many lines of its context were let go.
    """

    hunk: int
    at: int
    offset: int
    fuzz: int
    other_line_ends: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A file as the patch leaves it."""

    content: bytes
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class DoesNotApply:
    """Which hunk (by its line in the patch) does not fit, and why."""

    line: int
    why: str


def lines_of(content: bytes) -> list[bytes]:
    """Lines with their ends; only LF ends one, as for diff(1)."""
    return _LINES.findall(content)


def apply_hunks(content: bytes, hunks: Sequence[Hunk]) -> Applied | DoesNotApply:
    """Apply the hunks of one file in order; nothing is applied unless all are."""
    lines = lines_of(content)
    result: list[bytes] = []
    places = []
    done = drift = 0  # lines of the file used up; how far the last hunk had moved
    for hunk in hunks:
        found = _find(lines, hunk, done, drift)
        if found is None:
            return DoesNotApply(hunk.line, _why_not(lines, hunk))
        result += lines[done : found.start]
        result += found.replaced(lines)
        done = found.start + len(found.block.before)
        drift = found.start - found.block.expected
        places.append(
            Place(hunk.line, found.start + 1, drift, found.block.fuzz, found.other_line_ends)
        )
    result += lines[done:]
    for index, line in enumerate(result[:-1]):
        if not line.endswith(b"\n"):
            result[index] = line + b"\n"
    return Applied(b"".join(result), tuple(places))


@dataclass(frozen=True, slots=True)
class _Block:
    """A hunk with some of its outer context let go."""

    lines: tuple[Line, ...]
    expected: int  # line of the file, from 0, where it says it is
    fuzz: int

    @property
    def before(self) -> list[bytes]:
        return [line.text for line in self.lines if line.kind != "+"]


@dataclass(frozen=True, slots=True)
class _Found:
    block: _Block
    start: int
    other_line_ends: bool

    def replaced(self, lines: Sequence[bytes]) -> list[bytes]:
        """The block as it stands after the patch; context keeps the file's own bytes."""
        out, at = [], self.start
        own = lines[self.start : self.start + len(self.block.before)] or lines
        crlf = bool(own) and all(line.endswith(b"\r\n") for line in own if line.endswith(b"\n"))
        for line in self.block.lines:
            if line.kind == "+":
                out.append(_with_end(line.text, crlf=crlf) if self.other_line_ends else line.text)
                continue
            if line.kind == " ":
                out.append(lines[at])
            at += 1
        return out


def _with_end(text: bytes, *, crlf: bool) -> bytes:
    bare = text.removesuffix(b"\n").removesuffix(b"\r")
    return bare + (b"\r\n" if crlf else b"\n")


def _find(lines: Sequence[bytes], hunk: Hunk, done: int, drift: int) -> _Found | None:
    blocks = list(_blocks(hunk))
    for other_line_ends in (False, True):
        for block in blocks:
            start = _search(lines, block, done, drift, other_line_ends=other_line_ends)
            if start is not None:
                return _Found(block, start, other_line_ends)
    return None


def _blocks(hunk: Hunk) -> Iterator[_Block]:
    """The hunk whole, then with one and two lines of its context let go at the longer edge."""
    kinds = [line.kind for line in hunk.lines]
    changes = [i for i, kind in enumerate(kinds) if kind != " "]
    if not changes:
        return
    lead, trail = changes[0], len(kinds) - 1 - changes[-1]
    context = max(lead, trail)
    # "@@ -5,0 +6 @@" inserts behind line 5; every other hunk begins at the line it names.
    first = hunk.start if not hunk.before else hunk.start - 1
    for fuzz in range(min(FUZZ, context) + 1):
        head = max(0, fuzz + lead - context)
        tail = max(0, fuzz + trail - context)
        kept = hunk.lines[head : len(hunk.lines) - tail]
        if fuzz and not any(line.kind != "+" for line in kept):
            return  # nothing left that could be found
        yield _Block(kept, max(0, first) + head, fuzz)


def _search(
    lines: Sequence[bytes], block: _Block, done: int, drift: int, *, other_line_ends: bool
) -> int | None:
    before = block.before
    wanted = min(max(block.expected + drift, done), len(lines))
    if not before:
        return wanted  # an insertion without context can only go where it says
    if other_line_ends:
        lines, before = _bare(lines), _bare(before)
    last = len(lines) - len(before)
    for distance in range(max(wanted - done, last - wanted, 0) + 1):
        for start in dict.fromkeys((wanted + distance, wanted - distance)):
            if not done <= start <= last or lines[start] != before[0]:
                continue
            if list(lines[start : start + len(before)]) == before:
                return start
    return None


def _bare(lines: Sequence[bytes]) -> list[bytes]:
    return [line.rstrip(b"\r\n") for line in lines]


def _why_not(lines: Sequence[bytes], hunk: Hunk) -> str:
    after = _bare([line.text for line in hunk.lines if line.kind != "-"])
    before = _bare(hunk.before)
    text = _bare(lines)
    if (
        after != before
        and after
        and any(text[i : i + len(after)] == after for i in range(len(text) - len(after) + 1))
    ):
        return "it seems to be applied already"
    return "the lines it expects are not in the file"
