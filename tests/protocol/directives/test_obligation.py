"""Obligations: every state and trigger, any sequence of events, and what time alone can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.directives.directive import Stage, To, Way
from clearhouse.protocol.directives.events import (
    OBLIGATION,
    Accept,
    Clock,
    End,
    Event,
    HandIn,
    Lift,
    MoveDue,
    Refuse,
    SeenAgain,
    State,
    Trigger,
)
from clearhouse.protocol.directives.obligation import (
    Obligation,
    Standing,
    Step,
    next_reminder,
    standing,
    step,
)

_S, _T = State, Trigger
START = datetime(2026, 12, 1, tzinfo=UTC)
DUE = START + timedelta(days=14)
DAY = timedelta(days=1)
FRESH = Obligation(START, DUE, frozenset(Way))

#: The table once more, by hand; time changes no state.
EXPECTED = {
    _S.OPEN: {
        _T.HAND_IN: _S.HANDED_IN,
        _T.LIFT: _S.LIFTED,
        _T.MOVE_DUE: _S.OPEN,
        _T.END: _S.WITHDRAWN,
    },
    _S.HANDED_IN: {
        _T.HAND_IN: _S.HANDED_IN,
        _T.ACCEPT: _S.COMPLETED,
        _T.REFUSE: _S.OPEN,
        _T.SEEN_AGAIN: _S.OPEN,
        _T.LIFT: _S.LIFTED,
        _T.MOVE_DUE: _S.HANDED_IN,
        _T.END: _S.WITHDRAWN,
    },
    _S.COMPLETED: {_T.SEEN_AGAIN: _S.OPEN, _T.END: _S.CLOSED},
    _S.LIFTED: {_T.SEEN_AGAIN: _S.OPEN, _T.END: _S.WITHDRAWN},
    _S.CLOSED: {},
    _S.WITHDRAWN: {},
}
#: An event for each trigger.
EVENTS: dict[Trigger, Event] = {
    _T.HAND_IN: HandIn(Way.INVENTORY),
    _T.ACCEPT: Accept("it holds"),
    _T.REFUSE: Refuse("the version is still there"),
    _T.SEEN_AGAIN: SeenAgain(DUE + 3 * DAY, "the inventory of today has it"),
    _T.LIFT: Lift("the system is of no such kind"),
    _T.MOVE_DUE: MoveDue(DUE + DAY, "the supplier's fix is late"),
    _T.END: End("replaced by another directive"),
    _T.CLOCK: Clock(),
}


@pytest.mark.parametrize(("state", "trigger"), list(product(_S, _T)))
def test_every_state_and_trigger_moves_as_the_table_says_or_is_refused(
    state: State, trigger: Trigger
) -> None:
    expected = state if trigger is _T.CLOCK else EXPECTED[state].get(trigger)
    if expected is None:
        with pytest.raises(Refused, match="is not possible"):
            step(replace(FRESH, state=state), EVENTS[trigger], START)
    else:
        assert (
            step(replace(FRESH, state=state), EVENTS[trigger], START).obligation.state is expected
        )
        assert OBLIGATION.after(state, trigger) is expected


dates = st.none() | st.integers(-5, 60).map(lambda number: START + number * DAY)
reasons = st.sampled_from(["because", "another reason"])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(HandIn, st.sampled_from(Way)),
    st.builds(Accept, reasons),
    st.builds(Refuse, reasons),
    st.builds(SeenAgain, dates, reasons),
    st.builds(Lift, reasons),
    st.builds(MoveDue, dates, reasons),
    st.builds(End, reasons),
    st.just(Clock()),
)
#: Events, each some days after the one before.
histories = st.lists(st.tuples(events, st.integers(0, 20)), max_size=12)


def run(history: list[tuple[Event, int]]) -> list[tuple[datetime, Obligation, Event, Step]]:
    """What happened: time, the obligation before, the event, the step; refused ones left out."""
    now, current = START, FRESH
    found = []
    for event, days in history:
        now += days * DAY
        try:
            after = step(current, event, now)
        except Refused:
            continue
        found.append((now, current, event, after))
        current = after.obligation
    return found


@given(histories)
def test_what_is_completed_is_never_overdue(history: list[tuple[Event, int]]) -> None:
    for now, _, _, after in run(history):
        for later in (now, now + 1000 * DAY):
            shown = standing(after.obligation, later)
            if after.obligation.state in (State.COMPLETED, State.CLOSED):
                assert shown in (Standing.COMPLETED, Standing.COMPLETED_LATE)
                assert shown is standing(after.obligation, now)
            assert (shown is Standing.OVERDUE) <= (after.obligation.state is State.OPEN)


@given(histories)
def test_a_date_never_changes_without_a_recorded_reason(history: list[tuple[Event, int]]) -> None:
    for now, before, event, after in run(history):
        kept = after.obligation.moves
        if before.due != after.obligation.due:
            assert isinstance(event, MoveDue | SeenAgain)
            assert kept[:-1] == before.moves
            assert (kept[-1].at, kept[-1].before) == (now, before.due)
            assert (kept[-1].after, kept[-1].reason) == (after.obligation.due, event.reason)
        else:
            assert kept == before.moves


@given(histories, st.lists(st.integers(0, 400), max_size=5))
def test_time_alone_changes_no_state_and_no_date(
    history: list[tuple[Event, int]], waits: list[int]
) -> None:
    done = run(history)
    now, current = (done[-1][0], done[-1][3].obligation) if done else (START, FRESH)
    for days in waits:
        now += days * DAY
        after = step(current, Clock(), now).obligation
        assert replace(after, reminded=frozenset()) == replace(current, reminded=frozenset())
        assert after.reminded >= current.reminded
        current = after


@given(histories)
def test_only_the_authority_or_a_rule_completes_and_only_after_evidence(
    history: list[tuple[Event, int]],
) -> None:
    for _, before, event, after in run(history):
        if after.obligation.state is State.COMPLETED is not before.state:
            assert isinstance(event, Accept)
            assert before.state is State.HANDED_IN
            assert before.way is not None


@given(histories)
def test_a_stage_is_told_once_unless_the_date_moved_or_it_was_opened_again(
    history: list[tuple[Event, int]],
) -> None:
    told: set[str] = set()
    for _, _, event, after in run(history):
        if isinstance(event, MoveDue | SeenAgain):
            told.clear()
        for news in after.news:
            if news.what.startswith("reminder:"):
                assert isinstance(event, Clock)
                assert news.what not in told
                told.add(news.what)


def reminders(obligation: Obligation, *after: float) -> list[list[str]]:
    """The news of time alone, at days after the start."""
    found = []
    for days in after:
        done = step(obligation, Clock(), START + days * DAY)
        obligation = done.obligation
        found.append([one.what for one in done.news])
    return found


def test_people_are_told_at_each_stage() -> None:
    assert reminders(FRESH, 6.9, 7, 8, 14, 15, 20, 21, 44, 99) == [
        [],
        ["reminder:half"],
        [],
        ["reminder:due"],
        ["reminder:day-late"],
        [],
        ["reminder:week-late"],
        ["reminder:month-late"],
        [],
    ]


def test_of_several_stages_that_passed_meanwhile_the_last_is_told() -> None:
    assert reminders(FRESH, 16, 16) == [["reminder:day-late"], []]
    late = replace(FRESH, start=DUE + DAY)  # its time was over before it began
    assert reminders(late, 14) == [["reminder:due"]]


def test_the_authority_is_told_of_what_is_late() -> None:
    first, then = (step(FRESH, Clock(), START + days * DAY).news[0].to for days in (14, 15))
    assert (first, then) == (frozenset({To.DEPLOYER}), frozenset(To))


def test_the_next_reminder_is_known_before() -> None:
    assert next_reminder(FRESH) == START + 7 * DAY
    assert next_reminder(step(FRESH, Clock(), START + 40 * DAY).obligation) == DUE + 30 * DAY
    assert next_reminder(replace(FRESH, state=State.COMPLETED)) is None
    assert next_reminder(replace(FRESH, due=None)) is None


def test_without_a_date_nothing_is_overdue_and_nobody_is_reminded() -> None:
    free = replace(FRESH, due=None)
    assert standing(free, START + 999 * DAY) is Standing.OPEN
    assert reminders(free, 999) == [[]]


def test_evidence_in_time_is_in_time_however_long_examining_takes() -> None:
    handed = step(FRESH, HandIn(Way.PROOF), DUE).obligation
    assert standing(handed, DUE + 9 * DAY) is Standing.EXAMINED
    assert standing(step(handed, Accept(), DUE + 9 * DAY).obligation, DUE) is Standing.COMPLETED
    refused = step(handed, Refuse("it still shows"), DUE + 9 * DAY).obligation
    assert standing(refused, DUE + 9 * DAY) is Standing.OVERDUE
    again = step(refused, HandIn(Way.PROOF), DUE + 10 * DAY).obligation
    assert standing(again, DUE + 10 * DAY) is Standing.EXAMINED_LATE
    done = step(again, Accept(), DUE + 11 * DAY).obligation
    assert standing(done, DUE + 12 * DAY) is Standing.COMPLETED_LATE


def test_what_an_inventory_has_again_is_open_with_a_date_of_its_own() -> None:
    done = step(step(FRESH, HandIn(Way.INVENTORY), START).obligation, Accept(), START).obligation
    back = step(done, SeenAgain(DUE + 30 * DAY, "installed again"), DUE + 20 * DAY)
    assert back.obligation.state is State.OPEN
    assert standing(back.obligation, DUE + 20 * DAY) is Standing.OPEN
    assert [one.what for one in back.news] == ["seen-again"]
    assert next_reminder(back.obligation) == DUE + 25 * DAY


def test_evidence_of_a_kind_that_the_directive_does_not_take_is_refused() -> None:
    strict = replace(FRESH, ways=frozenset({Way.INVENTORY, Way.PROOF}))
    with pytest.raises(Refused, match=r"not met by a VEX statement .* but by a new inventory"):
        step(strict, HandIn(Way.VEX), START)


@pytest.mark.parametrize(
    "event", [Refuse(" "), Lift(""), End(""), MoveDue(DUE + DAY, " "), SeenAgain(DUE, "")]
)
def test_who_decides_says_why(event: Event) -> None:
    handed = step(FRESH, HandIn(Way.ACCEPTED), START).obligation
    with pytest.raises(Invalid, match="reason: say why"):
        step(handed, event, START)


def test_the_authority_agrees_to_leave_a_flaw_only_with_a_reason() -> None:
    handed = step(FRESH, HandIn(Way.ACCEPTED), START).obligation
    with pytest.raises(Invalid, match="say why"):
        step(handed, Accept(), START)
    assert step(handed, Accept("no patient is near it"), START).obligation.state is State.COMPLETED
    assert {one for one in Way if one.is_decided_by_rule} == {Way.INVENTORY, Way.VEX, Way.PROOF}


def test_a_stage_makes_sense_or_is_invalid() -> None:
    for share, hours in ((0, 0), (101, 0), (100, -1), (100, 10**9)):
        with pytest.raises(Invalid, match="share: expected a share"):
            Stage("x", share, hours)
    with pytest.raises(Invalid, match="not both"):
        Stage("x", 50, 24)
    for key, to in (("", frozenset(To)), ("x", frozenset[To]())):
        with pytest.raises(Invalid, match="has a name, and tells somebody"):
            Stage(key, to=to)


def test_a_time_without_zone_is_invalid() -> None:
    with pytest.raises(Invalid, match="now: a time without a zone"):
        step(FRESH, Clock(), datetime(2026, 12, 1))  # noqa: DTZ001
