"""Times in words: nothing is promised that is not so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.office.look.clock import Clock, absolute, relative

NOW = datetime(2027, 3, 6, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=119), "in 119 minutes"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(hours=47, minutes=59), "in 47 hours"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=59), "in 59 days"),
        (timedelta(days=60), "in 2 months"),
        (timedelta(days=730), "in 2 years"),
    ],
)
def test_how_far_off_a_time_is(away: timedelta, words: str) -> None:
    assert relative(NOW + away, NOW) == words
    if words != "now":
        assert relative(NOW - away, NOW) == f"{words.removeprefix('in ')} ago"


def test_a_time_is_told_with_its_zone() -> None:
    assert absolute(NOW) == "6 March 2027, 14:00 UTC"
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert absolute(there) == "6 March 2027, 19:30 UTC+05:30"


@given(st.timedeltas(timedelta(days=-4000), timedelta(days=4000)))
def test_a_passed_deadline_is_urgent_and_none_to_come_is_ago(away: timedelta) -> None:
    clock = Clock(NOW + away, NOW)
    assert clock.passed is (away <= timedelta(0))
    assert clock.urgent or not clock.passed
    if clock.relative != "now":
        assert clock.relative.endswith(" ago") is clock.passed
