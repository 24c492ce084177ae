"""Transcripts come back as they were, nothing in them steers a reader, and canaries are weighed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.transcripts import (
    ROLES,
    Message,
    Transcript,
    recalled,
    transcript_of,
)
from clearhouse.errors import Invalid
from clearhouse.proof.text import is_plain_line
from tests.benchmark.making import CANARY

SAID = st.lists(
    st.tuples(st.sampled_from(ROLES), st.text(st.characters(exclude_categories=()), max_size=60)),
    max_size=8,
)
OTHER = CANARY[:-2] + "00"


@given(SAID)
def test_a_transcript_comes_back_as_it_was_and_every_line_is_plain(
    said: list[tuple[str, str]],
) -> None:
    made = transcript_of(said)
    assert Transcript.parse(bytes(made), "transcript") == made
    assert [one.role for one in made.messages] == [role for role, _ in said]
    for one in made.messages:
        assert all(is_plain_line(line) for line in one.text.split("\n"))


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    (message,) = transcript_of([("tool", "a" * 5000 + "b" * 5000)]).messages
    assert message.cut == 6000
    assert message.text.startswith("aaaa")
    assert message.text.endswith("bbbb")
    assert "[6000 characters are left out]" in message.text
    assert len(message.text) < 4100


def test_of_very_many_messages_the_middle_is_left_out() -> None:
    made = transcript_of([("assistant", str(number)) for number in range(1000)])
    assert made.left_out == 600
    assert [one.text for one in made.messages[199:201]] == ["199", "800"]


def test_a_transcript_beyond_its_size_keeps_its_first_and_last_messages() -> None:
    said = [("tool", f"{number} " + "x" * 3000) for number in range(100)]
    made = transcript_of(said, most=20_000)
    assert sum(len(one.text) for one in made.messages) <= 20_000
    assert made.left_out == 100 - len(made.messages)
    assert made.messages[0].text.startswith("0 ")
    assert made.messages[-1].text.startswith("99 ")
    assert len(transcript_of(said, most=1).messages) == 4


@pytest.mark.parametrize(
    ("said", "is_recalled"),
    [
        ([("assistant", f"I remember {CANARY}")], True),
        ([("call", f"shell\ncommand: echo {CANARY.upper()}")], True),
        ([("thinking", f"this is {OTHER}")], True),
        ([("tool", f"# {CANARY}"), ("assistant", f"the file says {CANARY}")], False),
        ([("tool", f"# {CANARY}"), ("assistant", f"and another is {OTHER}")], True),
        ([("user", CANARY), ("assistant", "no canary")], False),
        ([], False),
    ],
)
def test_a_canary_is_recalled_where_nothing_had_shown_it(
    said: list[tuple[str, str]], is_recalled: bool
) -> None:
    assert recalled(said, [CANARY, OTHER]) is is_recalled


def test_what_is_no_transcript_is_refused() -> None:
    raw = bytes(transcript_of([("user", "x")]))
    with pytest.raises(Invalid, match="canonical form"):
        Transcript.parse(raw + b" ", "t")
    with pytest.raises(Invalid, match="messages\\[0\\]: a message has one of the roles"):
        Transcript.parse(raw.replace(b'"user"', b'"boss"'), "t")
    with pytest.raises(Invalid):
        Message("user", "x", -1)
