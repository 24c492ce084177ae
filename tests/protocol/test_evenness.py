"""What is published of who asked and who got it points at nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.evenness import (
    OTHERS,
    Asked,
    Over,
    Row,
    Size,
    blocks,
    by_sector,
    by_size,
    published,
    tallied,
)

MANY = st.lists(
    st.builds(
        Asked,
        st.sampled_from(["health", "Health ", "energy", "finance", "water", ""]),
        st.sampled_from(Size),
        st.booleans(),
    ),
    max_size=120,
)


def some(sector: str, got: int, not_got: int = 0) -> list[Asked]:
    return [Asked(sector, Size.LARGE, True)] * got + [Asked(sector, Size.SMALL, False)] * not_got


@given(MANY, st.sampled_from([by_sector, by_size]), st.integers(3, 8))
def test_no_figure_and_no_difference_is_small_and_nothing_is_lost(
    those: list[Asked], group: object, least: int
) -> None:
    rows = published(those, group, least=least)  # type: ignore[arg-type] # one of two functions
    for row in rows:
        for count in (row.got, row.asked - row.got):
            assert count == 0 or count >= least
    if rows:
        assert sum(one.asked for one in rows) == len(those)
        assert sum(one.got for one in rows) == sum(one.got for one in those)


@given(MANY)
def test_the_exact_table_has_everybody(those: list[Asked]) -> None:
    rows = tallied(those, by_sector)
    assert sum(one.asked for one in rows) == len(those)
    assert all(0 <= one.got <= one.asked for one in rows)


def test_few_are_joined_with_the_smallest_that_would_show() -> None:
    rows = published(some("health", 9) + some("energy", 6) + some("water", 1), by_sector)
    assert rows == (Row("health", 9, 9), Row(OTHERS, 7, 7))


def test_two_groups_of_few_show_as_one() -> None:
    rows = published(some("health", 9) + some("energy", 3) + some("water", 3), by_sector)
    assert rows == (Row("health", 9, 9), Row(OTHERS, 6, 6))


def test_a_single_one_who_did_not_get_it_is_not_shown() -> None:
    assert published(some("health", 9, 1), by_sector) == ()
    assert published(some("health", 9, 5), by_sector) == (Row("health", 14, 9),)


def test_a_threshold_that_hides_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="3 or more"):
        published([], by_size, least=2)


def test_each_size_says_its_bounds() -> None:
    assert len({one.meaning for one in Size}) == len(Size)


def over(month: int, one: Asked, days: int = 20) -> Over:
    return Over(one, datetime(2026, month, 10, tzinfo=UTC), timedelta(days=days))


LATER = datetime(2027, 1, 1, tzinfo=UTC)


def test_a_quarter_of_few_is_joined_with_those_after_it() -> None:
    those = [over(2, one) for one in some("health", 3)] + [over(8, one) for one in some("water", 3)]
    (block,) = blocks(those, LATER)
    assert (block.first, block.last, block.count, block.days) == ("2026-Q1", "2026-Q3", 6, 20)
    assert block.sectors == (Row(OTHERS, 6, 6),)
    assert blocks(those[:4], LATER) == ()


@given(st.lists(st.tuples(MANY.map(lambda many: many[:9]), st.integers(1, 12)), max_size=8))
def test_what_was_published_stays_as_it_is(months: list[tuple[list[Asked], int]]) -> None:
    those = [over(month, one) for some_, month in months for one in some_]
    before: tuple[object, ...] = ()
    for month in (1, 4, 7, 10, 13):
        until = LATER if month == 13 else datetime(2026, month, 1, tzinfo=UTC)
        now = blocks(those, until)
        assert now[: len(before)] == before
        before = now
    assert sum(one.count for one in blocks(those, LATER)) <= len(those)
