"""Text from outside, made safe to show on a terminal or in a log."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Longest text that a message carries of something from outside.
SHOWN_CHARACTERS: Final = 200

#: Separators that terminals and editors take for a line break.
_BREAKS: Final = frozenset("\u2028\u2029\x85")


def printable(text: str, *, limit: int | None = None) -> str:
    r"""Return ``text`` with everything escaped that could steer a terminal or hide from a reader.

    Control characters (C0, C1, DEL, so no ANSI sequence survives), the bidirectional controls
    that reorder what is shown (Trojan Source, Boucher and Anderson 2021), zero-width and other
    format characters, line separators, lone surrogates, private-use and unassigned characters
    become ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``. With ``limit`` the source text is cut to that
    many characters, and the cut is marked by an ellipsis.
    """
    cut = limit is not None and len(text) > limit
    shown = text[:limit] if cut else text
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(_escape(character) for character in shown)
    return shown + "…" if cut else shown


def is_plain_line(text: str) -> bool:
    """Whether ``text`` holds nothing that :func:`printable` would escape: one line, all visible."""
    return printable(text) == text


def _escape(character: str) -> str:
    # Categories: Cc control, Cf format (bidirectional controls, zero-width), Cs surrogate,
    # Co private use, Cn unassigned, Zl and Zp separators (Unicode Standard, table 4-4).
    if character in _BREAKS or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        code = ord(character)
        if code <= 0xFF:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character
