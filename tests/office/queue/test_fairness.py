"""Whose turn it is: no lane waits for another's length."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.office.queue import actions
from clearhouse.office.queue.actions import Request
from clearhouse.office.queue.models import Clock, Job, Lane
from clearhouse.office.queue.turns import turn

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def fill(lane: str, count: int, prefix: str = "") -> None:
    requests = (Request("x", {}, lane, f"{lane}-{prefix}{n}") for n in range(count))
    actions.enqueue_many(requests, now=NOW)


def served(count: int) -> list[str]:
    """The lanes of the next jobs; each is finished before the next is taken."""
    lanes = []
    for _ in range(count):
        claimed = actions.claim("w", NOW, lease=LEASE)
        assert claimed is not None
        actions.finish(claimed, NOW)
        lanes.append(claimed.key.partition("-")[0])
    return lanes


@pytest.mark.django_db
def test_a_flood_of_ten_thousand_delays_anothers_single_job_by_no_job() -> None:
    fill("flood", 10_000)
    served(25)
    fill("single", 1)
    assert served(1) == ["single"]


@pytest.mark.django_db
def test_a_lane_that_was_idle_does_not_make_up_for_it() -> None:
    fill("idle", 1)
    fill("busy", 300)
    served(200)
    fill("idle", 100, "again")
    got = Counter(served(40))
    assert abs(got["idle"] - got["busy"]) <= 2


@pytest.mark.django_db
def test_a_lane_held_back_by_its_pace_does_not_make_up_for_it() -> None:
    actions.set_lane("slow", most_running=0)
    fill("slow", 100)
    fill("busy", 100)
    served(50)
    actions.set_lane("slow", most_running=10)
    got = Counter(served(40))
    assert abs(got["slow"] - got["busy"]) <= 2


@pytest.mark.django_db
@given(
    weights=st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=2, max_size=4),
    turns=st.integers(4, 30),
)
@settings(max_examples=20)
def test_lanes_that_always_have_work_share_turns_by_weight(
    weights: list[float], turns: int
) -> None:
    Job.objects.all().delete()
    Lane.objects.all().delete()
    Clock.objects.all().delete()
    for number, weight in enumerate(weights):
        actions.set_lane(f"l{number}", weight=weight)
        fill(f"l{number}", turns)
    got = Counter(served(turns))
    for one, weight in enumerate(weights):
        for other, its in enumerate(weights):
            # Goyal 1996, theorem 1: |W1/w1 - W2/w2| <= 1/w1 + 1/w2 over any such time.
            apart = abs(got[f"l{one}"] / weight - got[f"l{other}"] / its)
            assert apart <= 1 / weight + 1 / its + 1e-9


@given(passed=st.floats(0, 1e9), clock=st.floats(0, 1e9), weight=st.floats(0.01, 100))
def test_a_turn_never_starts_behind_the_clock_and_always_moves_on(
    passed: float, clock: float, weight: float
) -> None:
    start, after = turn(passed, clock, weight)
    assert start >= clock
    assert start >= passed
    assert after > start


@pytest.mark.django_db
@given(arrivals=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 12)), max_size=12))
@settings(max_examples=25)
def test_however_others_come_and_go_a_waiting_lane_is_next_after_one_job_of_each(
    arrivals: list[tuple[str, int]],
) -> None:
    Job.objects.all().delete()
    Lane.objects.all().delete()
    Clock.objects.all().delete()
    for number, (lane, count) in enumerate(arrivals):
        fill(lane, count, f"{number}.")
        served(min(2, Job.objects.filter(state="waiting").count()))
    fill("own", 1)
    others = set(
        Job.objects.filter(state="waiting").exclude(lane__name="own").values_list("lane__name")
    )
    order = served(Job.objects.filter(state="waiting").count())
    before = Counter(order[: order.index("own")])
    assert len(before) <= len(others)
    assert all(count <= 1 for count in before.values())
