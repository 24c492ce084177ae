"""A window ends by itself, in 30 days at the latest, whatever anybody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.review import SIDES, Side
from clearhouse.protocol.window import (
    LONGEST,
    WINDOW,
    Window,
    WindowEvent,
    WindowState,
    agree,
    end,
    is_open,
    is_over,
    pause,
    propose,
    remaining,
    resume,
    shorten,
    start,
)

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
DEV, OFFICE = Side.DEVELOPER, Side.OFFICE
_S, _E = WindowState, WindowEvent
#: The table once more, by hand.
EXPECTED = {
    _S.NONE: {_E.PROPOSE: _S.PROPOSED, _E.END: _S.ENDED},
    _S.PROPOSED: {_E.PROPOSE: _S.PROPOSED, _E.AGREE: _S.AGREED, _E.END: _S.ENDED},
    _S.AGREED: {_E.PROPOSE: _S.PROPOSED, _E.START: _S.RUNNING, _E.END: _S.ENDED},
    _S.RUNNING: {_E.PAUSE: _S.PAUSED, _E.SHORTEN: _S.RUNNING, _E.END: _S.ENDED},
    _S.PAUSED: {
        _E.PAUSE: _S.PAUSED, _E.RESUME: _S.RUNNING, _E.SHORTEN: _S.PAUSED, _E.END: _S.ENDED,
    },
    _S.ENDED: {},
}  # fmt: skip


def agreed(days: float = 30) -> Window:
    return agree(propose(Window(), days * DAY, by=OFFICE), by=DEV)


def running(days: float = 30) -> Window:
    return start(agreed(days), now=T0)


@pytest.mark.parametrize(("state", "event"), list(product(_S, _E)))
def test_every_state_and_event_moves_as_the_table_says_or_is_refused(
    state: WindowState, event: WindowEvent
) -> None:
    expected = EXPECTED[state].get(event)
    if expected is None:
        with pytest.raises(Refused, match="is not possible"):
            WINDOW.after(state, event)
    else:
        assert WINDOW.after(state, event) is expected


def test_it_is_open_from_its_start_to_before_its_end() -> None:
    window = running(10)
    assert not is_open(window, T0 - timedelta(microseconds=1))
    assert is_open(window, T0)
    assert is_open(window, T0 + 10 * DAY - timedelta(microseconds=1))
    assert not is_open(window, T0 + 10 * DAY)
    assert is_over(window, T0 + 10 * DAY)
    assert remaining(window, T0 + 4 * DAY) == 6 * DAY
    assert remaining(window, T0 + 11 * DAY) == timedelta(0)


def test_thirty_days_are_calendar_days_wherever_the_clock_stands() -> None:
    local = timezone(timedelta(hours=-5))
    window = start(agreed(), now=T0.astimezone(local))
    assert window.ends_at == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("days", [0, -1, 30.001, 31, 400])
def test_no_longer_one_can_be_proposed(days: float) -> None:
    with pytest.raises(Invalid, match="at most 30 days"):
        propose(Window(), days * DAY, by=DEV)


def test_who_proposed_does_not_agree_for_the_other() -> None:
    with pytest.raises(Refused, match="the other side"):
        agree(propose(Window(), DAY, by=DEV), by=DEV)


def test_another_proposal_takes_the_agreement_away() -> None:
    window = propose(agreed(), 20 * DAY, by=DEV)
    assert window.agreed_by == {DEV}
    with pytest.raises(Refused):
        start(window, now=T0)


def test_there_is_no_proposal_once_it_has_started() -> None:
    for window in (running(), pause(running(), by=DEV, now=T0), end(running(), now=T0)):
        with pytest.raises(Refused):
            propose(window, LONGEST, by=OFFICE)


def test_a_pause_uses_up_time() -> None:
    window = pause(running(10), by=DEV, now=T0 + DAY)
    assert not is_open(window, T0 + 2 * DAY)
    assert window.ends_at == T0 + 10 * DAY
    window = resume(window, by=DEV, now=T0 + 9 * DAY)
    assert is_open(window, T0 + 9 * DAY)
    assert not is_open(window, T0 + 10 * DAY)


def test_who_paused_resumes_and_both_pauses_have_to_end() -> None:
    window = pause(running(), by=DEV, now=T0)
    with pytest.raises(Refused, match="the other side has paused"):
        resume(window, by=OFFICE, now=T0)
    window = pause(window, by=OFFICE, now=T0)
    window = resume(window, by=DEV, now=T0 + DAY)
    assert not is_open(window, T0 + DAY)
    assert is_open(resume(window, by=OFFICE, now=T0 + DAY), T0 + DAY)


def test_it_is_made_shorter_and_never_longer() -> None:
    window = shorten(running(10), T0 + 5 * DAY, by=OFFICE, now=T0 + DAY)
    assert window.ends_at == T0 + 5 * DAY
    for later in (T0 + 5 * DAY, T0 + 9 * DAY):
        with pytest.raises(Refused, match="never longer"):
            shorten(window, later, by=DEV, now=T0 + DAY)
    assert shorten(window, T0, by=DEV, now=T0 + DAY).ends_at == T0 + DAY


def test_what_is_over_is_neither_paused_nor_resumed_nor_made_shorter() -> None:
    late = T0 + 31 * DAY
    for window in (running(), pause(running(), by=DEV, now=T0)):
        with pytest.raises(Refused, match="over"):
            pause(window, by=DEV, now=late)
        with pytest.raises(Refused, match="over"):
            resume(window, by=DEV, now=late)
        with pytest.raises(Refused, match="over"):
            shorten(window, late - 2 * DAY, by=DEV, now=late)
    assert end(running(), now=late).ends_at == T0 + 30 * DAY


def test_a_second_window_on_the_same_model_is_no_extension() -> None:
    again = start(agreed(30), now=T0 + 10 * DAY, first_started_at=T0)
    assert again.ends_at == T0 + 30 * DAY
    with pytest.raises(Refused, match="its 30 days are over"):
        start(agreed(30), now=T0 + 30 * DAY, first_started_at=T0)


def test_an_altered_end_gives_no_access_past_thirty_days() -> None:
    altered = Window(_S.RUNNING, LONGEST, SIDES, frozenset(), T0, T0 + 90 * DAY)
    assert is_open(altered, T0 + 29 * DAY)
    assert not is_open(altered, T0 + 30 * DAY)


def test_the_clock_and_a_time_without_a_zone_are_refused() -> None:
    with pytest.raises(Refused, match="not for the clock"):
        propose(Window(), DAY, by=Side.CLOCK)
    with pytest.raises(Invalid, match="zone"):
        start(agreed(), now=T0.replace(tzinfo=None))


@given(st.integers(1, 30), st.integers(-5, 50))
def test_what_remains_is_never_negative_nor_beyond_the_end(days: int, at: int) -> None:
    window, now = running(days), T0 + at * DAY
    assert timedelta(0) <= remaining(window, now)
    assert is_open(window, now) == (0 <= at < days)


class Anything(RuleBasedStateMachine):
    """Both sides do anything, in any order, at any time; what follows is counted beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window()
        self.now = T0
        self.started: datetime | None = None
        self.bounds: list[datetime] = []
        self.paused: set[Side] = set()

    @rule(hours=st.integers(1, 24 * 12))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(days=st.integers(1, 40), by=st.sampled_from(Side))
    def somebody_proposes(self, days: int, by: Side) -> None:
        self._try(lambda: propose(self.window, days * DAY, by=by))

    @rule(by=st.sampled_from(Side))
    def somebody_agrees(self, by: Side) -> None:
        self._try(lambda: agree(self.window, by=by))

    @rule()
    def it_starts(self) -> None:
        if self._try(lambda: start(self.window, now=self.now)):
            assert self.started is None, "a window starts once"
            self.started = self.now
            self.bounds = [self.now + LONGEST, self.now + self.window.length]

    @rule(by=st.sampled_from(Side))
    def somebody_pauses(self, by: Side) -> None:
        if self._try(lambda: pause(self.window, by=by, now=self.now)):
            self.paused.add(by)

    @rule(by=st.sampled_from(Side))
    def somebody_resumes(self, by: Side) -> None:
        if self._try(lambda: resume(self.window, by=by, now=self.now)):
            self.paused.discard(by)

    @rule(hours=st.integers(-48, 24 * 60), by=st.sampled_from(Side))
    def somebody_makes_it_shorter(self, hours: int, by: Side) -> None:
        wanted = self.now + timedelta(hours=hours)
        if self._try(lambda: shorten(self.window, wanted, by=by, now=self.now)):
            self.bounds.append(max(wanted, self.now))

    @precondition(lambda self: self.started)
    @rule()
    def it_is_ended(self) -> None:
        if self._try(lambda: end(self.window, now=self.now)):
            self.bounds.append(self.now)

    def _try(self, move: object) -> bool:
        try:
            self.window = move()  # type: ignore[operator] # a step of the model
        except (Refused, Invalid):
            return False
        return True

    @invariant()
    def there_is_access_exactly_while_nothing_has_ended_it(self) -> None:
        for moment in (self.now, self.now + DAY, self.now + LONGEST):
            ends = min(self.bounds, default=moment)
            ended = self.window.state is _S.ENDED
            expected = self.started is not None and moment < ends and not self.paused
            assert is_open(self.window, moment) == (expected and not ended)

    @invariant()
    def the_end_never_moves_away(self) -> None:
        if self.started is not None:
            assert self.window.ends_at == min(self.bounds)
            assert self.window.ends_at <= self.started + LONGEST


TestAnything = Anything.TestCase
