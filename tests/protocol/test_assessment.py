"""What was measured stands, and nobody is waited for longer than the period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Refused
from clearhouse.protocol.assessment import (
    ASSESSMENT,
    REPLY_PERIOD,
    AssessmentEvent,
    AssessmentState,
    issued_from,
)

_NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(st.lists(st.sampled_from(AssessmentEvent), max_size=6))
def test_whatever_happens_what_was_handed_in_is_never_dropped(
    events: list[AssessmentEvent],
) -> None:
    state, was_assessed = AssessmentState.RUNNING, False
    for event in events:
        try:
            state = ASSESSMENT.after(state, event)
        except Refused:
            continue
        was_assessed = was_assessed or state is AssessmentState.ASSESSED
        assert not (was_assessed and state is AssessmentState.ABANDONED)
        assert state is not AssessmentState.DETERMINED or was_assessed


@pytest.mark.parametrize("state", AssessmentState)
def test_a_state_is_over_exactly_where_nothing_follows(state: AssessmentState) -> None:
    assert state.is_over == ASSESSMENT.is_final(state)


@given(st.none() | st.timedeltas(timedelta(0), timedelta(days=60)))
def test_a_determination_waits_for_the_answer_and_never_beyond_the_period(
    answer: timedelta | None,
) -> None:
    answered = None if answer is None else _NOW + answer
    since = issued_from(_NOW, answered)
    assert _NOW <= since <= _NOW + REPLY_PERIOD
    if answered is None:
        assert since == _NOW + REPLY_PERIOD
    else:
        assert since <= answered or since == _NOW + REPLY_PERIOD
