"""Gives out the next job, in SQL that both databases take.

Written by hand as it runs for every job, and because PostgreSQL's planner must not choose: it
would gather all that waits to find one (measured with ten thousand jobs). So each lane is asked
for its first job by a subquery that it cannot turn into a join, in the order of the lanes' turns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection

from clearhouse.office.queue.turns import turn

_CLOCK: Final = 1

_CHOOSE: Final = """
    SELECT * FROM (
        SELECT lane.id, lane.passed, lane.weight, (
            SELECT job.id FROM queue_job job
            WHERE job.lane_id = lane.id AND job.state = 'waiting' {of_kinds}
            ORDER BY job.priority DESC, job.id LIMIT 1
        ) AS job
        FROM queue_lane lane
        WHERE lane.most_running > (
            SELECT COUNT(*) FROM queue_job running
            WHERE running.lane_id = lane.id AND running.state = 'running'
        )
        ORDER BY lane.passed, lane.id
    ) AS lanes
    WHERE job IS NOT NULL
    ORDER BY passed, id LIMIT 1
"""
_START: Final = """
    UPDATE queue_job
    SET state = 'running', fence = fence + 1, attempts = attempts + 1, worker = %s,
        leased_until = %s, started_at = %s, progress = ''
    WHERE id = %s AND state = 'waiting'
    RETURNING id, kind, key, payload, fence, attempts
"""


class Started(NamedTuple):
    """A job that runs from now on."""

    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    fence: int
    attempt: int


def is_any_ready(kinds: Sequence[str] | None) -> bool:
    """Whether a job could be given out, looked at without locking anything."""
    with connection.cursor() as cursor:
        return _chosen(cursor, kinds) is not None


def start_next(
    worker: str, now: datetime, kinds: Sequence[str] | None, *, lease: timedelta
) -> Started | None:
    """Choose the next job, move its lane on, mark it as running; inside a transaction."""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        clock = _held_clock(cursor)
        while chosen := _chosen(cursor, kinds):
            lane, passed, weight, job = chosen
            cursor.execute(_START, [worker, adapt(now + lease), adapt(now), job])
            row = cursor.fetchone()
            if row is None:
                continue  # cancelled between the two statements
            start, after = turn(passed, clock, weight)
            cursor.execute("UPDATE queue_lane SET passed = %s WHERE id = %s", [after, lane])
            if start > clock:
                cursor.execute("UPDATE queue_clock SET passed = %s WHERE id = %s", [start, _CLOCK])
            number, kind, key, payload, fence, attempt = row
            return Started(number, kind, key, json.loads(payload), fence, attempt)
    return None


def _chosen(cursor: Any, kinds: Sequence[str] | None) -> tuple[int, float, float, int] | None:  # noqa: ANN401 - Django's cursor
    cursor.execute(_choose(None if kinds is None else len(kinds)), list(kinds or ()))
    row: tuple[int, float, float, int] | None = cursor.fetchone()
    return row


def _held_clock(cursor: Any) -> float:  # noqa: ANN401 - Django's cursor
    """Where the clock stands.  Its row is locked where the database locks rows."""
    lock = "FOR NO KEY UPDATE" if connection.features.has_select_for_update else ""
    select = f"SELECT passed FROM queue_clock WHERE id = %s {lock}"  # noqa: S608 - constants
    cursor.execute(select, [_CLOCK])
    row = cursor.fetchone()
    if row is None:
        cursor.execute(
            "INSERT INTO queue_clock (id, passed) VALUES (%s, 0) ON CONFLICT DO NOTHING", [_CLOCK]
        )
        cursor.execute(select, [_CLOCK])
        row = cursor.fetchone()
    return float(row[0])


@lru_cache
def _choose(kinds: int | None) -> str:
    if kinds is None:
        return _CHOOSE.format(of_kinds="")
    # A kind that is never used stands for no kinds at all: an empty list is no SQL.
    marks = ", ".join(["%s"] * kinds) or "''"
    return _CHOOSE.format(of_kinds=f"AND job.kind IN ({marks})")
