"""Where jobs stand: for the pages of other rooms, and for those who run the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q

from clearhouse.errors import NotFound
from clearhouse.office.queue.models import Clock, Job, Lane
from clearhouse.office.queue.turns import ahead_in_other_lane, turn
from clearhouse.office.viewer import Viewer

_SAMPLE: Final = 50
State = Job.State


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where one job stands.  ``reason`` says why it is put off or failed."""

    key: str
    kind: str
    state: State
    progress: str
    reason: str
    attempts: int
    created_at: datetime
    not_before: datetime | None
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How long one lane is, and how it is served."""

    name: str
    weight: float
    most_running: int
    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds that the last jobs of a kind took, from their last start to their end."""

    jobs: int
    median: float
    longest: float


def status_of(key: str) -> JobStatus:
    """Where the job stands that has this key.

    Takes no viewer: the caller made the key for a thing that it may show, and asks for that thing.
    Raises :class:`NotFound` if there is none.
    """
    found = statuses_of([key])
    if key not in found:
        raise NotFound("there is no such job")
    return found[key]


def statuses_of(keys: list[str]) -> Mapping[str, JobStatus]:
    """The same for many keys at once; those without a job are missing."""
    names = JobStatus.__slots__
    rows = Job.objects.filter(key__in=keys).values(*names)
    return {row["key"]: JobStatus(**{**row, "state": State(row["state"])}) for row in rows}


def counts(viewer: Viewer) -> Mapping[tuple[str, State], int]:
    """How many jobs there are of each kind and state.  For those who run the office."""
    viewer.must_coordinate()
    rows = Job.objects.values_list("kind", "state").annotate(count=Count("pk")).order_by()
    return {(kind, State(state)): count for kind, state, count in rows}


def lanes(viewer: Viewer) -> list[LaneStatus]:
    """Every lane, longest first.  For those who run the office."""
    viewer.must_coordinate()
    per_lane = _counts_per_lane()
    found = [
        LaneStatus(lane.name, lane.weight, lane.most_running, *per_lane.get(lane.pk, (0, 0)))
        for lane in Lane.objects.all()
    ]
    return sorted(found, key=lambda one: (-one.waiting, -one.running, one.name))


def jobs_before(key: str) -> int | None:
    """About how many waiting jobs go before this one; None unless it waits itself.

    Its own lane's are counted exactly.  Each other lane has as many turns before it as their
    weights give, but no more than it has jobs waiting.
    """
    job = Job.objects.filter(key=key, state=State.WAITING).select_related("lane").first()
    if job is None:
        return None
    own = Job.objects.filter(lane_id=job.lane_id, state=State.WAITING).filter(
        Q(priority__gt=job.priority) | Q(priority=job.priority, pk__lt=job.pk)
    )
    before = own.count()
    clock = next(iter(Clock.objects.values_list("passed", flat=True)), 0.0)
    start, _ = turn(job.lane.passed, clock, job.lane.weight)
    until = start + before / job.lane.weight
    per_lane = _counts_per_lane()
    others = Lane.objects.filter(pk__in=per_lane).exclude(pk=job.lane_id)
    return before + sum(
        ahead_in_other_lane(
            per_lane[lane.pk][0], lane.passed, lane.weight, until=until, clock=clock
        )
        for lane in others
    )


def durations(kind: str) -> Durations | None:
    """How long the last jobs of a kind took; None if none has ended yet."""
    rows = (
        Job.objects.filter(kind=kind, state=State.DONE)
        .order_by("-ended_at")
        .values_list("started_at", "ended_at")[:_SAMPLE]
    )
    taken = sorted((ended - began).total_seconds() for began, ended in rows if began and ended)
    if not taken:
        return None
    return Durations(len(taken), taken[len(taken) // 2], taken[-1])


def _counts_per_lane() -> dict[int, tuple[int, int]]:
    """Waiting and running jobs of the lanes that have any."""
    found: dict[int, tuple[int, int]] = {}
    for state, place in ((State.WAITING, 0), (State.RUNNING, 1)):
        rows = Job.objects.filter(state=state).values_list("lane").annotate(count=Count("pk"))
        for lane, count in rows.order_by():
            waiting, running = found.get(lane, (0, 0))
            found[lane] = (count, running) if place == 0 else (waiting, count)
    return found
