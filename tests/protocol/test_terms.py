"""Agreement is to the very texts; a changed one is agreed on anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.terms import LONGEST_TEXT, Subject, Terms, Text, are_bound, is_bound

TEXTS = [Text(one, 1, f"about {one.value}") for one in Subject]
TERMS = Terms.of(TEXTS)


def test_there_is_one_text_of_each_subject_in_a_fixed_order() -> None:
    assert Terms.of(reversed(TEXTS)) == TERMS
    assert [one.subject for one in TERMS.texts] == list(Subject)
    with pytest.raises(Invalid, match="no text for nondisclosure"):
        Terms.of(one for one in TEXTS if one.subject is not Subject.NONDISCLOSURE)


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_TEXT + 1)])
def test_an_empty_text_and_a_book_are_no_terms(text: str) -> None:
    with pytest.raises(Invalid):
        Text(Subject.CONFIDENTIALITY, 1, text)


@given(st.sampled_from(Subject), st.text(min_size=1, max_size=60).filter(str.strip))
def test_another_text_has_another_digest_and_binds_nobody(subject: Subject, text: str) -> None:
    changed = TERMS.changed(subject, text)
    agreements = {"developer": TERMS.digest, "office": TERMS.digest}
    assert are_bound(["developer", "office"], TERMS, agreements)
    if text == TERMS.about(subject).text:
        assert changed == TERMS
    else:
        assert changed.about(subject).version == 2
        assert not any(is_bound(one, changed, agreements) for one in agreements)


def test_changing_a_text_back_is_a_new_version_that_is_agreed_on_anew() -> None:
    first = TERMS.about(Subject.PERMITTED_USE).text
    back = TERMS.changed(Subject.PERMITTED_USE, "else").changed(Subject.PERMITTED_USE, first)
    assert back.about(Subject.PERMITTED_USE).version == 3
    assert back.digest != TERMS.digest


def test_nobody_is_no_agreement_and_one_who_lacks_spoils_it() -> None:
    assert not are_bound([], TERMS, {})
    assert not are_bound(["a", "b"], TERMS, {"a": TERMS.digest})


def test_what_stands_where_is_part_of_the_digest() -> None:
    swapped = Terms.of(
        Text(one.subject, 1, TEXTS[(place + 1) % len(TEXTS)].text)
        for place, one in enumerate(TEXTS)
    )
    assert swapped.digest != TERMS.digest
