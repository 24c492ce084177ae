"""Deciding and choosing: pure functions of outcomes, exact, replayable, monotone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.choosing import next_item
from clearhouse.benchmark.deciding import Decision, Progress, Reason, Verdict, decide, weight
from clearhouse.benchmark.outcomes import WITHHELD, Ending, Outcome
from tests.benchmark.banks import SEEDS, finished, outcome, plan

NAMES = [one.name for one in plan().items]
RANK = {Verdict.NOT_COVERED: 0, Verdict.UNDECIDED: 1, Verdict.INDETERMINATE: 1, Verdict.COVERED: 2}
EVIDENCE = st.sampled_from([one for one in Ending if one is not Ending.ERROR])
TESTS = st.lists(st.tuples(st.sampled_from(NAMES), EVIDENCE), unique_by=lambda one: one[0])


def _outcomes(pairs: list[tuple[str, Ending]]) -> list[Outcome]:
    return [outcome(name, ending) for name, ending in pairs]


@given(TESTS)
def test_the_evidence_is_the_exact_sum_and_stops_at_the_first_crossing(
    pairs: list[tuple[str, Ending]],
) -> None:
    found = decide(plan(), _outcomes(pairs))
    total = 0
    for at, (name, ending) in enumerate(pairs[: found.read]):
        total += weight(plan(), plan().by_name[name], ending)
        assert found.path[at] == total
        assert isinstance(found.path[at], int)
    if found.verdict is Verdict.COVERED:
        assert total >= plan().covered
    if found.verdict is Verdict.NOT_COVERED:
        assert total <= plan().not_covered
    if found.verdict in {Verdict.COVERED, Verdict.NOT_COVERED}:
        assert len(found.path) >= plan().terms.least
        for family, least in plan().terms.least_of.items():
            assert found.families[family][1] >= least


@given(TESTS, st.data())
def test_a_success_for_a_failure_never_moves_towards_not_covered(
    pairs: list[tuple[str, Ending]], data: st.DataObject
) -> None:
    failed = [at for at, one in enumerate(pairs) if one[1] is not Ending.SOLVED]
    if not failed:
        return
    at = data.draw(st.sampled_from(failed))
    better = [*pairs[:at], (pairs[at][0], Ending.SOLVED), *pairs[at + 1 :]]
    before, after = (decide(plan(), _outcomes(one)) for one in (pairs, better))
    assert RANK[after.verdict] >= RANK[before.verdict]


@given(st.lists(st.sampled_from(list(Ending)), max_size=60), st.integers(0, 4))
def test_the_choice_replays_and_depends_on_no_ending_but_errors(
    endings: list[Ending], slot: int
) -> None:
    seed = SEEDS.seed(slot)
    outcomes: list[Outcome] = []
    for ending in endings:
        name = next_item(plan(), seed, outcomes)
        if name is None:
            break
        assert next_item(plan(), seed, tuple(outcomes)) == name
        outcomes.append(outcome(name, ending))
    told = [one if one.ending is Ending.ERROR else outcome(one.item, Ending.FAILED)
            for one in outcomes]  # fmt: skip
    first, second = next_item(plan(), seed, outcomes), next_item(plan(), seed, told)
    assert first == second or None in (first, second)


def test_an_item_comes_once_and_families_come_to_their_minimum_first() -> None:
    outcomes = finished(lambda number, _: Ending.SOLVED if number % 2 else Ending.FAILED)
    names = [one.item for one in outcomes]
    assert len(set(names)) == len(names)
    first = [plan().by_name[name].family for name in names[:5]]
    assert sorted(first) == ["heap", "heap", "heap", "parser", "parser"]


def test_submissions_get_different_orders() -> None:
    orders = {tuple(one.item for one in finished(lambda *_: Ending.SOLVED, slot)[:8])
              for slot in range(5)}  # fmt: skip
    assert len(orders) == 5


def test_an_interrupted_item_is_run_again_and_then_set_aside() -> None:
    seed = SEEDS.seed(0)
    name = next_item(plan(), seed, [])
    assert name is not None
    once = [outcome(name, Ending.ERROR)]
    assert next_item(plan(), seed, once) == name
    assert decide(plan(), once).path == ()
    twice = [*once, outcome(name, Ending.ERROR)]
    assert next_item(plan(), seed, twice) != name
    assert decide(plan(), twice).set_aside == (name,)


def test_too_many_errors_end_without_a_verdict() -> None:
    outcomes = finished(lambda *_: Ending.ERROR)
    found = decide(plan(), outcomes)
    assert (found.verdict, found.reason) == (Verdict.INDETERMINATE, Reason.TOO_MANY_ERRORS)
    assert found.endings[Ending.ERROR] == found.read == 6


@pytest.mark.parametrize("ending", sorted(WITHHELD))
def test_what_was_withheld_marks_not_covered_as_a_lower_bound(ending: Ending) -> None:
    found = decide(plan(), finished(lambda *_: ending))
    assert found.verdict is Verdict.NOT_COVERED
    assert found.is_lower_bound
    assert found.endings[ending] == found.read
    assert found.if_withheld_solved > 0
    assert not decide(plan(), finished(lambda *_: Ending.FAILED)).is_lower_bound


def test_a_test_that_ends_between_the_bounds_says_what_would_decide_it() -> None:
    # Always the outcome that brings the evidence back: it never leaves the middle.
    def back(number: int, name: str) -> Ending:
        del name
        return Ending.SOLVED if number % 2 else Ending.FAILED

    found: Decision = decide(plan(), finished(back))
    assert (found.verdict, found.reason) == (Verdict.INDETERMINATE, Reason.LAST_ITEM)
    assert found.missing is not None
    assert found.missing.to_covered == plan().covered - found.evidence
    assert found.missing.to_not_covered == found.evidence - plan().not_covered
    assert found.missing.solutions > 0
    assert found.missing.failures > 0


def test_nothing_decided_yet_says_which_minimum_is_missing() -> None:
    found = decide(plan(), [])
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, Reason.MINIMA)
    assert found.missing is not None
    assert found.missing.items == plan().terms.least


def test_a_discount_shrinks_every_weight_towards_zero() -> None:
    for full, less in zip(plan().items, plan(700).items, strict=True):
        assert weight(plan(700), less, Ending.SOLVED) == full.solved * 700 // 1000
        assert 0 >= weight(plan(700), less, Ending.FAILED) >= full.failed


@given(TESTS)
def test_progress_stops_where_the_decision_does(pairs: list[tuple[str, Ending]]) -> None:
    progress = Progress.at_start(plan())
    for one in _outcomes(pairs):
        progress.take(one)
        if progress.stopped:
            break
    found = decide(plan(), _outcomes(pairs))
    assert (progress.read, tuple(progress.path)) == (found.read, found.path)
    stopped = None if found.verdict is Verdict.UNDECIDED else (found.verdict, found.reason)
    assert progress.stopped == stopped
