"""What an obligation follows: any look at its system, by the state that it is in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.protocol.directives.deadlines import Due
from clearhouse.protocol.directives.directive import Demand, Way
from clearhouse.protocol.directives.events import Accept, HandIn, Lift, MoveDue, SeenAgain, State
from clearhouse.protocol.directives.following import Gone, NotShown, There, follow
from clearhouse.protocol.directives.obligation import Obligation, step
from clearhouse.protocol.directives.selection import Applies

START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DUE = START + 14 * DAY
ALL = Obligation(START, DUE, frozenset(Way))
ASKED = Demand(Applies.YES, frozenset(), Due(DUE, START, "because"))
SAID = NotShown(START + DAY, "the effect shows nowhere")

_STATES = [State.OPEN, State.HANDED_IN, State.COMPLETED, State.LIFTED, State.CLOSED]
_TIMES = st.integers(-40, 40).map(lambda days: START + days * DAY)


def in_state(state: State, way: Way | None) -> Obligation:
    has_way = state in (State.HANDED_IN, State.COMPLETED, State.CLOSED)
    handed = START if has_way else None
    return replace(ALL, state=state, way=way if has_way else None, handed_in_at=handed)


def test_that_proofs_do_not_show_it_on_what_is_there_meets_it_from_when_it_was_asked_for() -> None:
    events = follow(ALL, There(not_shown=SAID), ASKED)
    assert events == (HandIn(Way.PROOF, SAID.since), Accept(SAID.said))
    found = ALL
    for event in events:
        found = step(found, event, DUE + DAY).obligation
    assert (found.state, found.way) == (State.COMPLETED, Way.PROOF)
    assert found.handed_in_at == SAID.since, "in time, however long it took to find out"


def test_it_is_no_evidence_where_the_directive_takes_none_of_that_kind() -> None:
    other = replace(ALL, ways=frozenset(Way) - {Way.PROOF})
    assert follow(other, There(not_shown=SAID), ASKED) == ()


def test_what_the_directive_asks_no_more_is_lifted_first_and_a_new_date_is_noted_first() -> None:
    [lifted] = follow(ALL, There(not_shown=SAID), None)
    assert isinstance(lifted, Lift)
    later = replace(ASKED, due=replace(ASKED.due, at=DUE + DAY))
    moved, *met = follow(ALL, There(not_shown=SAID), later)
    assert isinstance(moved, MoveDue)
    assert met == [HandIn(Way.PROOF, SAID.since), Accept(SAID.said)]


def test_what_was_met_otherwise_and_is_back_is_seen_again_before_it_is_met_by_proof() -> None:
    by_inventory = in_state(State.COMPLETED, Way.INVENTORY)
    again, *met = follow(by_inventory, There(not_shown=SAID), ASKED)
    assert isinstance(again, SeenAgain)
    assert met == [HandIn(Way.PROOF, SAID.since), Accept(SAID.said)]
    assert follow(in_state(State.COMPLETED, Way.PROOF), There(is_covered=True), ASKED) == ()


@given(
    st.sampled_from(_STATES), st.sampled_from(Way), st.booleans(), st.booleans(), _TIMES, _TIMES,
    st.sampled_from([None, DUE, DUE + DAY]),
)  # fmt: skip
def test_every_look_goes_through_the_machine_and_a_second_one_finds_nothing_new(
    state: State, way: Way, has_run: bool, is_asked: bool, since: datetime, now: datetime,
    due: datetime | None,
) -> None:  # fmt: skip
    found = in_state(state, way)
    asked = replace(ASKED, due=replace(ASKED.due, at=due)) if is_asked else None
    run = NotShown(since, "the effect shows nowhere") if has_run else None
    covered = has_run and way is Way.PROOF
    for event in follow(found, There(covered, run), asked):
        found = step(found, event, now).obligation
        if isinstance(event, HandIn):
            assert found.handed_in_at is not None
            assert found.handed_in_at <= max(now, START)
    covered = has_run and found.way is Way.PROOF
    assert follow(found, There(covered, run), asked) == ()
    if has_run and is_asked and state is not State.CLOSED:
        assert (found.state, found.way) == (State.COMPLETED, Way.PROOF)


def test_what_is_gone_needs_no_proof() -> None:
    gone = Gone(Way.INVENTORY, "the inventory does not have it any more")
    assert follow(ALL, gone, None) == (HandIn(Way.INVENTORY), Accept(gone.said))
