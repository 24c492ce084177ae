"""How a release stands: what recorded runs amount to, and what they must not be taken for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clearhouse.proof.attribution import Counterfactual
from clearhouse.proof.effects import Effect, Expectation
from clearhouse.proof.observation import Outcome, Raised, Run
from clearhouse.proof.search import Standing
from clearhouse.proof.standing import Finding, Reference, Status, Trial, stand
from tests.proof.seen import MIB, call, event, harness, raising, run, sample, target

CONTROL = run("control:c")


def reference(
    effect: Effect = Effect.EXCEPTION, poc: Run | None = None, **expect: Any
) -> Reference:
    shown = poc or raising("RecursionError", escape=None)
    return Reference(
        effect=effect,
        expect=Expectation(**expect),
        harness_text="",
        version="1.0",
        pocs=(shown, shown, shown),
        controls=(CONTROL,),
    )


def stands(poc: Run, *, against: Reference | None = None, control: Run = CONTROL) -> Finding:
    return stand(against or reference(), Trial((poc, poc), (control,)))


def test_the_effect_in_every_run_is_affected() -> None:
    found = stands(raising("RecursionError"))
    assert (found.status, found.hits) == (Status.AFFECTED, 2)
    assert found.why == "exception RecursionError in parse (pkg/core.py:10)"


def test_no_effect_in_any_run_is_clean() -> None:
    found = stands(run())
    assert (found.status, found.hits, found.passing) == (Status.CLEAN, 0, False)


def test_another_exception_of_the_target_is_a_refusal() -> None:
    found = stands(raising("ValueError"))
    assert found.status is Status.REFUSED
    assert found.why == "the target rejects poc: ValueError: too deep"


def test_a_subclass_of_the_pinned_exception_is_the_effect() -> None:
    poc = raising("DeeperError")
    assert poc.raised is not None
    deeper = replace(poc.raised, names=("DeeperError", "RecursionError", "Exception"))
    assert stands(replace(poc, raised=deeper)).status is Status.AFFECTED


def test_the_effect_in_some_runs_only_is_inconclusive_and_not_kept() -> None:
    found = stand(reference(), Trial((raising(), run(), raising()), (CONTROL,)))
    assert (found.status, found.hits, found.passing) == (Status.INCONCLUSIVE, 2, True)
    assert "2 of 3" in found.why


def test_one_of_several_pocs_is_enough() -> None:
    shown = raising("RecursionError", name="poc:b")
    other = run("poc:a")
    against = replace(reference(), pocs=(other, shown))
    found = stand(against, Trial((other, other, shown, shown), (CONTROL,)))
    assert (found.status, found.hits) == (Status.AFFECTED, 2)


def test_one_poc_that_varies_does_not_hide_another_that_does_not() -> None:
    shown, other = raising(name="poc:b"), run("poc:a")
    trial = Trial((raising(name="poc:a"), other, shown, shown), (CONTROL,))
    assert stand(replace(reference(), pocs=(other, shown)), trial).status is Status.AFFECTED


def test_an_effect_that_the_harness_causes_is_not_the_targets() -> None:
    found = stands(raising("RecursionError", (harness(),)))
    assert found.status is Status.INCONCLUSIVE
    assert "not by the target's doing" in found.why


def test_a_harness_that_breaks_the_contract_shows_nothing() -> None:
    found = stands(raising("RecursionError", contract=("line 3: imports ctypes",)))
    assert (found.status, found.hits) == (Status.INCONCLUSIVE, 2)


@pytest.mark.parametrize("outcome", [Outcome.NOT_LOADED, Outcome.BROKEN])
def test_what_is_not_loaded_is_never_clean(outcome: Outcome) -> None:
    idle = run("control:c", outcome=outcome, why="ImportError: no", calls=())
    found = stand(reference(), Trial((), (idle,)))
    expected = Status.UNRUNNABLE if outcome is Outcome.NOT_LOADED else Status.INCONCLUSIVE
    assert found.status is expected
    assert found.passing is (outcome is Outcome.BROKEN)


def test_loaded_at_times_is_inconclusive() -> None:
    idle = run(outcome=Outcome.NOT_LOADED, why="x", calls=())
    found = stand(reference(), Trial((run(), idle), (CONTROL,)))
    assert (found.status, found.passing) == (Status.INCONCLUSIVE, True)


def test_nothing_run_is_not_clean() -> None:
    assert stand(reference(), Trial((), (CONTROL,))).status is Status.INCONCLUSIVE
    assert stand(reference(), Trial((run(), run()), ())).status is Status.INCONCLUSIVE


CONTROLS: dict[str, Run] = {
    "it shows the effect": raising("RecursionError", name="control:c"),
    "it raises": raising("ValueError", name="control:c"),
    "it is killed": run("control:c", outcome=Outcome.KILLED, why="stopped at its limit of cpu"),
    "it crashes": run("control:c", outcome=Outcome.SIGNAL, why="ended by SIGSEGV"),
    "it gets no answer": run("control:c", calls=(replace(call(), returned=()),)),
    "it calls nothing": run("control:c", calls=()),
    "it is another control": run("control:other"),
    "its answer is the opposite": run("control:c", calls=(call(returned=False),)),
    "its result is the opposite": run("control:c", value=[False, True]),
}


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_a_control_that_is_none_leaves_all_open(control: Run) -> None:
    before = run("control:c", value=[True, True], calls=(call(returned=True),))
    against = replace(reference(), controls=(before,))
    assert stands(run(), against=against, control=before).status is Status.CLEAN
    for poc in (run(), raising("RecursionError")):
        assert stands(poc, against=against, control=control).status is Status.INCONCLUSIVE


def test_a_control_may_raise_what_it_always_raised() -> None:
    refusing = raising("ValueError", name="control:c")
    against = replace(reference(), controls=(refusing,))
    assert stands(run(), against=against, control=refusing).status is Status.CLEAN
    other = raising("KeyError", name="control:c")
    assert stands(run(), against=against, control=other).status is Status.INCONCLUSIVE


def test_texts_and_objects_that_a_control_gets_may_change_with_time() -> None:
    old = run("control:c", value="<p>a</p>", calls=(call(returned="<pkg.Old>"),))
    new = run("control:c", value="<P>a</P>", calls=(call(returned="<pkg.New>"),))
    against = replace(reference(), controls=(old,))
    found = stands(run(), against=against, control=new)
    assert found.status is Status.CLEAN
    assert found.why.endswith("; control:c has another result than on 1.0")
    moved = replace(old, calls=(call(returned="<elsewhere.Old>"),))
    assert stands(run(), against=against, control=moved).why == "ran through without the effect"


UNFINISHED: dict[str, Run] = {
    "cut short": run(outcome=Outcome.KILLED, why="stopped at its limit of wall"),
    "crashed": run(outcome=Outcome.SIGNAL, why="ended by SIGSEGV"),
    "ended itself": run(outcome=Outcome.EXITED, why="exit code 3"),
    "given up by the harness": raising("ValueError", by_harness=True),
    "a broken guarantee": raising("SecurityGuaranteeBroken"),
    "failed in the harness": raising("AttributeError", (harness(),)),
    "did not call the target": run(calls=()),
    "called something else": run(calls=(call("pkg.core.other", line=9),)),
}


@pytest.mark.parametrize("poc", UNFINISHED.values(), ids=UNFINISHED)
def test_a_poc_that_does_not_run_through_is_not_clean(poc: Run) -> None:
    assert stands(poc).status is Status.INCONCLUSIVE


MISFITS = [
    ("ModuleNotFoundError", "No module named 'collections.abc.Mapping'"),
    ("AttributeError", "module 'inspect' has no attribute 'getargspec'"),
    ("NameError", "name 'basestring' is not defined"),
    ("SyntaxError", "multiple exception types must be parenthesized (late.py, line 3)"),
    ("ReferenceError", "primordials is not defined"),
    ("TypeError", "util.isArray is not a function"),
    ("Error", "Cannot find module 'lodash'\nRequire stack:"),
]


@pytest.mark.parametrize(("kind", "text"), MISFITS)
def test_a_release_that_does_not_fit_this_runtime_has_refused_nothing(kind: str, text: str) -> None:
    raised = Raised(kind, (kind,), text, (target(), harness()), by_harness=False, guarantee=False)
    poc = run(outcome=Outcome.EXCEPTION, why=f"{kind}: {text}", raised=raised)
    found = stands(poc)
    assert found.status is Status.INCONCLUSIVE
    assert found.why.startswith("it does not work here")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AttributeError", "'Node' object has no attribute 'x'"),
        ("TypeError", "no good"),
        ("SyntaxError", "Invalid header: a; b"),
    ],
)
def test_other_errors_of_those_classes_are_refusals(kind: str, text: str) -> None:
    raised = Raised(kind, (kind,), text, (target(), harness()), by_harness=False, guarantee=False)
    poc = run(outcome=Outcome.EXCEPTION, why=f"{kind}: {text}", raised=raised)
    assert stands(poc).status is Status.REFUSED


def test_a_result_that_says_something_stands_for_a_call_that_cannot_be_told() -> None:
    # A compiled function without the name of its module: cryptography from 43.0 on.
    answered = run("control:c", value=[4711], calls=(call(returned="<Certificate>"),))
    against = replace(reference(poc=raising(value=[4711])), controls=(answered,))
    hidden = replace(answered, calls=())
    assert stands(run(calls=()), against=against, control=hidden).status is Status.CLEAN
    for value in ([4712], None):
        other = replace(hidden, value=value)
        assert stands(run(calls=()), against=against, control=other).status is Status.INCONCLUSIVE
    silent = replace(against, controls=(replace(answered, value=None),))
    nothing = replace(hidden, value=None)
    assert stands(run(), against=silent, control=nothing).status is Status.INCONCLUSIVE


def test_runs_that_end_in_different_ways_are_inconclusive() -> None:
    found = stand(reference(), Trial((run(), raising("ValueError")), (CONTROL,)))
    assert (found.status, found.passing) == (Status.INCONCLUSIVE, True)


HANG = run(
    cpu_s=0.6, outcome=Outcome.KILLED, why="stopped at its limit of cpu", samples=(sample(),)
)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0.6, Status.AFFECTED), (0.39, Status.INCONCLUSIVE), (0.19, Status.CLEAN)],
)
def test_near_the_limit_is_neither(seconds: float, status: Status) -> None:
    against = reference(Effect.HANG, HANG, cpu_seconds=0.4)
    ended = HANG if seconds > 0.4 else run(cpu_s=seconds)
    assert stands(ended, against=against).status is status


@pytest.mark.parametrize(
    ("grown", "status"),
    [(300, Status.AFFECTED), (250, Status.INCONCLUSIVE), (20, Status.CLEAN)],
)
def test_near_the_memory_limit_is_neither(grown: int, status: Status) -> None:
    poc = run(growth_bytes=grown * MIB, samples=(sample(),))
    against = reference(Effect.MEMORY, poc, rss_mb=256)
    assert stands(poc, against=against).status is status


def test_a_write_outside_is_told_with_its_path() -> None:
    poc = run(events=(event("write-outside", path="/tmp/x/settings.txt"),))
    against = reference(Effect.WRITE_OUTSIDE, poc)
    found = stands(poc, against=against)
    assert found.status is Status.AFFECTED
    assert found.why.startswith("write-outside /tmp/x/settings.txt in parse")


def test_a_broken_guarantee_needs_the_counterfactual() -> None:
    broken = raising("SecurityGuaranteeBroken")
    against = reference(Effect.BYPASS, broken)
    trial = Trial((broken, broken), (CONTROL,))
    assert stand(against, trial).status is Status.INCONCLUSIVE
    shown = replace(trial, counterfactual=Counterfactual(broken, run()))
    assert stand(against, shown).status is Status.AFFECTED


def test_undecided_is_never_unaffected() -> None:
    standing = {status: status.standing for status in Status}
    assert standing == {
        Status.AFFECTED: Standing.AFFECTED,
        Status.CLEAN: Standing.UNAFFECTED,
        Status.REFUSED: Standing.UNAFFECTED,
        Status.UNRUNNABLE: Standing.UNDECIDED,
        Status.INCONCLUSIVE: Standing.UNDECIDED,
    }
