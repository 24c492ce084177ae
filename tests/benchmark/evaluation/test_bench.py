"""A judge's workshops are used again, whichever thread judges."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("inspect_ai")

from clearhouse.benchmark.evaluation.judging import Bench
from clearhouse.proof.runners.choose import Workshop

pytestmark = pytest.mark.slow  # it imports Inspect


def test_threads_that_come_and_go_leave_no_workshop_behind() -> None:
    seen: list[Workshop] = []

    def judge() -> None:
        with bench.workshop() as workshop:
            seen.append(workshop)

    with Bench() as bench:
        for _ in range(5):
            thread = threading.Thread(target=judge)
            thread.start()
            thread.join()
        with bench.workshop() as one, bench.workshop() as other:
            assert one is not other
    assert len({id(workshop) for workshop in seen}) == 1
