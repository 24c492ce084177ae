"""What is remembered of runs, and for which circumstances only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.entries import Ran
from clearhouse.proof.memory import Memory
from clearhouse.proof.standing import Finding, Status
from clearhouse.proof.target.store import Store

PACKAGES = (("pkg:pypi/demo@1.0", "sha256:1"), ("pkg:pypi/other@2.0", "sha256:2"))
RAN = Ran(Finding(Status.CLEAN, "ran through", 0), runs=2, executions=4, reason="sample")


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(Store(tmp_path), "sha256:b", {"runtime": "Python 3.11.2"}, PACKAGES[:1])


def test_what_was_kept_is_recalled(memory: Memory) -> None:
    assert memory.recall(PACKAGES, 2) is None
    memory.keep(PACKAGES, RAN)
    found = memory.recall(PACKAGES, 2)
    assert found == replace(RAN, reason="", remembered=True)


def test_fewer_runs_than_asked_for_are_not_enough(memory: Memory) -> None:
    memory.keep(PACKAGES, RAN)
    assert memory.recall(PACKAGES, 3) is None
    memory.keep(PACKAGES, replace(RAN, runs=3, executions=5))
    for runs in (1, 2, 3):
        found = memory.recall(PACKAGES, runs)
        assert found is not None
        assert found.runs == 3


def test_afresh_nothing_is_recalled_but_all_is_kept(memory: Memory) -> None:
    afresh = replace(memory, afresh=True)
    afresh.keep(PACKAGES, RAN)
    afresh.keep_verdict({"grade": "attributed"})
    assert (afresh.recall(PACKAGES, 2), afresh.recall_verdict()) == (None, None)
    assert memory.recall(PACKAGES, 2) is not None
    assert memory.recall_verdict() == {"grade": "attributed"}


def test_what_may_have_been_the_machines_doing_is_not_kept(memory: Memory) -> None:
    cut = Finding(Status.INCONCLUSIVE, "stopped at its limit of wall", passing=True)
    memory.keep(PACKAGES, replace(RAN, finding=cut))
    assert memory.recall(PACKAGES, 2) is None


CHANGES: dict[str, dict[str, Any]] = {
    "another bundle": {"bundle": "sha256:c"},
    "another interpreter": {"environment": {"runtime": "Python 3.12.1"}},
    "another version attacked": {"reference": PACKAGES[1:]},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_circumstances_have_nothing_to_remember(
    memory: Memory, change: Mapping[str, Any]
) -> None:
    memory.keep(PACKAGES, RAN)
    assert replace(memory, **change).recall(PACKAGES, 2) is None


def test_other_files_have_nothing_to_remember(memory: Memory) -> None:
    memory.keep(PACKAGES, RAN)
    changed = (PACKAGES[0], ("pkg:pypi/other@2.0", "sha256:3"))
    assert memory.recall(changed, 2) is None
    assert memory.recall(PACKAGES[:1], 2) is None


def test_a_damaged_record_is_none(memory: Memory, tmp_path: Path) -> None:
    memory.keep(PACKAGES, RAN)
    (record,) = memory.store.path("histories").iterdir()
    record.write_text('{"status": ')
    assert memory.recall(PACKAGES, 2) is None


def test_the_verdict_is_kept_apart_from_the_runs(memory: Memory) -> None:
    memory.keep(PACKAGES, RAN)
    assert memory.recall_verdict() is None
    memory.keep_verdict({"grade": "attributed"})
    assert memory.recall_verdict() == {"grade": "attributed"}
