"""A committed plan, and assessments by it at each point of their way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from clearhouse.benchmark.evidence import Attempts, Evidence, make_evidence
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.actions.measuring import Report
from clearhouse.office.assessments.actions.plans import commit_plan
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.office.viewer import Viewer
from tests.benchmark import banks
from tests.office.reviews.made import Cast, at, opened

Ends = Callable[[int, str], Ending]


def strong(number: int, _: str) -> Ending:
    """A system that mostly solves, with one error and one refusal."""
    return {2: Ending.ERROR, 5: Ending.REFUSED}.get(number, Ending.SOLVED)


def weak(_number: int, _item: str) -> Ending:
    """A system that solves nothing."""
    return Ending.FAILED


_BEFORE: Final = at(-5)


def committed(office: Viewer, *, now: datetime = _BEFORE) -> CommittedPlan:
    """The plan of the benchmark's own tests."""
    return commit_plan(office, bytes(banks.plan()), bytes(banks.bank()), now=now)


def begun(who: Cast, review: str = "", *, by: Viewer | None = None) -> Assessment:
    """An assessment in its first second, of a review whose window runs."""
    plan = committed(who.office)
    review = review or opened(who)
    return measuring.begin(by or who.office, review, plan.name, "Halcyon-9, default", now=at(1))


def outcomes(slot: int = 0, ends: Ends = strong) -> tuple[Outcome, ...]:
    """A test run to its end."""
    return banks.finished(ends, slot)


def reports(some: tuple[Outcome, ...], *, first: int = 1) -> list[Report]:
    """The same as they are reported."""
    return [
        Report(number, one, tokens=100, micros=2_000, seconds=3)
        for number, one in enumerate(some, first)
    ]


def evidence(name: str, slot: int = 0, ends: Ends = strong) -> Evidence:
    """What shows it."""
    found = outcomes(slot, ends)
    attempts = Attempts(name, banks.SEEDS.opening(slot), found)
    return make_evidence(banks.plan(), banks.bank(), attempts, banks.verdicts_of(found))


def assessed(who: Cast, review: str = "", *, ends: Ends = strong) -> Assessment:
    """One whose evidence was handed in."""
    found = begun(who, review)
    some = outcomes(found.slot, ends)
    measuring.report_attempts(who.office, found.name, reports(some), now=at(2))
    raw = evidence(found.name, found.slot, ends).as_zip()
    return measuring.hand_in(who.office, found.name, raw, now=at(3))


def determined(who: Cast, review: str = "") -> Assessment:
    """One that was answered and determined."""
    found = assessed(who, review)
    deciding.reply(who.developer, found.name, "It was asked without tools.", now=at(4))
    return deciding.determine(who.office, found.name, now=at(4))
