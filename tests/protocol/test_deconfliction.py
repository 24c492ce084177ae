"""Blind questions: the same answer for the same fact, and nothing for who has another key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.deconfliction import (
    FINGERPRINT_HEX,
    Answer,
    answer,
    fingerprint,
    key_of,
    parse_fingerprint,
)

KEY = key_of(b"seed", 1)
facts = st.text(max_size=40)


@given(facts, st.lists(facts, max_size=5), st.lists(facts, max_size=5))
def test_a_signature_is_known_exactly_when_it_is_there(
    asked: str, known: list[str], scanned: list[str]
) -> None:
    said = answer(
        KEY, signature=fingerprint(KEY, asked), package=None, known=known, scanned=scanned
    )
    assert (said is Answer.KNOWN) == (asked in known)


@given(facts, st.lists(facts, max_size=5))
def test_a_package_is_being_scanned_exactly_when_it_is_there(
    asked: str, scanned: list[str]
) -> None:
    said = answer(KEY, signature=None, package=fingerprint(KEY, asked), known=(), scanned=scanned)
    assert said is (Answer.BEING_SCANNED if asked in scanned else Answer.NOT_KNOWN)


def test_what_is_known_is_said_before_what_is_scanned() -> None:
    said = answer(
        KEY, signature=fingerprint(KEY, "sig"), package=fingerprint(KEY, "pkg:pypi/a"),
        known=["sig"], scanned=["pkg:pypi/a"],
    )  # fmt: skip
    assert said is Answer.KNOWN


def test_no_question_is_not_known() -> None:
    assert answer(KEY, signature=None, package=None, known=["a"], scanned=["b"]) is Answer.NOT_KNOWN


@given(facts, st.integers(2, 10_000))
def test_another_askers_fingerprint_says_nothing_here(fact: str, other: int) -> None:
    foreign = fingerprint(key_of(b"seed", other), fact)
    said = answer(KEY, signature=foreign, package=foreign, known=[fact], scanned=[fact])
    assert said is Answer.NOT_KNOWN
    assert len(foreign) == FINGERPRINT_HEX


def test_the_key_follows_from_seed_and_asker_alone() -> None:
    assert key_of(b"seed", 1) == KEY
    assert len({key_of(b"seed", 1), key_of(b"seed", 2), key_of(b"tree", 1)}) == 3


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, "sig1:" + "0" * 64])
def test_what_is_no_fingerprint_is_refused_with_its_key(text: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_fingerprint(text, key="signature")
    assert error.value.key == "signature"


def test_capitals_and_blanks_around_a_fingerprint_do_not_matter() -> None:
    made = fingerprint(KEY, "x")
    assert parse_fingerprint(f"  {made.upper()}\n", key="package") == made
