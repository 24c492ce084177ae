"""Signed notes and checkpoints: as others write them, and refused once anything is altered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.note import Note, SigningKey, VerifierKey, sign

#: The example of the format's first implementation (golang.org/x/mod/sumdb/note).
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
    "gotpRZb6KE6RyyBwJnAM=\n"
).encode()
OURS = SigningKey("office.example/ledger", bytes(range(32)))
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1, max_size=60
).map(lambda line: f"{line}\n")


def test_another_implementations_note_is_read_and_believed() -> None:
    key = VerifierKey.parse(KEY)
    assert str(key) == KEY
    note = Note.parse(NOTE)
    assert note.signed_by([key]) == (key,)
    assert bytes(note) == NOTE


def test_an_altered_note_is_refused() -> None:
    altered = Note.parse(NOTE.replace(b"answer", b"reason"))
    with pytest.raises(Refused, match="was altered"):
        altered.signed_by([VerifierKey.parse(KEY)])


def test_a_note_that_nobody_known_has_signed_is_refused() -> None:
    with pytest.raises(Refused, match=r"is not signed by office\.example/ledger"):
        Note.parse(NOTE).signed_by([OURS.verifier])
    with pytest.raises(Refused, match="is not signed by nobody"):
        Note.parse(NOTE).signed_by([])


@given(TEXTS)
def test_what_is_signed_is_read_again_and_holds(text: str) -> None:
    note = sign(text, OURS)
    again = Note.parse(bytes(note))
    assert again == note
    assert again.signed_by([OURS.verifier]) == (OURS.verifier,)


def test_what_looks_like_a_signature_within_the_text_is_text() -> None:
    text = "a\n\n\u2014 office.example/ledger AAAAAAA=\n"
    note = sign(text, OURS)
    assert Note.parse(bytes(note)).text == text
    assert len(note.signatures) == 1


@given(TEXTS, st.data())
def test_no_change_of_a_byte_goes_unnoticed(text: str, data: st.DataObject) -> None:
    raw = bytearray(bytes(sign(text, OURS)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Invalid, Refused)):
        Note.parse(bytes(raw)).signed_by([OURS.verifier])


def test_signatures_of_strangers_are_left_alone() -> None:
    other = SigningKey("witness.example", bytes(32))
    note = sign("a\n", OURS, other)
    assert note.signed_by([OURS.verifier]) == (OURS.verifier,)
    assert note.signed_by([OURS.verifier, other.verifier]) == (OURS.verifier, other.verifier)


@pytest.mark.parametrize("text", ["", "no end", "a\tb\n", "a\x00\n"])
def test_a_text_that_no_note_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        sign(text, OURS)


@pytest.mark.parametrize(
    "raw",
    [b"", b"a\n", b"a\n\n", b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", b"a\n\n- a AAAAAAA=\n",
     b"a\n\n\xe2\x80\x94 a AAAA\n", b"a\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
     b"a\n\n\xe2\x80\x94 a !\n"],
)  # fmt: skip
def test_what_has_not_the_form_of_a_note_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        Note.parse(raw)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "a+00000000+AQ==", KEY.replace("c74f20a3", "c74f20a4"), "a b+1+AAAA",
             "a+00000000+" + "Ag" + KEY[-42:]],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        VerifierKey.parse(text)


def test_a_signing_key_does_not_show_itself() -> None:
    assert repr(OURS) == "SigningKey('office.example/ledger')"


LINES = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1, max_size=30)


@given(LINES, st.integers(0, 2**60), st.binary(min_size=32, max_size=32), st.lists(LINES))
def test_a_checkpoint_reads_as_it_is_written(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n", "a\n1\n!\n",
             "\n1\n" + "A" * 43 + "=\n", "a\n1\n" + "A" * 43 + "=", "a\n1\n" + "A" * 43 + "=\n\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Checkpoint.parse(text)
