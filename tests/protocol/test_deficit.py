"""The deficit in numbers: exact for some, and what everybody sees gives no finding away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.deficit import (
    WAY,
    Every,
    Figure,
    Milestone,
    Passage,
    counts,
    intervals,
    published,
    published_intervals,
    series,
    suppressed,
    totals,
)

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
WEEK = timedelta(days=7)
WEEKS = tuple(f"2026-W{number:02}" for number in range(2, 54))


def passages_of(column: Sequence[int], milestone: Milestone = Milestone.RECEIVED) -> list[Passage]:
    """As many passages in each week as the column says, each of a finding of its own."""
    return [
        Passage(f"{week}-{number}", milestone, START + week * WEEK)
        for week, count in enumerate(column)
        for number in range(count)
    ]


def shown(column: Sequence[int], *, weeks: int | None = None, least: int = 5) -> list[Figure]:
    until = START + (len(column) if weeks is None else weeks) * WEEK
    figures = published(
        passages_of(column), every=Every.WEEK, since=START, until=until, least=least
    )
    return [one for one in figures if one.milestone is Milestone.RECEIVED]


def figure(first: int, last: int, count: int | None) -> Figure:
    return Figure(Milestone.RECEIVED, WEEKS[first], WEEKS[last], count)


columns = st.lists(st.integers(0, 12), min_size=1, max_size=12)
thresholds = st.integers(3, 8)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([0, 7, 0], [figure(0, 0, 0), figure(1, 1, 7), figure(2, 2, 0)]),
        ([3, 0, 2, 9], [figure(0, 2, 5), figure(3, 3, 9)]),
        ([3, 100], [figure(0, 1, 103)]),
        ([9, 1, 0, 1], [figure(0, 0, 9), figure(1, 3, None)]),
        ([0, 0], [figure(0, 0, 0), figure(1, 1, 0)]),
    ],
)
def test_small_counts_are_shown_only_together(column: list[int], expected: list[Figure]) -> None:
    assert shown(column) == expected


@given(columns, thresholds)
def test_every_figure_and_every_difference_of_totals_is_none_or_many(
    column: list[int], least: int
) -> None:
    before = 0
    for weeks in range(1, len(column) + 1):
        figures = shown(column, weeks=weeks, least=least)
        assert not any(suppressed(one.count, least=least) for one in figures if one.count)
        total = totals(figures)[Milestone.RECEIVED]
        assert not suppressed(total - before, least=least)
        assert 0 <= sum(column[:weeks]) - total < least
        before = total


@given(columns, thresholds)
def test_what_was_published_once_does_not_change(column: list[int], least: int) -> None:
    whole = [one for one in shown(column, least=least) if one.count is not None]
    for weeks in range(len(column)):
        early = [one for one in shown(column, weeks=weeks, least=least) if one.count is not None]
        assert early == whole[: len(early)]


@given(columns, thresholds)
def test_each_period_is_in_one_figure(column: list[int], least: int) -> None:
    figures = shown(column, least=least)
    covered = [week for one in figures for week in WEEKS if one.first <= week <= one.last]
    assert covered == list(WEEKS[: len(column)])


@pytest.mark.parametrize(("least", "weeks"), [(3, 4), (4, 3), (5, 3)])
def test_nobody_who_knows_the_rule_can_tell_a_count_that_is_not_shown(
    least: int, weeks: int
) -> None:
    """Columns that look alike in every publication, week by week, differ in each hidden week."""
    most = 2 * least
    alike: dict[tuple[Figure, ...], list[tuple[int, ...]]] = defaultdict(list)
    for column in product(range(most + 1), repeat=weeks):
        after_each_week = (shown(column, weeks=week, least=least) for week in range(1, weeks + 1))
        alike[tuple(one for figures in after_each_week for one in figures)].append(column)
    hidden = 0
    for seen, possible in alike.items():
        joined = [one for one in seen if one.count is None or one.first != one.last]
        # Of larger sums, some of the columns are beyond those that are tried here.
        if any((one.count or 0) > most for one in joined):
            continue
        for one in joined:
            for week in range(WEEKS.index(one.first), WEEKS.index(one.last) + 1):
                assert len({column[week] for column in possible}) > 1, (seen, week)
                hidden += 1
    assert hidden > 100


def test_a_threshold_that_hides_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="3 or more"):
        shown([1, 1], least=2)
    assert [suppressed(count) for count in (0, 1, 4, 5)] == [False, True, True, False]


def test_a_week_that_is_not_over_is_not_published() -> None:
    figures = published(
        passages_of([7, 7]), every=Every.WEEK, since=START, until=START + 1.5 * WEEK
    )
    assert totals(figures)[Milestone.RECEIVED] == 7


def test_a_finding_counts_once_at_each_milestone() -> None:
    twice = [
        Passage("a", Milestone.RECEIVED, START),
        Passage("a", Milestone.RECEIVED, START + WEEK),
        Passage("a", Milestone.PROVEN, START + WEEK),
    ]
    found = counts(twice)
    assert {one: found[one] for one in Milestone if found[one]} == {
        Milestone.RECEIVED: 1,
        Milestone.PROVEN: 1,
    }
    rows = series(twice, every=Every.WEEK, since=START, until=START + 2 * WEEK)
    assert [row[Milestone.RECEIVED] for row in rows.values()] == [1, 0]


moments = st.integers(0, 400 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
some_passages = st.lists(
    st.builds(Passage, st.sampled_from("abcdefghij"), st.sampled_from(Milestone), moments),
    max_size=60,
)


@given(some_passages, st.sampled_from(Every))
def test_a_series_that_is_long_enough_adds_up_to_the_counts(
    passages: list[Passage], every: Every
) -> None:
    rows = series(passages, every=every, since=START, until=START + timedelta(days=500))
    summed: Mapping[Milestone, int] = {
        one: sum(row[one] for row in rows.values()) for one in Milestone
    }
    assert summed == counts(passages)
    assert list(rows) == sorted(rows)


@given(moments, st.sampled_from(Every), st.integers(0, 60))
def test_no_period_is_left_out(since: datetime, every: Every, weeks: int) -> None:
    until = since + weeks * WEEK
    days = (since + timedelta(days=day) for day in range(7 * weeks + 1))
    expected = dict.fromkeys(every.period(day) for day in days)
    expected.pop(every.period(until))
    assert every.between(since, until) == tuple(expected)


def test_periods_are_those_of_iso_8601_in_utc() -> None:
    new_year = datetime(2027, 1, 1, 1, tzinfo=UTC)
    assert Every.WEEK.period(new_year) == "2026-W53"
    assert Every.MONTH.period(new_year) == "2027-01"
    assert Every.MONTH.period(datetime.fromisoformat("2027-01-01T01:00:00+05:00")) == "2026-12"
    with pytest.raises(Invalid, match="zone"):
        Every.WEEK.period(datetime(2027, 1, 1))  # noqa: DTZ001


def test_the_median_is_over_those_that_passed_both() -> None:
    passages = passages_of([3])
    passages += [
        Passage(f"0-{number}", Milestone.PROVEN, START + timedelta(days=days))
        for number, days in enumerate((1, 9))
    ]
    found = {(one.start, one.end): one for one in intervals(passages)}
    assert list(found) == list(pairwise(WAY))
    first = found[Milestone.RECEIVED, Milestone.PROVEN]
    assert (first.count, first.median) == (2, timedelta(days=5))
    assert found[Milestone.PROVEN, Milestone.JOINED].median is None


def test_a_patch_before_the_disclosure_is_a_negative_time() -> None:
    passages = [
        Passage("a", Milestone.PATCHED, START),
        Passage("a", Milestone.DISCLOSED, START + WEEK),
    ]
    found = {one.end: one for one in intervals(passages)}
    assert found[Milestone.PATCHED].median == -WEEK


@given(some_passages, some_passages, thresholds)
def test_a_published_median_is_of_many_and_never_changes(
    passages: list[Passage], later: list[Passage], least: int
) -> None:
    middle = START + timedelta(days=399)
    known = {(one.subject, one.milestone) for one in passages if one.at < middle}
    after = [
        Passage(one.subject, one.milestone, one.at + timedelta(days=410))
        for one in later
        if (one.subject, one.milestone) not in known
    ]
    before = [one for one in passages if one.at < middle]

    def at(until: datetime, those: list[Passage]) -> dict[Milestone, list[object]]:
        figures = published_intervals(
            those, every=Every.MONTH, since=START, until=until, least=least
        )
        for one in figures:
            assert one.at_least is None or one.at_least == 0 or one.at_least >= least
            assert (one.days is None) == (not one.at_least)
        ends = [one.end for one in figures]
        return {
            end: [one for one in figures if one.end is end and one.at_least is not None]
            for end in ends
        }

    early = at(middle, before)
    late = at(middle + timedelta(days=500), before + after)
    for end, figures in early.items():
        assert late[end][: len(figures)] == figures


def test_a_published_median_is_in_whole_days_and_its_number_is_rounded_down() -> None:
    passages = passages_of([8])
    passages += [
        Passage(one.subject, Milestone.PROVEN, one.at + timedelta(hours=30))
        for one in passages_of([7])
    ]
    figures = published_intervals(passages, every=Every.WEEK, since=START, until=START + WEEK)
    mine = [one for one in figures if one.end is Milestone.PROVEN]
    assert [(one.at_least, one.days) for one in mine] == [(5, 1)]
