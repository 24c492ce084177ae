"""Score against budget: steps that rise to the share solved, and no curve of nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.report.curves import HEIGHT, curves_of
from clearhouse.benchmark.run_record import Attempt
from tests.benchmark.test_run_record import ATTEMPTS


@given(st.lists(ATTEMPTS, max_size=12))
def test_a_curve_rises_from_nothing_to_the_share_solved(attempts: list[Attempt]) -> None:
    judged = [one for one in attempts if one.ending is not Ending.ERROR]
    solved = sum(one.ending is Ending.SOLVED for one in judged)
    for curve in curves_of(attempts):
        assert curve.says.startswith(f"{solved} of {len(judged)} solved")
        ends = [(one.x1, one.y1) for one in curve.lines] + [(100.0, curve.lines[-1].y2)]
        assert [(one.x2, one.y2) for one in curve.lines] == ends[1:]
        assert [x for x, _ in ends] == sorted(x for x, _ in ends)
        assert [y for _, y in ends] == sorted((y for _, y in ends), reverse=True)
        assert all(0 <= x <= 100 and 0 <= y <= HEIGHT for x, y in ends)
        places = [x for x, _ in curve.ticks]
        assert places[0] == 0
        assert places[-1] == 100
        assert len(places) <= 6


@given(st.lists(ATTEMPTS, max_size=6))
def test_what_nobody_used_has_no_curve(attempts: list[Attempt]) -> None:
    unused = [replace(one, tokens=0, usd_micro=None, wall_ms=5) for one in attempts]
    assert {one.name for one in curves_of(unused)} <= {"time"}
    errors = [replace(one, ending=Ending.ERROR) for one in attempts]
    assert curves_of(errors) == ()
