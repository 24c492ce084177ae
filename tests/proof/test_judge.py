"""The judgement, on runs made by hand: what each grade takes, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.attribution import Counterfactual
from clearhouse.proof.effects import Effect, Expectation
from clearhouse.proof.judge import Case, Grade, HitRate, judge
from clearhouse.proof.observation import Outcome, Run
from tests.proof.seen import MIB, call, event, harness, library, raising, run, sample, target

CONTROL = run("control:ok")


def case(**changes: Any) -> Case:
    plain: dict[str, Any] = {
        "effect": Effect.EXCEPTION,
        "expect": Expectation(exception="RecursionError"),
        "package": "pkg:pypi/pkg",
        "harness_text": "pkg.parse(data)",
        "pocs": [raising(), raising(), raising()],
        "controls": [CONTROL],
        "fixed_version": "2.0",
        "fixed_pocs": [run(version="2.0")],
        "fixed_controls": [run("control:ok", "2.0")],
    }
    return Case(**(plain | changes))


def test_a_poc_that_shows_on_the_named_version_only_is_differential() -> None:
    judgement = judge(case())
    assert judgement.grade is Grade.DIFFERENTIAL
    assert judgement.signature is not None
    assert judgement.frames[0].name == "parse"


def test_without_a_fixed_version_attributed_is_the_most() -> None:
    assert judge(case(fixed_version=None)).grade is Grade.ATTRIBUTED


def test_a_poc_that_never_shows_the_effect_is_a_claim() -> None:
    judgement = judge(case(pocs=[run(), run(), run()]))
    assert judgement.grade is Grade.CLAIMED
    assert judgement.hit_rate == HitRate(0, 3)


def test_a_poc_that_shows_it_sometimes_keeps_its_hit_rate() -> None:
    judgement = judge(case(pocs=[raising(), run(), raising()]))
    assert judgement.grade is Grade.CLAIMED
    assert "2 of 3" in judgement.reason
    assert judgement.hit_rate == HitRate(2, 3)


def test_a_control_that_shows_the_effect_makes_it_a_claim() -> None:
    judgement = judge(case(controls=[raising(name="control:ok")]))
    assert judgement.grade is Grade.CLAIMED
    assert "control:ok" in judgement.reason


def test_no_control_at_all_is_no_comparison() -> None:
    assert judge(case(controls=[])).grade is Grade.CLAIMED


def test_another_exception_than_the_stated_one_is_not_the_effect() -> None:
    assert judge(case(pocs=[raising("ValueError")])).grade is Grade.CLAIMED


def test_an_exception_that_the_harness_raises_is_not_the_effect() -> None:
    assert judge(case(pocs=[raising(by_harness=True)])).grade is Grade.CLAIMED


def test_an_exception_that_arises_in_the_harness_is_reproduced_at_most() -> None:
    own = raising(stack=(harness(9),))
    judgement = judge(case(pocs=[own]))
    assert judgement.grade is Grade.REPRODUCED
    assert "line 9" in judgement.reason


def test_the_effect_on_the_fixed_version_bars_differential() -> None:
    judgement = judge(case(fixed_pocs=[raising(version="2.0")]))
    assert judgement.grade is Grade.ATTRIBUTED
    assert "as well" in judgement.reason


def test_a_fixed_version_that_does_not_run_proves_nothing() -> None:
    broken = run(version="2.0", outcome=Outcome.NOT_LOADED, why="no module pkg")
    judgement = judge(case(fixed_pocs=[broken]))
    assert judgement.grade is Grade.ATTRIBUTED
    assert "no module pkg" in judgement.reason


def test_a_harness_that_skips_the_call_on_the_fixed_version_proves_nothing() -> None:
    judgement = judge(case(pocs=[raising()], fixed_pocs=[run(version="2.0", calls=())]))
    assert judgement.grade is Grade.ATTRIBUTED
    assert "does not call" in judgement.reason


def test_a_control_that_returns_something_else_on_the_fixed_version_bars_differential() -> None:
    before = run("control:ok", calls=(call(returned="a"),))
    after = run("control:ok", "2.0", calls=(call(returned="b"),))
    judgement = judge(case(controls=[before], fixed_controls=[after]))
    assert judgement.grade is Grade.ATTRIBUTED
    assert "another value" in judgement.reason


def test_objects_of_renamed_classes_are_no_other_behaviour() -> None:
    before = run("control:ok", calls=(call(returned="<pkg.Old>"),))
    after = run("control:ok", "2.0", calls=(call(returned="<pkg.New>"),))
    assert judge(case(controls=[before], fixed_controls=[after])).grade is Grade.DIFFERENTIAL


def test_a_poc_killed_by_a_limit_on_the_fixed_version_is_not_gone() -> None:
    killed = run(version="2.0", outcome=Outcome.KILLED, why="stopped at its limit of cpu")
    assert judge(case(fixed_pocs=[killed])).grade is Grade.ATTRIBUTED


def hang(cpu_s: float, name: str = "poc", **changes: Any) -> Run:
    return run(name, cpu_s=cpu_s, samples=(sample(), sample(), sample()), **changes)


def test_a_hang_is_measured_in_processor_time() -> None:
    judgement = judge(case(effect=Effect.HANG, expect=Expectation(cpu_seconds=1), pocs=[hang(1.1)]))
    assert judgement.grade is Grade.DIFFERENTIAL


def test_a_control_over_a_tenth_of_the_limit_is_no_control() -> None:
    slow = run("control:ok", cpu_s=0.11)
    judgement = judge(
        case(
            effect=Effect.HANG, expect=Expectation(cpu_seconds=1), pocs=[hang(1.1)], controls=[slow]
        )
    )
    assert judgement.grade is Grade.CLAIMED
    assert "a tenth" in judgement.reason


def test_time_spent_in_the_harness_is_not_the_targets() -> None:
    own = run(cpu_s=2.0, samples=(sample((harness(),)), sample((harness(),)), sample()))
    judgement = judge(case(effect=Effect.HANG, expect=Expectation(cpu_seconds=1), pocs=[own]))
    assert judgement.grade is Grade.REPRODUCED


def test_memory_counts_from_the_call_on() -> None:
    grown = run(growth_bytes=300 * MIB, samples=(sample(), sample()))
    judgement = judge(case(effect=Effect.MEMORY, expect=Expectation(rss_mb=256), pocs=[grown]))
    assert judgement.grade is Grade.DIFFERENTIAL
    assert judgement.observed["rss_mb"] == 300


@pytest.mark.parametrize(
    ("effect", "kind", "details"),
    [
        (Effect.WRITE_OUTSIDE, "write-outside", {"path": "/tmp/escaped", "how": "open"}),
        (Effect.READ_OUTSIDE, "read-outside", {"path": "/canary/token"}),
        (Effect.EXECUTE, "execute", {"program": "/bin/true", "arguments": ["true"]}),
        (Effect.CONNECT, "connect", {"address": "192.0.2.1:80"}),
    ],
)
def test_what_the_kernel_reports_counts_where_the_target_does_it(
    effect: Effect, kind: str, details: dict[str, Any]
) -> None:
    shown = run(events=(event(kind, **details),))
    assert judge(case(effect=effect, pocs=[shown])).grade is Grade.DIFFERENTIAL
    own = run(events=(event(kind, (library(), harness()), **details),))
    assert judge(case(effect=effect, pocs=[own])).grade is Grade.REPRODUCED


def test_a_path_spelled_out_in_the_harness_is_the_harnesss_doing() -> None:
    shown = run(events=(event("write-outside", path="/tmp/escaped", how="open"),))
    judgement = judge(
        case(effect=Effect.WRITE_OUTSIDE, pocs=[shown], harness_text="pkg.save('/tmp/escaped')")
    )
    assert judgement.grade is Grade.REPRODUCED
    assert "stands in the harness" in judgement.reason


def test_temporary_files_of_libraries_are_not_outside_writes() -> None:
    shown = run(events=(event("write-outside", path="/tmp/tmpab12cd_9", how="open"),))
    assert judge(case(effect=Effect.WRITE_OUTSIDE, pocs=[shown])).grade is Grade.CLAIMED


def broken(**changes: Any) -> Run:
    return raising("SecurityGuaranteeBroken", (harness(),), by_harness=True, **changes)


def test_a_broken_guarantee_counts_when_the_targets_answer_decides() -> None:
    tried = Counterfactual(real=broken(), answered_as_control=run())
    judgement = judge(case(effect=Effect.BYPASS, pocs=[broken()], counterfactual=tried))
    assert judgement.grade is Grade.DIFFERENTIAL


def test_a_complaint_that_the_answer_does_not_change_is_the_harnesss_own() -> None:
    tried = Counterfactual(real=broken(), answered_as_control=broken())
    judgement = judge(case(effect=Effect.BYPASS, pocs=[broken()], counterfactual=tried))
    assert judgement.grade is Grade.REPRODUCED


def test_a_complaint_on_the_first_run_only_is_the_harnesss_own() -> None:
    tried = Counterfactual(real=run(), answered_as_control=run())
    judgement = judge(case(effect=Effect.BYPASS, pocs=[broken()], counterfactual=tried))
    assert judgement.grade is Grade.REPRODUCED


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_stays_within_zero_and_one(counts: tuple[int, int]) -> None:
    hits, runs = counts
    low, high = HitRate(hits, runs).interval
    assert 0.0 <= low <= high <= 1.0
    assert low - 1e-9 <= hits / runs <= high + 1e-9


def test_the_interval_is_wilsons() -> None:
    low, high = HitRate(3, 3).interval
    assert (round(low, 3), round(high, 3)) == (0.439, 1.0)  # 3 / (3 + 1.96 ** 2)


@given(st.permutations([0, 1, 2]))
def test_the_order_of_runs_does_not_change_the_grade(order: list[int]) -> None:
    runs = [raising(), run(), raising()]
    judgement = judge(case(pocs=[runs[i] for i in order]))
    assert (judgement.grade, judgement.hit_rate) == (Grade.CLAIMED, HitRate(2, 3))


def test_a_second_statement_in_the_same_function_is_another_flaw() -> None:
    one = judge(case(pocs=[raising(stack=(target(code="x = a[0]"), harness()))]))
    two = judge(case(pocs=[raising(stack=(target(code="y = b[1]"), harness()))]))
    moved = judge(
        case(pocs=[raising(stack=(target(code="x = a[0]", line=99), target("loads"), harness()))])
    )
    assert one.signature != two.signature
    assert one.signature == moved.signature
