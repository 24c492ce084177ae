"""A review moves as its table says; the developer leaves from everywhere."""

from __future__ import annotations

from itertools import product

import pytest

from clearhouse.errors import Refused
from clearhouse.protocol.review import (
    BY,
    REVIEW,
    Purpose,
    ReviewEvent,
    ReviewState,
    Side,
    after,
    is_seen_by_others,
)

_S, _E = ReviewState, ReviewEvent
#: The table once more, by hand: what each event makes of each state, withdrawal aside.
EXPECTED = {
    _S.DRAFTED: {_E.SUBMIT: _S.SUBMITTED},
    _S.SUBMITTED: {_E.AGREE: _S.AGREED, _E.CHANGE_TERMS: _S.SUBMITTED, _E.DECLINE: _S.DECLINED},
    _S.AGREED: {_E.CHANGE_TERMS: _S.SUBMITTED, _E.DECLINE: _S.DECLINED, _E.OPEN: _S.OPEN},
    _S.OPEN: {_E.END: _S.RETURNING},
    _S.RETURNING: {_E.FINISH: _S.FINISHED},
    _S.FINISHED: {},
    _S.DECLINED: {},
    _S.WITHDRAWN: {},
}


@pytest.mark.parametrize(("state", "event", "by"), list(product(_S, _E, Side)))
def test_every_state_event_and_side_moves_as_the_table_says_or_is_refused(
    state: ReviewState, event: ReviewEvent, by: Side
) -> None:
    expected = EXPECTED[state].get(event)
    if event is _E.WITHDRAW and state is not _S.WITHDRAWN:
        expected = _S.WITHDRAWN
    if expected is not None and by in BY[event]:
        assert after(state, event, by=by) is expected
    else:
        with pytest.raises(Refused):
            after(state, event, by=by)


@pytest.mark.parametrize("state", [one for one in _S if one is not _S.WITHDRAWN])
def test_from_every_state_the_developer_withdraws_in_one_step(state: ReviewState) -> None:
    assert after(state, _E.WITHDRAW, by=Side.DEVELOPER) is _S.WITHDRAWN


def test_nobody_else_withdraws_opens_or_submits() -> None:
    for event in (_E.WITHDRAW, _E.OPEN, _E.SUBMIT):
        assert BY[event] == {Side.DEVELOPER}
    assert set(BY) == set(_E)


def test_what_is_withdrawn_stays_so_and_every_state_can_be_reached() -> None:
    assert [one for one in _S if REVIEW.is_final(one)] == [_S.WITHDRAWN]
    reached, left = set(), [REVIEW.start]
    while left:
        state = left.pop()
        if state not in reached:
            reached.add(state)
            left += [REVIEW.after(state, event) for event in REVIEW.possible(state)]
    assert reached == set(_S)


def test_time_alone_ends_a_window_and_does_nothing_else() -> None:
    assert [event for event, sides in BY.items() if Side.CLOCK in sides] == [_E.END]


def test_no_review_is_opened_without_agreement_to_its_terms() -> None:
    assert [s for (s, e) in REVIEW.table if e is _E.OPEN] == [_S.AGREED]
    assert {s for (s, e), to in REVIEW.table.items() if to is _S.AGREED} == {_S.SUBMITTED}


def test_a_draft_and_what_was_withdrawn_are_seen_by_the_developer_alone() -> None:
    assert {s for s in _S if not is_seen_by_others(s)} == {_S.DRAFTED, _S.WITHDRAWN}
    assert {s for s in _S if s.is_over} == {_S.FINISHED, _S.DECLINED, _S.WITHDRAWN}


def test_each_purpose_says_what_it_is_for() -> None:
    assert len({one.meaning for one in Purpose}) == len(Purpose)
