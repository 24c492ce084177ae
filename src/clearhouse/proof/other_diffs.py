"""What someone handed in who meant a unified diff, and how to get one.  Pure."""

from __future__ import annotations

import re
from typing import Final

_COLOUR: Final = re.compile(rb"^\x1b\[[\d;]*m(?:diff --git |--- |\+\+\+ |\x1b\[)", re.MULTILINE)
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\x03\x04": "zip",
}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_COMBINED: Final = re.compile(rb"^diff --(?:cc|combined) .*\n(?:index \w+,|--- )", re.MULTILINE)
_CONTEXT: Final = re.compile(rb"^\*{15}.*\n\*\*\* \d", re.MULTILINE)
_NORMAL: Final = re.compile(rb"^\d+(?:,\d+)?[acd]\d+(?:,\d+)?\r?\n[<>] ", re.MULTILINE)
_INDENTED: Final = re.compile(rb"^([> \t|]+)--- .*\n\1\+\+\+ ", re.MULTILINE)
_STAT: Final = re.compile(rb"^ .+ \| +(?:\d+ [+-]*|Bin .*)\r?$", re.MULTILINE)


def is_only_like_one(raw: bytes) -> bool:
    """Whether it is a diff that would be read as a unified one, in part or wrongly."""
    return bool(_COLOUR.search(raw) or _COMBINED.search(raw))


def what_else(raw: bytes) -> str:
    """Name what ``raw`` is instead of a unified diff, to be read after "found"."""
    if not raw.strip():
        return "an empty file"
    packed = next((name for start, name in _PACKED.items() if raw.startswith(start)), None)
    if packed is not None:
        return f"a file packed with {packed}; unpack it first"
    if raw.startswith(_UTF_16):
        return "text in UTF-16 (a redirection in PowerShell makes that); write it as bytes"
    if _COLOUR.search(raw):
        return "one with a terminal's colours; 'git diff --no-color' leaves them out"
    if b"\0" in raw:
        return "binary data"
    if _COMBINED.search(raw):
        return "the combined diff of a merge; 'git diff BASE MERGE' makes a unified one"
    if _CONTEXT.search(raw):
        return "a context diff; 'diff -u' makes a unified one"
    if _NORMAL.search(raw):
        return "a diff without context; 'diff -u' makes a unified one"
    if _INDENTED.search(raw):
        return "one that is indented or quoted; take that away first"
    if _STAT.search(raw):
        return "only the summary of one ('git diff --stat'); 'git diff' makes the diff itself"
    if re.search(rb"^old mode \d{6}\r?$", raw, re.MULTILINE):
        return "one that changes modes only"
    return "none"
