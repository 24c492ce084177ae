"""Few messages, nothing lost, nothing twice, what is urgent first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.protocol.notices import (
    MOST_A_DAY,
    PLACES,
    Agreement,
    Urgency,
    Waiting,
    due_at,
    may_leave,
    next_group,
    retry_after,
)
from clearhouse.protocol.tlp import Tlp

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = 7
TICK = timedelta(minutes=5)

arrivals = st.lists(
    st.tuples(st.sampled_from(Urgency), st.integers(0, 2 * 24 * 60)), min_size=1, max_size=120
)


def waiting(key: int, urgency: Urgency, minutes: float) -> Waiting:
    since = START + timedelta(minutes=minutes)
    return Waiting(key, urgency, since, due_at(urgency, since, hour=HOUR))


def run(given_: list[tuple[Urgency, int]]) -> tuple[list[datetime], dict[int, list[datetime]]]:
    """Let four days pass: when messages went out, and in which each notice was."""
    coming = [waiting(key, *one) for key, one in enumerate(given_)]
    there: list[Waiting] = []
    sent: list[datetime] = []
    told: dict[int, list[datetime]] = {one.key: [] for one in coming}
    now = START
    while now < START + 4 * DAY:
        there += [one for one in coming if now - TICK < one.since <= now]
        group = next_group(there, sent, now=now)
        if group is not None:
            sent.append(now)
            assert len(group.listed) <= PLACES
            gone = {*group.listed, *group.counted}
            for key in gone:
                told[key].append(now)
            assert not set(group.listed) & set(group.counted)
            _urgent_first(there, group.listed, group.counted)
            there = [one for one in there if one.key not in gone]
        now += TICK
    return sent, told


def _urgent_first(there: list[Waiting], listed: tuple[int, ...], counted: tuple[int, ...]) -> None:
    by_key = {one.key: one for one in there}
    places = [by_key[key].urgency.place for key in listed]
    assert places == sorted(places)
    if counted:
        assert min(by_key[key].urgency.place for key in counted) >= max(places)


@settings(max_examples=40, deadline=None)
@given(arrivals)
def test_nothing_is_lost_nothing_is_told_twice_and_no_day_has_more_messages_than_it_may(
    given_: list[tuple[Urgency, int]],
) -> None:
    sent, told = run(given_)
    assert all(len(times) == 1 for times in told.values())
    for at in sent:
        assert len([one for one in sent if at - DAY < one <= at]) <= MOST_A_DAY


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 24 * 60), min_size=1, max_size=120))
def test_nothing_urgent_waits_for_more_than_hours_however_much_there_is(minutes: list[int]) -> None:
    _, told = run([(Urgency.NOW, one) for one in minutes])
    longest = max(
        times[0] - (START + timedelta(minutes=minutes[key])) for key, times in told.items()
    )
    assert longest <= timedelta(hours=4, minutes=10)


@settings(max_examples=25, deadline=None)
@given(arrivals)
def test_what_is_told_soon_or_daily_is_not_told_before_the_pause_is_over(
    given_: list[tuple[Urgency, int]],
) -> None:
    sent, _ = run(given_)
    for place, at in enumerate(sent):
        before = [one for one in sent[:place] if at - DAY < one]
        if len(before) >= 3:
            assert at - before[-1] >= timedelta(minutes=10)


def test_ten_urgent_matters_at_once_are_one_message() -> None:
    there = [waiting(key, Urgency.NOW, 0) for key in range(10)]
    assert next_group(there, [], now=START + timedelta(seconds=14)) is None
    group = next_group(there, [], now=START + timedelta(seconds=15))
    assert group is not None
    assert group.listed == tuple(range(10))


def test_what_does_not_fit_is_counted_and_what_is_not_due_stays() -> None:
    there = [waiting(key, Urgency.NOW, 0) for key in range(PLACES + 5)]
    there += [waiting(100, Urgency.DIGEST, 0)]
    group = next_group(there, [], now=START + timedelta(minutes=1))
    assert group is not None
    assert (len(group.listed), len(group.counted)) == (PLACES, 5)
    assert 100 not in {*group.listed, *group.counted}


def test_what_is_not_due_goes_along_where_there_is_room() -> None:
    there = [waiting(1, Urgency.DIGEST, 0), waiting(2, Urgency.NOW, 0)]
    group = next_group(there, [], now=START + timedelta(minutes=1))
    assert group is not None
    assert group.listed == (2, 1)


def test_a_digest_goes_out_at_its_hour_of_the_next_day_that_has_it() -> None:
    before = START.replace(hour=6)
    assert due_at(Urgency.DIGEST, before, hour=HOUR) == START.replace(hour=7)
    assert due_at(Urgency.DIGEST, START.replace(hour=7), hour=HOUR) == START.replace(hour=7) + DAY


def test_a_message_is_tried_over_a_day_and_then_given_up() -> None:
    pauses: list[timedelta] = []
    while (pause := retry_after(len(pauses) + 1)) is not None:
        pauses.append(pause)
    assert pauses == sorted(pauses)
    assert timedelta(hours=23) < sum(pauses, timedelta()) < timedelta(hours=25)


@pytest.mark.parametrize(
    ("label", "agreement", "may"),
    [
        (Tlp.CLEAR, Agreement.NONE, True),
        (Tlp.GREEN, Agreement.NONE, True),
        (Tlp.AMBER, Agreement.NONE, False),
        (Tlp.AMBER_STRICT, Agreement.NONE, False),
        (Tlp.RED, Agreement.NONE, False),
        (Tlp.CLEAR, Agreement.AMBER, True),
        (Tlp.GREEN, Agreement.AMBER, True),
        (Tlp.AMBER, Agreement.AMBER, True),
        (Tlp.AMBER_STRICT, Agreement.AMBER, False),
        (Tlp.RED, Agreement.AMBER, False),
    ],
)
def test_what_may_stand_in_a_message_follows_from_label_and_agreement(
    label: Tlp, agreement: Agreement, may: bool
) -> None:
    assert may_leave(label, agreement) is may
