"""Text from outside is safe on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.text import is_plain_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, größe, 输入, 🙂", "plain text, größe, 输入, 🙂"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("line\u2028break\x85", "line\\u2028break\\x85"),
        ("lone\ud800", "lone\\ud800"),
        ("", ""),
    ],
)
def test_what_steers_or_hides_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_shown_steers_a_terminal(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(character) for character in shown} & {
        *("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    }
    shown.encode()


@given(st.text(st.characters()))
def test_printable_text_is_left_alone(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    assert is_plain_line(printable(text))


def test_a_long_text_is_cut_visibly() -> None:
    assert printable("x" * 10, limit=4) == "xxxx…"
    assert printable("xxxx", limit=4) == "xxxx"
