"""One job at a time: put in, given out, ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.office.queue import actions
from clearhouse.office.queue.actions import Claimed, Request
from clearhouse.office.queue.models import Job

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
State = Job.State


def put(key: str, **more: Any) -> Job:
    given: dict[str, Any] = {"lane": "acme", "now": NOW, "kind": "test.none", "payload": {}, **more}
    kind, payload = given.pop("kind"), given.pop("payload")
    return actions.enqueue(kind, payload, key=key, **given)


def take(worker: str = "w", now: datetime = NOW, **more: Any) -> Claimed:
    claimed = actions.claim(worker, now, lease=LEASE, **more)
    assert claimed is not None
    return claimed


def state(key: str) -> State:
    return State(Job.objects.get(key=key).state)


def test_the_same_key_again_is_the_same_job_and_changes_nothing() -> None:
    first = put("a", payload={"n": 1})
    second = put("a", payload={"n": 2}, lane="other", priority=9)
    assert second.pk == first.pk
    assert second.payload == {"n": 1}
    assert Job.objects.count() == 1


def test_a_job_put_in_by_a_transaction_that_is_undone_was_never_there() -> None:
    with transaction.atomic():
        put("a")
        transaction.set_rollback(True)
    assert actions.claim("w", NOW, lease=LEASE) is None


def test_ten_thousand_jobs_are_put_in_within_seconds_and_known_keys_are_left_alone() -> None:
    put("k5", priority=3)
    began = time.monotonic()
    actions.enqueue_many((Request("x", {}, "acme", f"k{n}") for n in range(10_000)), now=NOW)
    assert time.monotonic() - began < 30  # 0.6 s where it was measured
    assert Job.objects.count() == 10_000
    assert Job.objects.get(key="k5").priority == 3


@pytest.mark.parametrize("name", ["kind", "lane", "key"])
@pytest.mark.parametrize("length", [0, 161])
def test_a_name_that_the_table_cannot_hold_is_refused(name: str, length: int) -> None:
    with pytest.raises(Invalid) as caught:
        put(**{"key": "a", name: "x" * length})
    assert caught.value.key == name


def test_within_a_lane_priority_goes_before_age() -> None:
    for key, priority in (("old", 0), ("urgent", 5), ("newer", 0), ("as urgent", 5)):
        put(key, priority=priority)
    assert [take().key for _ in range(4)] == ["urgent", "as urgent", "old", "newer"]


def test_only_the_kinds_asked_for_are_given_out() -> None:
    put("a", kind="other")
    assert actions.claim("w", NOW, ["test.none"], lease=LEASE) is None
    put("b")
    assert take(kinds=["test.none"]).key == "b"
    assert take(kinds=["other", "test.none"]).key == "a"


def test_a_delayed_job_waits_for_its_time() -> None:
    put("a", not_before=NOW + timedelta(hours=1))
    actions.reclaim(NOW + timedelta(minutes=59))
    assert state("a") == State.DELAYED
    assert actions.reclaim(NOW + timedelta(hours=1)) == 1
    assert state("a") == State.WAITING


def test_only_the_holder_can_finish_and_only_once() -> None:
    put("a")
    slow = take("slow")
    later = NOW + LEASE + timedelta(seconds=1)
    assert actions.reclaim(later) == 1
    quick = take("quick", later)
    assert (slow.fence, quick.fence, quick.attempt) == (1, 2, 2)
    with pytest.raises(Conflict):
        actions.finish(slow, later)
    with pytest.raises(Conflict):
        actions.renew(slow, later, lease=LEASE)
    actions.finish(quick, later)
    with pytest.raises(Conflict):
        actions.finish(quick, later)
    assert state("a") == State.DONE


def test_a_lease_that_ran_out_unnoticed_is_still_the_holders() -> None:
    put("a")
    claimed = take()
    actions.finish(claimed, NOW + 10 * LEASE)
    assert state("a") == State.DONE


def test_a_renewed_lease_is_not_reclaimed() -> None:
    put("a")
    claimed = take()
    actions.renew(claimed, NOW + LEASE, lease=LEASE, progress="version 3\x1b[2J of 9")
    assert actions.reclaim(NOW + LEASE + timedelta(seconds=30)) == 0
    assert Job.objects.get(key="a").progress == "version 3\\x1b[2J of 9"


def test_after_its_attempts_a_job_whose_workers_die_fails_with_a_reason() -> None:
    put("a", most_attempts=2)
    now = NOW
    for _ in range(2):
        take(now=now)
        now += 2 * LEASE
        assert actions.reclaim(now) == 1
    job = Job.objects.get(key="a")
    assert job.state == State.FAILED
    assert job.reason == "the worker stopped in the middle of it, 2 times"
    assert job.ended_at == now


def test_a_failed_attempt_is_tried_again_while_attempts_are_left() -> None:
    put("a", most_attempts=2)
    soon = NOW + timedelta(minutes=1)
    assert actions.fail(take(), "first", NOW, retry_at=soon)
    assert state("a") == State.DELAYED
    actions.reclaim(soon)
    assert not actions.fail(take(now=soon), "second", soon, retry_at=soon + LEASE)
    assert (state("a"), Job.objects.get(key="a").reason) == (State.FAILED, "second")


def test_a_job_put_off_or_given_back_keeps_its_attempts() -> None:
    put("a", most_attempts=1)
    for _ in range(5):
        actions.postpone(take(), "no sandbox here", until=NOW)
        actions.reclaim(NOW)
        actions.give_back(take())
    assert (state("a"), take().attempt) == (State.WAITING, 1)


def test_a_cancelled_job_is_not_given_out_and_a_running_one_cannot_finish() -> None:
    put("a")
    put("b")
    assert actions.cancel("b", NOW)
    claimed = take()
    assert actions.cancel("a", NOW)
    with pytest.raises(Conflict):
        actions.finish(claimed, NOW)
    assert actions.claim("w", NOW, lease=LEASE) is None
    assert not actions.cancel("a", NOW)
    with pytest.raises(NotFound):
        actions.cancel("c", NOW)


def test_failed_jobs_start_over_by_name_and_never_all_by_accident() -> None:
    for key, lane in (("a", "acme"), ("b", "other")):
        put(key, lane=lane)
        actions.fail(take(), "no", NOW)
    with pytest.raises(Invalid):
        actions.retry_failed()
    assert actions.retry_failed(lane="acme") == 1
    assert (state("a"), state("b")) == (State.WAITING, State.FAILED)
    assert take().attempt == 1


def test_a_lane_runs_no_more_at_once_than_its_pace_allows() -> None:
    actions.set_lane("acme", most_running=2)
    for key in "abc":
        put(key)
    first, _ = take(), take()
    assert actions.claim("w", NOW, lease=LEASE) is None
    actions.finish(first, NOW)
    assert take().key == "c"


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_weight_is_a_number_above_nothing(weight: float) -> None:
    with pytest.raises(Invalid):
        actions.set_lane("acme", weight=weight)


@pytest.mark.django_db(transaction=True)
def test_finishing_outside_of_a_transaction_is_a_bug() -> None:
    put("a")
    with pytest.raises(RuntimeError):
        actions.finish(take(), NOW)
