"""Jobs are put in, given out one by one, and ended.

Exactly once: a job's effect is stored in the transaction that calls :func:`finish`, which only
the worker that holds the job now gets through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q

from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.office.queue import giving, handlers
from clearhouse.office.queue.bugs import bug_in
from clearhouse.office.queue.commits import forgettable
from clearhouse.office.queue.models import Job, Lane
from clearhouse.proof.text import printable

log = logging.getLogger("clearhouse.queue")

MOST_ATTEMPTS: Final = 3
_BATCH: Final = 500
_REASON_CHARACTERS: Final = 500
_PROGRESS_CHARACTERS: Final = 200
_LONGEST: Final = {"kind": 60, "lane": 120, "key": 160}

State = Job.State


@dataclass(frozen=True, slots=True)
class Request:
    """A job that somebody wants done."""

    kind: str
    payload: Mapping[str, Any]
    lane: str
    key: str
    priority: int = 0
    not_before: datetime | None = None
    most_attempts: int = MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in the hands of one worker.  ``fence`` and ``worker`` prove that it still is."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any] = field(repr=False)
    fence: int
    attempt: int
    worker: str


def enqueue(
    kind: str,
    payload: Mapping[str, Any],
    *,
    lane: str,
    key: str,
    priority: int = 0,
    not_before: datetime | None = None,
    most_attempts: int = MOST_ATTEMPTS,
    now: datetime,
) -> Job:
    """Put a job in, as part of the caller's transaction.  The same key again changes nothing.

    Returns the job that has the key.
    """
    request = Request(kind, payload, lane, key, priority, not_before, most_attempts)
    enqueue_many([request], now=now)
    return Job.objects.get(key=key)


def enqueue_many(requests: Iterable[Request], *, now: datetime) -> None:
    """Put many jobs in at once; those whose key is known are left as they are.

    No row that giving out needs is locked, so that a long transaction holds up nobody.
    """
    wanted = list(requests)
    for request in wanted:
        _check(request)
    with transaction.atomic():
        lanes = _lanes_named({request.lane for request in wanted})
        Job.objects.bulk_create(
            (_waiting(request, lanes[request.lane], now) for request in wanted),
            batch_size=_BATCH,
            ignore_conflicts=True,
        )


def claim(
    worker: str, now: datetime, kinds: Sequence[str] | None = None, *, lease: timedelta
) -> Claimed | None:
    """Take the next job: from the lane least served, there by priority, then by age.

    ``kinds`` None means any.  One claim happens at a time on either database: SQLite has one
    writer, PostgreSQL one holder of the clock's row.  Nobody who holds that row waits for
    another, except for the instant in which a lane's settings change.
    """
    with forgettable():
        started = giving.start_next(worker, now, kinds, lease=lease)
    return None if started is None else Claimed(*started, worker)


def renew(
    claimed: Claimed, now: datetime, *, lease: timedelta, progress: str | None = None
) -> None:
    """Keep a job for longer and say how far it is.  Raises :class:`Conflict` if it is lost."""
    changes: dict[str, Any] = {"leased_until": now + lease}
    if progress is not None:
        changes["progress"] = printable(progress)[:_PROGRESS_CHARACTERS]
    with forgettable():
        _change(claimed, **changes)


def finish(claimed: Claimed, now: datetime) -> None:
    """Mark a job as done, in the transaction that stores its effect.

    Raises :class:`Conflict` if another worker has taken it over or it was cancelled: then the
    transaction must not be committed, and the exception sees to that.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("finish() belongs into the transaction that stores the job's effect")
    _change(claimed, state=State.DONE, ended_at=now, reason="", **_NOT_RUNNING)


def fail(claimed: Claimed, reason: str, now: datetime, *, retry_at: datetime | None = None) -> bool:
    """The attempt failed: try again at ``retry_at`` while attempts are left, or fail for good.

    Failing for good calls the handler's ``failed`` in the same transaction.  Returns whether it
    will be tried again; raises :class:`Conflict` if the job is lost.
    """
    job = Job.objects.filter(**_held(claimed)).first()
    if job is None:
        raise _taken_over(claimed)
    if retry_at is not None and job.attempts < job.most_attempts:
        _change(claimed, **_delayed(reason, retry_at))
        return True
    if not _fail_for_good(job, reason, now):
        raise _taken_over(claimed)
    return False


def postpone(claimed: Claimed, reason: str, *, until: datetime) -> None:
    """What the job needs is missing: try again later, however often; no attempt is counted.

    Raises :class:`Conflict` if the job is lost.
    """
    _change(claimed, attempts=F("attempts") - 1, **_delayed(reason, until))


def give_back(claimed: Claimed) -> None:
    """The worker ends: the job waits again, first of its age, and no attempt is counted.

    Raises :class:`Conflict` if the job is lost.
    """
    _change(claimed, state=State.WAITING, attempts=F("attempts") - 1, **_NOT_RUNNING)


def reclaim(now: datetime) -> int:
    """Take jobs from workers that are silent, and let delayed ones wait whose time has come.

    A job that has used up its attempts fails.  Returns how many jobs changed.
    """
    expired = Job.objects.filter(state=State.RUNNING, leased_until__lt=now)
    due = Job.objects.filter(state=State.DELAYED, not_before__lte=now)
    changed = 0
    # Looked at first: on SQLite even a change of no rows takes the only pen.
    if due.exists():
        changed += due.update(state=State.WAITING)
    if not expired.exists():
        return changed
    for job in expired.filter(attempts__gte=F("most_attempts")):
        reason = f"the worker stopped in the middle of it, {job.attempts} times"
        changed += _fail_for_good(job, reason, now)
    return changed + expired.filter(attempts__lt=F("most_attempts")).update(
        state=State.WAITING, **_NOT_RUNNING
    )


def cancel(key: str, now: datetime) -> bool:
    """Call a job off, running or not.  Returns False if it had ended; its effect stands.

    Raises :class:`NotFound` if there is none with that key.
    """
    open_states = (State.WAITING, State.DELAYED, State.RUNNING)
    cancelled = Job.objects.filter(key=key, state__in=open_states).update(
        state=State.CANCELLED, ended_at=now, **_NOT_RUNNING
    )
    if not cancelled and not Job.objects.filter(key=key).exists():
        raise NotFound("there is no such job")
    return bool(cancelled)


def retry_failed(
    *, key: str | None = None, kind: str | None = None, lane: str | None = None
) -> int:
    """Let failed jobs wait again with all their attempts: those that fit every name given.

    Returns how many.  Without any name it is refused, as nobody means all by saying nothing.
    """
    if key is None and kind is None and lane is None:
        raise Invalid("name a key, a kind or a lane")
    chosen = Job.objects.filter(state=State.FAILED)
    for name, value in (("key", key), ("kind", kind), ("lane__name", lane)):
        chosen = chosen if value is None else chosen.filter(**{name: value})
    return chosen.update(state=State.WAITING, attempts=0, reason="", ended_at=None)


def set_lane(name: str, *, weight: float | None = None, most_running: int | None = None) -> None:
    """Change how often a lane's turn comes and how many of its jobs run at once.

    A weight of 2 is twice the turns of a weight of 1.  None leaves a setting as it is.
    """
    if weight is not None and not 0 < weight < float("inf"):
        raise Invalid("expected a number above 0", key="weight")
    if most_running is not None and most_running < 0:
        raise Invalid("expected 0 or more", key="most_running")
    changes = {"weight": weight, "most_running": most_running}
    given = {name: value for name, value in changes.items() if value is not None}
    lane = _lanes_named({name})[name]
    if given:
        # What is so already is not written: the row would be held until the caller commits.
        Lane.objects.filter(pk=lane.pk).exclude(**given).update(**given)


def start_timers(now: datetime) -> None:
    """Put in the jobs of timers whose period has begun.

    A timer with a job that has not ended gets no second one, and its lane runs one at a time.
    """
    for timer in handlers.timers():
        key = timer.key(now)
        open_or_this = Job.objects.filter(kind=timer.kind).filter(
            Q(key=key) | Q(state__in=(State.WAITING, State.DELAYED, State.RUNNING))
        )
        if open_or_this.exists():
            continue
        with transaction.atomic():
            set_lane(timer.kind, most_running=1)
            enqueue(timer.kind, {}, lane=timer.kind, key=key, now=now)
            # Their effects are elsewhere: a job of each minute would only fill the table.
            Job.objects.filter(kind=timer.kind, state=State.DONE).exclude(key=key).delete()


_NOT_RUNNING: Final[Mapping[str, Any]] = {"worker": "", "leased_until": None, "progress": ""}


def _waiting(request: Request, lane: Lane, now: datetime) -> Job:
    delayed = request.not_before is not None and request.not_before > now
    return Job(
        kind=request.kind,
        key=request.key,
        payload=dict(request.payload),
        lane=lane,
        priority=request.priority,
        state=State.DELAYED if delayed else State.WAITING,
        most_attempts=request.most_attempts,
        not_before=request.not_before,
        created_at=now,
    )


def _check(request: Request) -> None:
    """Raise :class:`Invalid` for a name that the table could only cut."""
    for name in ("kind", "lane", "key"):
        if not 0 < len(getattr(request, name)) <= _LONGEST[name]:
            raise Invalid(f"expected 1 to {_LONGEST[name]} characters", key=name)


def _lanes_named(names: set[str]) -> dict[str, Lane]:
    found = {lane.name: lane for lane in Lane.objects.filter(name__in=names)}
    missing = sorted(names - found.keys())
    if missing:
        Lane.objects.bulk_create((Lane(name=name) for name in missing), ignore_conflicts=True)
        found.update((lane.name, lane) for lane in Lane.objects.filter(name__in=missing))
    return found


def _held(claimed: Claimed) -> dict[str, Any]:
    return {
        "pk": claimed.id,
        "fence": claimed.fence,
        "worker": claimed.worker,
        "state": State.RUNNING,
    }


def _change(claimed: Claimed, **changes: Any) -> None:  # noqa: ANN401 - columns of a job
    if not Job.objects.filter(**_held(claimed)).update(**changes):
        raise _taken_over(claimed)


def _taken_over(claimed: Claimed) -> Conflict:
    return Conflict(f"job {claimed.id} was cancelled or given to another worker")


def _delayed(reason: str, until: datetime) -> dict[str, Any]:
    return {
        "state": State.DELAYED,
        "not_before": until,
        "reason": reason[:_REASON_CHARACTERS],
        **_NOT_RUNNING,
    }


def _fail_for_good(job: Job, reason: str, now: datetime) -> int:
    """Mark a running job as failed and tell its handler, both or neither."""
    held = Job.objects.filter(pk=job.pk, fence=job.fence, worker=job.worker, state=State.RUNNING)
    changes: dict[str, Any] = {**_NOT_RUNNING, "state": State.FAILED, "ended_at": now}
    changes["reason"] = reason[:_REASON_CHARACTERS]
    try:
        with transaction.atomic():
            if not held.update(**changes):
                return 0
            handlers.handler_of(job.kind).failed(job.payload, reason, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - the job's edge: a bug in it leaves no job running
        log.warning("job %d failed, and its handler could not say so: %s", job.pk, bug_in(error))
        return held.update(**changes)
    return 1
