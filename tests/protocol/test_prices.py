"""What use costs: rounded up, and never less than what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.grants import Amounts
from clearhouse.protocol.prices import Price, Usage

COUNTS = st.integers(0, 10**7)


def test_money_is_rounded_up() -> None:
    price = Price(read=3_000_000, written=15_000_000, longest=100)
    assert price.of(Usage(1, 1)) == Amounts(1, 2, 18)
    assert Price(1, 0, 0).of(Usage(1, 0)) == Amounts(1, 1, 1)
    assert price.of(Usage(cached=1)) == Amounts(1, 1, 6)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 4))
def test_the_most_is_no_less_than_what_a_text_of_that_length_comes_to(
    read: int, written: int, body: int, answer: int, answers: int
) -> None:
    price = Price(read, written, longest=answer)
    most = price.most(body_bytes=body, answer_tokens=None, answers=answers)
    spent = price.of(Usage(body, answer * max(1, answers)))
    assert most == spent


@pytest.mark.parametrize("bad", [-1, 2**60])
def test_a_price_is_a_count(bad: int) -> None:
    with pytest.raises(Invalid):
        Price(bad, 0, 0)
