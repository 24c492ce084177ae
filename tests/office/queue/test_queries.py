"""Where jobs stand, as pages show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clearhouse.errors import NotFound
from clearhouse.office.queue import actions, queries
from clearhouse.office.queue.actions import Request
from clearhouse.office.queue.models import Job
from clearhouse.office.viewer import PUBLIC, SYSTEM

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
State = Job.State


def fill(lane: str, count: int) -> None:
    requests = (Request("x", {}, lane, f"{lane}-{n}") for n in range(count))
    actions.enqueue_many(requests, now=NOW)


def do(count: int, seconds: int = 0) -> list[str]:
    keys = []
    for _ in range(count):
        claimed = actions.claim("w", NOW, lease=LEASE)
        assert claimed is not None
        actions.finish(claimed, NOW + timedelta(seconds=seconds))
        keys.append(claimed.key)
    return keys


def test_a_jobs_status_follows_it() -> None:
    fill("acme", 1)
    assert queries.status_of("acme-0").state == State.WAITING
    claimed = actions.claim("w", NOW, lease=LEASE)
    assert claimed is not None
    actions.renew(claimed, NOW, lease=LEASE, progress="2 of 3")
    running = queries.status_of("acme-0")
    assert (running.state, running.progress, running.started_at) == (State.RUNNING, "2 of 3", NOW)
    assert not running.has_ended
    actions.fail(claimed, "not a bundle", NOW)
    failed = queries.status_of("acme-0")
    assert (failed.state, failed.reason, failed.has_ended) == (State.FAILED, "not a bundle", True)


def test_what_was_never_put_in_is_not_found() -> None:
    with pytest.raises(NotFound):
        queries.status_of("nothing")
    assert queries.statuses_of(["nothing"]) == {}


def test_the_whole_queue_is_shown_to_those_who_run_the_office_only() -> None:
    fill("acme", 3)
    fill("zeta", 5)
    do(2)
    assert queries.counts(SYSTEM) == {("x", State.WAITING): 6, ("x", State.DONE): 2}
    actions.claim("w", NOW, lease=LEASE)
    found = [(one.name, one.waiting, one.running) for one in queries.lanes(SYSTEM)]
    assert found == [("zeta", 4, 0), ("acme", 1, 1)]
    for query in (queries.counts, queries.lanes):
        with pytest.raises(NotFound):
            query(PUBLIC)


@pytest.mark.parametrize(
    ("own", "others", "served"), [(1, 0, 0), (5, 0, 0), (1, 300, 20), (20, 300, 7), (20, 4, 0)]
)
def test_the_estimate_of_the_jobs_before_one_is_off_by_no_more_than_two(
    own: int, others: int, served: int
) -> None:
    fill("other", others)
    do(served)
    fill("own", own)
    last = f"own-{own - 1}"
    estimate = queries.jobs_before(last)
    order = do(Job.objects.filter(state=State.WAITING).count())
    assert estimate is not None
    assert abs(estimate - order.index(last)) <= 2


def test_a_weightier_lane_is_estimated_to_be_served_sooner() -> None:
    actions.set_lane("urgent", weight=4)
    fill("other", 100)
    fill("urgent", 20)
    estimate = queries.jobs_before("urgent-19")
    order = do(120)
    assert estimate is not None
    assert abs(estimate - order.index("urgent-19")) <= 2
    assert order.index("urgent-19") < 27


def test_nothing_goes_before_a_job_that_does_not_wait() -> None:
    fill("acme", 1)
    do(1)
    assert queries.jobs_before("acme-0") is None
    assert queries.jobs_before("nothing") is None


def test_durations_are_those_of_the_last_jobs_of_the_kind() -> None:
    assert queries.durations("x") is None
    fill("acme", 60)
    do(10, seconds=100)
    do(30, seconds=2)
    do(20, seconds=4)
    found = queries.durations("x")
    assert found is not None
    # The ten slow ones ended last.
    assert (found.jobs, found.median, found.longest) == (50, 4.0, 100.0)
    assert queries.durations("y") is None
