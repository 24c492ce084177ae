"""Unified diffs: read, applied to the bytes of one file, and made.  Pure.

Reading is unidiff's (the format of POSIX ``diff -u`` with git's extended headers); what it lets
pass in silence, lines left over behind a hunk whose counts do not fit, is refused here. Applying
follows GNU patch: a hunk may have moved (the nearest place counts), up to two lines of its context
may differ at its edges (fuzz), and line ends may be another system's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from clearhouse.errors import Invalid
from clearhouse.proof.text import printable

#: Larger than any fix; a patch is read by people.
PATCH_BYTES: Final = 8 << 20
#: GNU patch's own default (patch(1), -F).
FUZZ: Final = 2

_NOWHERE: Final = "/dev/null"
_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_QUOTED: Final = re.compile(r'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPES: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_SYMLINK, _SUBMODULE = "120000", "160000"


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
class FilePatch:
    """What a patch does to one file; a name is None where the file is new or goes."""

    line: int
    source: str | None
    target: str | None
    hunks: tuple[Hunk, ...]
    binary: bool = False

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return self.target or self.source or ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, the one before the patch first."""
        return tuple(dict.fromkeys(n for n in (self.source, self.target) if n is not None))

    @property
    def moves(self) -> bool:
        """Whether the file has another name afterwards, git's ``a/`` and ``b/`` apart."""
        if self.source is None or self.target is None or self.source == self.target:
            return False
        return _without_prefix(self.source) != _without_prefix(self.target)

    @property
    def changes(self) -> bool:
        """Whether anything is different afterwards."""
        return bool(self.hunks) or self.binary or None in (self.source, self.target) or self.moves


def _without_prefix(name: str) -> str:
    return name.partition("/")[2] or name


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


# -- reading -----------------------------------------------------------------------------------


def read_patch(raw: bytes, *, where: str) -> tuple[FilePatch, ...]:
    """Parse a unified diff.

    Raises :class:`Invalid` with ``where`` and the line for one that is malformed, that changes no
    file, or that names a file outside the tree.
    """
    if len(raw) > PATCH_BYTES:
        raise Invalid(f"expected at most {PATCH_BYTES} bytes, found {len(raw)}", where=where)
    lines = _LINES.findall(_own_line_ends(raw))
    reader = _Counting(lines)
    try:
        parsed = PatchSet(reader)
    except (UnidiffParseError, ValueError, AssertionError) as error:
        raise _malformed(str(error), reader.number, where) from None
    files = tuple(_file_patch(one, lines, where) for one in parsed)
    if not any(one.changes for one in files):
        raise Invalid(
            "expected a unified diff ('--- a/file', '+++ b/file', '@@ -1,2 +1,2 @@'), found none",
            where=where,
        )
    return files


def _own_line_ends(raw: bytes) -> bytes:
    """A patch whose very headers end in CR LF was converted as a whole: take that back."""
    heads = re.findall(rb"^(?:--- |\+\+\+ |@@ )[^\n]*$", raw, re.MULTILINE)
    if heads and all(head.endswith(b"\r") for head in heads):
        return raw.replace(b"\r\n", b"\n")
    return raw


class _Counting(Iterator[str]):
    """The patch's lines one by one, byte for character, remembering how many were taken."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self.number = 0

    def __next__(self) -> str:
        if self.number >= len(self._lines):
            raise StopIteration
        self.number += 1
        return self._lines[self.number - 1].decode("latin-1")


def _malformed(message: str, number: int, where: str) -> Invalid:
    # unidiff's messages quote the line, which may be an embargoed fix: said in our own words.
    known = {
        "Hunk is longer": "the hunk has more lines than its '@@' line says",
        "Hunk is shorter": "the hunk has fewer lines than its '@@' line says",
        "Hunk diff line": "expected a line of a hunk, beginning with ' ', '+' or '-'",
        "Target without source": "'+++' without the '---' before it",
        "Unexpected hunk": "a hunk without the '---' and '+++' of its file",
    }
    say = next((own for start, own in known.items() if message.startswith(start)), None)
    return Invalid(say or "not a unified diff", where=where, key=f"line {max(1, number)}")


def _file_patch(parsed: PatchedFile, lines: Sequence[bytes], where: str) -> FilePatch:
    first = parsed.diff_line_no or 1
    if _SYMLINK in (parsed.source_mode, parsed.target_mode):
        raise Invalid("makes or changes a symbolic link", where=where, key=f"line {first}")
    if _SUBMODULE in (parsed.source_mode, parsed.target_mode):
        raise Invalid("changes a submodule", where=where, key=f"line {first}")
    hunks = []
    for raw in parsed:
        numbers = [line.diff_line_no for line in raw if line.diff_line_no is not None]
        if not numbers:
            raise Invalid("an empty hunk", where=where, key=f"line {first}")
        _nothing_left_over(lines, max(numbers), where)
        hunks.append(Hunk(numbers[0] - 1, raw.source_start, _lines_of(lines, numbers)))
    source = _name(parsed.source_file, where, first)
    target = _name(parsed.target_file, where, first)
    if source is None and target is None:
        raise Invalid("names no file", where=where, key=f"line {first}")
    return FilePatch(first, source, target, tuple(hunks), parsed.is_binary_file)


def _lines_of(lines: Sequence[bytes], numbers: Sequence[int]) -> tuple[Line, ...]:
    found: list[Line] = []
    for number in numbers:
        raw = lines[number - 1]
        if raw.startswith(b"\\"):
            continue
        kind, text = (" ", raw) if raw in (b"\n", b"\r\n") else (chr(raw[0]), raw[1:])
        if number < len(lines) and lines[number].startswith(b"\\ "):
            text = text.removesuffix(b"\n").removesuffix(b"\r")
        found.append(Line(kind, text))
    return tuple(found)


def _nothing_left_over(lines: Sequence[bytes], last: int, where: str) -> None:
    """A line of a hunk behind the hunk's end: its counts are wrong, and more may be missing."""
    at = last
    if at < len(lines) and lines[at].startswith(b"\\ "):
        at += 1
    if at >= len(lines):
        return
    line = lines[at]
    if line.startswith((b"--- ", b"+++ ")) or line.rstrip() == b"--":
        return
    if line.startswith((b"+", b"-", b" ")) and line.strip():
        raise Invalid(
            "the hunk before this line has more lines than its '@@' line says",
            where=where,
            key=f"line {at + 1}",
        )


def _name(raw: str, where: str, line: int) -> str | None:
    """A clean relative name, or None for no file; raises Invalid for one that leaves the tree."""
    text = raw.strip("\r\n")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = _QUOTED.sub(_unquoted, text[1:-1])
    name = text.encode("latin-1").decode("utf-8", "surrogateescape")
    if name == _NOWHERE:
        return None
    path = PurePosixPath(name)
    shown = printable(name, limit=200)
    if not name or "\0" in name:
        raise Invalid("an empty or impossible file name", where=where, key=f"line {line}")
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise Invalid(
            f"'{shown}' leads out of the tree; expected a relative name without '..'",
            where=where,
            key=f"line {line}",
        )
    return str(path)


def _unquoted(match: re.Match[str]) -> str:
    code = match[1]
    return chr(_ESCAPES[code]) if code in _ESCAPES else chr(int(code, 8))


# -- applying ----------------------------------------------------------------------------------


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


# -- making ------------------------------------------------------------------------------------


def unified(name: str, before: bytes | None, after: bytes | None, *, context: int = 3) -> bytes:
    """The unified diff between two contents of a file; None stands for no file.

    Empty when they are equal; one line that says so when either is binary.
    """
    if before == after:
        return b""
    old = f"a/{name}" if before is not None else _NOWHERE
    new = f"b/{name}" if after is not None else _NOWHERE
    if b"\0" in (before or b"") or b"\0" in (after or b""):
        return f"Binary files {old} and {new} differ\n".encode("utf-8", "surrogateescape")
    made = difflib.diff_bytes(
        difflib.unified_diff,
        lines_of(before or b""),
        lines_of(after or b""),
        old.encode("utf-8", "surrogateescape"),
        new.encode("utf-8", "surrogateescape"),
        n=context,
    )
    out = []
    for line in made:
        out.append(line)
        if not line.endswith(b"\n"):
            out.append(b"\n\\ No newline at end of file\n")
    return b"".join(out)
