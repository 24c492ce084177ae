"""When one run of the poc on the fixed version is enough: nothing was left to chance before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clearhouse.proof.observation import Outcome
from clearhouse.proof.prove import all_alike
from tests.proof.seen import call, run

DIFFERENT: dict[str, dict[str, Any]] = {
    "another outcome": {"outcome": Outcome.EXITED},
    "another way through the harness": {"marks": frozenset({0})},
    "another function": {"calls": (call("pkg.core.load"),)},
    "another kind of argument": {"calls": (call(types=("bytes",)),)},
    "other arguments": {"calls": (replace(call(), given=("another digest",)),)},
    "more calls": {"number": 7},
    "another exception of the target": {"came_out": frozenset({(5, "pkg.core.parse", "KeyError")})},
}


def test_runs_that_only_took_longer_are_alike() -> None:
    assert all_alike([run(), run(cpu_s=0.2, rss_bytes=1 << 24), run()])


def test_each_input_is_held_against_its_own_runs() -> None:
    other = [run("poc:b", number=3), run("poc:b", number=3)]
    assert all_alike([run("poc:a"), run("poc:a"), *other])


@pytest.mark.parametrize("changes", DIFFERENT.values(), ids=DIFFERENT)
def test_one_run_that_went_another_way_makes_them_unlike(changes: dict[str, Any]) -> None:
    assert not all_alike([run(), run(**changes), run()])
