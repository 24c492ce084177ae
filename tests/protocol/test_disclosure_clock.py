"""A case's deadline: where it begins, what moves it, and that it says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.disclosure_clock import (
    AT_ONCE,
    Happening,
    Periods,
    Turn,
    deadline,
    gives_up_at,
)

TOLD = datetime(2026, 6, 1, 12, tzinfo=UTC)


def after(days: int, turn: Turn) -> Happening:
    return Happening(turn, TOLD + timedelta(days=days))


@pytest.mark.parametrize(
    ("happenings", "days", "why"),
    [
        ([], 90, "90 days since the supplier was told"),
        ([after(80, Turn.FIX_COMING)], 104, "14 days more for a fix that is coming"),
        ([after(80, Turn.FIX_COMING), after(100, Turn.FIX_COMING)], 104, "14 days more"),
        ([after(10, Turn.ATTACKED)], 17, "7 days since it is attacked"),
        ([after(10, Turn.ATTACKED), after(12, Turn.FIX_COMING)], 24, "and 7 days more"),
        ([after(20, Turn.REDISCOVERED)], 50, "somebody else found it"),
        ([after(20, Turn.LEAKED)], 20, "it has leaked"),
        ([after(20, Turn.FIX_PUBLIC)], 20, "a fix that shows it is public"),
        ([after(20, Turn.LEAKED), after(20, Turn.FIX_COMING)], 20, "it has leaked"),
        ([after(91, Turn.FIX_COMING)], 90, "since the supplier was told"),  # too late for more
        ([after(89, Turn.ATTACKED)], 90, "since the supplier was told"),  # no later for it
    ],
)
def test_a_deadline_follows_from_what_happened(
    happenings: list[Happening], days: int, why: str
) -> None:
    found = deadline(TOLD, happenings)
    assert found.at == TOLD + timedelta(days=days)
    assert why in found.because


HAPPENINGS = st.lists(st.builds(after, st.integers(0, 120), st.sampled_from(Turn)), max_size=6)


@given(HAPPENINGS)
def test_nothing_keeps_a_case_quiet_for_longer_than_the_usual_period_and_its_grace(
    happenings: list[Happening],
) -> None:
    usual = Periods()
    assert deadline(TOLD, happenings).at <= TOLD + usual.usual + usual.usual_grace


@given(HAPPENINGS, st.integers(0, 120), st.sampled_from(sorted(AT_ONCE)))
def test_what_is_out_is_never_kept_quiet_for_longer(
    happenings: list[Happening], days: int, turn: Turn
) -> None:
    out = after(days, turn)
    latest = deadline(TOLD, [one for one in happenings if one.at < out.at]).at
    assert deadline(TOLD, [*happenings, out]).at <= min(latest, out.at)


@given(HAPPENINGS)
def test_the_order_in_which_things_are_recorded_does_not_matter(
    happenings: list[Happening],
) -> None:
    distinct = {one.at: one for one in happenings}
    found = deadline(TOLD, distinct.values())
    assert found == deadline(TOLD, reversed(list(distinct.values())))


def test_a_silent_supplier_is_given_up_on_after_thirty_days() -> None:
    assert gives_up_at(TOLD) == TOLD + timedelta(days=30)


def test_an_office_has_its_own_periods() -> None:
    assert deadline(TOLD, periods=Periods(usual=timedelta(days=45))).at.month == 7


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Invalid, match="without a zone"):
        deadline(datetime(2026, 6, 1))  # noqa: DTZ001 - that is the point
