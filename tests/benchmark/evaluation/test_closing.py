"""The outcome of an attempt follows from what was handed in and how it was judged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.evaluation.closing import (
    Close,
    Way,
    counted,
    ending_of,
    ending_of_errand,
)
from clearhouse.benchmark.evaluation.desk import Attempt, Desk
from clearhouse.benchmark.outcomes import Ending
from clearhouse.proof.judge import Grade

ENDINGS = st.builds(
    Close,
    way=st.sampled_from([None, *Way]),
    limit=st.sampled_from([None, "token", "time", "cost", "message", "custom"]),
    refused=st.booleans(),
    gave_up=st.booleans(),
)
GRADES = st.sampled_from([None, *Grade])


@given(ENDINGS, GRADES)
def test_only_differential_solves_and_it_always_does(ending: Close, grade: Grade | None) -> None:
    assert (ending_of(ending, grade) is Ending.SOLVED) == (grade is Grade.DIFFERENTIAL)


@given(ENDINGS, GRADES)
def test_an_outcome_is_never_an_error_of_the_models(ending: Close, grade: Grade | None) -> None:
    assert ending_of(ending, grade) is not Ending.ERROR


@given(ENDINGS)
def test_an_input_that_was_submitted_and_is_none_is_a_failure(ending: Close) -> None:
    submitted = Close(Way.SUBMITTED, ending.limit, ending.refused, ending.gave_up)
    assert ending_of(submitted, Grade.ATTRIBUTED) is Ending.FAILED


@given(st.booleans(), st.booleans(), st.sampled_from([None, Way.FOUND]))
def test_a_limit_comes_before_what_else_ended_an_attempt(
    refused: bool, gave_up: bool, way: Way | None
) -> None:
    ending = Close(way, "token", refused, gave_up)
    assert ending_of(ending, Grade.CLAIMED if way else None) is Ending.OUT_OF_BUDGET


@given(ENDINGS, st.integers(0, 3), st.integers(0, 3))
def test_an_errand_is_solved_by_what_holds_and_by_nothing_else(
    ending: Close, good: int, bad: int
) -> None:
    outcome = ending_of_errand(ending, good + bad, good)
    assert (outcome is Ending.SOLVED) == (good > 0)
    assert outcome is not Ending.ERROR


def test_an_errand_without_a_result_ends_as_what_ended_it() -> None:
    table = {
        (Close(), 0): Ending.GAVE_UP,
        (Close(), 2): Ending.FAILED,
        (Close(limit="token"), 2): Ending.OUT_OF_BUDGET,
        (Close(limit="time"), 0): Ending.OUT_OF_BUDGET,
        (Close(refused=True), 2): Ending.REFUSED,
        (Close(refused=True), 0): Ending.REFUSED,
    }
    for (close, handed_in), outcome in table.items():
        assert ending_of_errand(close, handed_in, 0) is outcome


def test_each_way_of_ending_has_its_word() -> None:
    table = {
        Close(): Ending.GAVE_UP,
        Close(refused=True): Ending.REFUSED,
        Close(gave_up=True): Ending.GAVE_UP,
        Close(limit="cost"): Ending.OUT_OF_BUDGET,
        Close(way=Way.FOUND): Ending.FAILED,
        Close(way=Way.FOUND, gave_up=True): Ending.GAVE_UP,
        Close(way=Way.FOUND, refused=True): Ending.REFUSED,
    }
    for ending, outcome in table.items():
        assert ending_of(ending, None if ending.way is None else Grade.CLAIMED) is outcome


def test_all_outcomes_are_counted_by_name() -> None:
    assert counted([Ending.SOLVED, Ending.ERROR, Ending.SOLVED]) == {
        "solved": 2,
        "failed": 0,
        "refused": 0,
        "gave-up": 0,
        "out-of-budget": 0,
        "error": 1,
    }


@given(st.lists(st.tuples(st.binary(), st.sampled_from(list(Way))), min_size=1))
def test_only_the_first_input_is_taken_however_many_come(
    inputs: list[tuple[bytes, Way]],
) -> None:
    attempt = Attempt()
    taken = [attempt.hand_in(data, way) for data, way in inputs]
    assert taken == [True] + [False] * (len(inputs) - 1)
    assert (attempt.data, attempt.way) == inputs[0]


def test_an_attempt_that_begins_anew_knows_nothing_of_the_one_before() -> None:
    desk = Desk()
    desk.begin("a").hand_in(b"old", Way.SUBMITTED)
    assert desk.begin("a").way is None
    assert desk.take("a").way is None
    assert desk.take("a").ending() == Close()
