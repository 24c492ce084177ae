"""Any sequence of what may happen to jobs, against a model of a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from clearhouse.errors import Conflict
from clearhouse.office.queue import actions
from clearhouse.office.queue.actions import Claimed
from clearhouse.office.queue.models import Clock, Job, Lane

LEASE = timedelta(seconds=10)
KEYS = st.sampled_from("abcdef")
MOST_ATTEMPTS = 2


@dataclass
class Known:
    """What the model knows of a job."""

    lane: str
    state: str = "waiting"
    attempts: int = 0
    fence: int = 0
    leased_until: datetime | None = None
    due: datetime | None = None
    effects: int = 0


class Queue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        for model in (Job, Lane, Clock):
            model.objects.all().delete()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.jobs: dict[str, Known] = {}
        self.held: list[Claimed] = []

    @rule(key=KEYS, lane=st.sampled_from("xyz"))
    def enqueue(self, key: str, lane: str) -> None:
        actions.enqueue("t", {}, lane=lane, key=key, most_attempts=MOST_ATTEMPTS, now=self.now)
        self.jobs.setdefault(key, Known(lane))

    @rule(worker=st.sampled_from(["one", "two"]))
    def claim(self, worker: str) -> None:
        claimed = actions.claim(worker, self.now, lease=LEASE)
        waiting = {key for key, known in self.jobs.items() if known.state == "waiting"}
        assert (claimed is None) == (not waiting)
        if claimed is None:
            return
        assert claimed.key in waiting
        known = self.jobs[claimed.key]
        known.state, known.leased_until = "running", self.now + LEASE
        known.attempts += 1
        known.fence += 1
        assert (claimed.fence, claimed.attempt) == (known.fence, known.attempts)
        self.held.append(claimed)

    def _pick(self, number: int) -> tuple[Claimed, Known, bool] | None:
        """One of the claims ever given out, and whether it still holds its job."""
        if not self.held:
            return None
        claimed = self.held[number % len(self.held)]
        known = self.jobs[claimed.key]
        return claimed, known, known.state == "running" and known.fence == claimed.fence

    @rule(number=st.integers(0, 50))
    def renew(self, number: int) -> None:
        if picked := self._pick(number):
            claimed, known, holds = picked
            if holds:
                actions.renew(claimed, self.now, lease=LEASE, progress="on")
                known.leased_until = self.now + LEASE
            else:
                with pytest.raises(Conflict):
                    actions.renew(claimed, self.now, lease=LEASE)

    @rule(number=st.integers(0, 50))
    def finish(self, number: int) -> None:
        if picked := self._pick(number):
            claimed, known, holds = picked
            if holds:
                actions.finish(claimed, self.now)
                known.state = "done"
                known.effects += 1
            else:
                with pytest.raises(Conflict):
                    actions.finish(claimed, self.now)

    @rule(number=st.integers(0, 50), again=st.booleans())
    def fail(self, number: int, again: bool) -> None:
        if picked := self._pick(number):
            claimed, known, holds = picked
            retry_at = self.now + LEASE if again else None
            if not holds:
                with pytest.raises(Conflict):
                    actions.fail(claimed, "r", self.now, retry_at=retry_at)
                return
            retried = actions.fail(claimed, "r", self.now, retry_at=retry_at)
            assert retried == (again and known.attempts < MOST_ATTEMPTS)
            known.state, known.due = ("delayed", retry_at) if retried else ("failed", None)

    @rule(number=st.integers(0, 50))
    def give_back(self, number: int) -> None:
        if picked := self._pick(number):
            claimed, known, holds = picked
            if holds:
                actions.give_back(claimed)
                known.state = "waiting"
                known.attempts -= 1
            else:
                with pytest.raises(Conflict):
                    actions.give_back(claimed)

    @rule(seconds=st.integers(1, 15))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        changed = 0
        for known in self.jobs.values():
            if known.state == "delayed" and known.due and known.due <= self.now:
                known.state = "waiting"
            elif known.state == "running" and known.leased_until and known.leased_until < self.now:
                known.state = "failed" if known.attempts >= MOST_ATTEMPTS else "waiting"
            else:
                continue
            changed += 1
        assert actions.reclaim(self.now) == changed

    @rule(key=KEYS)
    def cancel(self, key: str) -> None:
        known = self.jobs.get(key)
        if known is not None:
            ended = known.state in ("done", "failed", "cancelled")
            assert actions.cancel(key, self.now) is not ended
            known.state = known.state if ended else "cancelled"

    @rule(key=KEYS)
    def retry_failed(self, key: str) -> None:
        known = self.jobs.get(key)
        failed = known is not None and known.state == "failed"
        assert actions.retry_failed(key=key) == failed
        if known is not None and failed:
            known.state, known.attempts = "waiting", 0

    @invariant()
    def the_table_is_as_the_model_says(self) -> None:
        rows = Job.objects.values_list("key", "lane__name", "state", "attempts", "fence")
        assert {row[0]: tuple(row[1:]) for row in rows} == {
            key: (known.lane, known.state, known.attempts, known.fence)
            for key, known in self.jobs.items()
        }

    @invariant()
    def no_effect_happened_twice(self) -> None:
        assert all(known.effects <= 1 for known in self.jobs.values())
        assert all(known.effects == (known.state == "done") for known in self.jobs.values())


@pytest.mark.django_db
def test_jobs_do_what_the_model_says_whatever_happens_to_them() -> None:
    run_state_machine_as_test(
        Queue, settings=settings(max_examples=30, stateful_step_count=40, deadline=None)
    )
