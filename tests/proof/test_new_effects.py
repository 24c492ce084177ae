"""What a patched version does that the one before did not."""

from __future__ import annotations

import pytest

from clearhouse.proof.new_effects import new_effects
from clearhouse.proof.observation import Outcome, Run
from tests.proof.seen import harness, raising, run, target


def kinds(
    before: Run, after: Run, *, line: str = "return x", known: tuple[str, ...] = ()
) -> set[str]:
    found = new_effects(before, after, known_faults=known, line_of=lambda _: line)
    return {one.kind for one in found}


def test_the_same_twice_is_nothing_new() -> None:
    for one in (run(), raising("KeyError"), raising("SystemExit"), run(outcome=Outcome.EXITED)):
        assert kinds(one, one) == set()


def test_to_end_the_callers_program_is_an_effect() -> None:
    ended = run(outcome=Outcome.EXITED, why="the process ended itself with exit code 0")
    assert kinds(run(), ended) == {"exit"}
    assert kinds(raising("KeyError"), ended) == {"exit"}


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_what_no_caller_catches_ends_the_program_unless_the_harness_raises_it(kind: str) -> None:
    line = f"raise {kind}"
    assert kinds(run(), raising(kind), line=line) == {"exit"}
    assert kinds(run(), raising(kind, (harness(),), by_harness=True), line=line) == set()


@pytest.mark.parametrize("kind", ["KeyError", "IndexError", "AttributeError", "NameError"])
def test_a_fault_is_new_unless_it_is_raised_on_purpose_or_was_there(kind: str) -> None:
    assert kinds(run(), raising(kind)) == {"exception"}
    assert kinds(run(), raising(kind), line=f"raise {kind}(name)") == set()
    assert kinds(run(), raising(kind), known=(kind,)) == set()
    assert kinds(raising(kind), raising(kind)) == set()


def test_a_fault_exchanged_for_another_on_purpose_is_one_still() -> None:
    line = "raise KeyError(name)"
    assert kinds(raising("RecursionError"), raising("KeyError"), line=line) == {"exception"}
    # An error of the package's own, or the class that says "not such an argument", is an answer.
    assert kinds(raising("RecursionError"), raising("ParseError"), line=line) == set()
    refusal = raising("TypeError", (target(), harness()))
    assert kinds(raising("AttributeError"), refusal, line="raise TypeError('no name')") == set()
    assert kinds(raising("AttributeError"), refusal) == {"exception"}
