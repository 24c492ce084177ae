"""Jobs that are done are forgotten after their time; those that are not, or failed, never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clearhouse.office.queue.actions import Request, enqueue_many
from clearhouse.office.queue.forgetting import forget
from clearhouse.office.queue.models import Job

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
State = Job.State


def test_what_is_done_is_forgotten_so_many_at_a_time_and_nothing_else() -> None:
    for kind in ("a", "b"):
        enqueue_many([Request(kind, {}, "lane", f"{kind}-{one}") for one in State], now=NOW)
        for one in State:
            ended = NOW if one in (State.DONE, State.FAILED, State.CANCELLED) else None
            Job.objects.filter(key=f"{kind}-{one}").update(state=one, ended_at=ended)
    assert forget(("a",), before=NOW, most=10) == 0, "what ended at that moment stays"
    later = NOW + timedelta(seconds=1)
    assert [forget(("a",), before=later, most=1) for _ in range(3)] == [1, 1, 0]
    left = set(Job.objects.filter(kind="a").values_list("state", flat=True))
    assert left == {State.WAITING, State.DELAYED, State.RUNNING, State.FAILED}
    assert Job.objects.filter(kind="b").count() == len(State)
