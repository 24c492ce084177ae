"""Unified diffs: read and made.  Pure.

Reading is unidiff's (the format of POSIX ``diff -u`` with git's extended headers); what it lets
pass in silence, lines left over behind a hunk whose counts do not fit, is refused here, and copies
are told from renames. :mod:`clearhouse.proof.hunks` applies what was read.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from clearhouse.errors import Invalid
from clearhouse.proof.hunks import Hunk, Line, lines_of
from clearhouse.proof.other_diffs import is_only_like_one, what_else
from clearhouse.proof.text import printable

#: Larger than any fix; a patch is read by people.
PATCH_BYTES: Final = 8 << 20

_NOWHERE: Final = "/dev/null"
#: What git-diff(1) puts before the names on both sides; the last four with mnemonicPrefix.
_PREFIXES: Final = ({"a", "b"}, {"i", "w"}, {"c", "i"}, {"c", "w"}, {"o", "w"})
_QUOTED: Final = re.compile(r'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPES: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_ENDS_HEADER: Final = (b"--- ", b"@@ ", b"diff --git ", b"Binary ", b"GIT binary ")
_HUNK: Final = re.compile(rb"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
_SYMLINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a patch does to one file; a name is None where the file is new or goes.

    ``moves`` and ``copies`` are what git's header says in so many words. Two names alone say
    nothing: diff(1) has ``x.py.orig`` and ``x.py`` there, or one file in two folders.
    """

    line: int
    source: str | None
    target: str | None
    hunks: tuple[Hunk, ...]
    binary: bool = False
    moves: bool = False
    copies: bool = False

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return self.target or self.source or ""

    @property
    def shown(self) -> str:
        """That name without what git puts before it, ``b/`` or (mnemonicPrefix) ``w/`` say."""
        sides = [n.partition("/")[0] for n in (self.source, self.target) if n is not None]
        by_git = any(len(sides) == len(pair.intersection(sides)) for pair in _PREFIXES)
        return (by_git and self.name.partition("/")[2]) or self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, the one before the patch first."""
        return tuple(dict.fromkeys(n for n in (self.source, self.target) if n is not None))

    @property
    def changes(self) -> bool:
        """Whether anything is different afterwards."""
        names = self.moves or self.copies or None in (self.source, self.target)
        return bool(self.hunks) or self.binary or names


# -- reading -----------------------------------------------------------------------------------


def read_patch(raw: bytes, *, where: str) -> tuple[FilePatch, ...]:
    """Parse a unified diff.

    Raises :class:`Invalid` with ``where`` and the line for one that is malformed, that changes no
    file, or that names a file outside the tree.
    """
    if len(raw) > PATCH_BYTES:
        raise Invalid(
            f"is larger than {PATCH_BYTES >> 20} MiB, more than any fix that people review",
            where=where,
        )
    if is_only_like_one(raw):
        raise Invalid(f"expected a unified diff, found {what_else(raw)}", where=where)
    lines = lines_of(_own_line_ends(raw))
    reader = _Counting(lines)
    try:
        parsed = PatchSet(reader)
    except (UnidiffParseError, ValueError, AssertionError) as error:
        raise _malformed(str(error), reader.number, where) from None
    files = tuple(_file_patch(one, lines, where) for one in parsed)
    if not any(one.changes for one in files):
        raise Invalid(
            "expected a unified diff ('--- a/file', '+++ b/file', '@@ -1,2 +1,2 @@'),"
            f" found {what_else(raw)}",
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
    if not hunks:
        _no_hunk_expected(lines, first, where)
    source = _name(parsed.source_file, where, first)
    target = _name(parsed.target_file, where, first)
    if source is None and target is None:
        raise Invalid("names no file", where=where, key=f"line {first}")
    header = _header(lines, first)
    return FilePatch(
        first, source, target, tuple(hunks), parsed.is_binary_file,
        moves=any(line.startswith(b"rename from ") for line in header),
        copies=any(line.startswith(b"copy from ") for line in header),
    )  # fmt: skip


def _header(lines: Sequence[bytes], first: int) -> list[bytes]:
    """The lines that git writes between ``diff --git``, which is line ``first``, and the hunks."""
    if not lines[first - 1].startswith(b"diff --git "):
        return []
    rest = itertools.islice(lines, first, None)
    return list(itertools.takewhile(lambda line: not line.startswith(_ENDS_HEADER), rest))


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
    if line.startswith(b"@@") and not _HUNK.match(line):
        raise Invalid(
            "expected a hunk's first line ('@@ -1,2 +1,2 @@')", where=where, key=f"line {at + 1}"
        )
    if line.startswith((b"+", b"-", b" ")) and line.strip():
        raise Invalid(
            "the hunk before this line has more lines than its '@@' line says",
            where=where,
            key=f"line {at + 1}",
        )


def _no_hunk_expected(lines: Sequence[bytes], first: int, where: str) -> None:
    """Where ``---`` and ``+++`` name a file, what changes in it is not passed over."""
    of_git = lines[first - 1].startswith(b"diff --git ")
    at = first + len(_header(lines, first)) if of_git else first - 2  # else it is "+++" itself
    head = lines[at : at + 2] if at >= 0 else []
    if len(head) == 2 and head[0].startswith(b"--- ") and head[1].startswith(b"+++ "):
        raise Invalid(
            "expected a hunk ('@@ -1,2 +1,2 @@') below '---' and '+++'",
            where=where,
            key=f"line {at + 3}",
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


# -- making ----------------------------------------------------------------------------------


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
