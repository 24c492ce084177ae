"""The coordinator's queue in the API."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import opening
from clearhouse.office.cases.demands import DecisionIn
from clearhouse.office.cases.documents import QueuedOut, SuggestionOut, TaskOut
from clearhouse.office.findings.documents import FindingOut, Name
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.queue import queries as jobs
from clearhouse.protocol.roles import Scope

router = Router(tags=["queue"])
Most: TypeAlias = Annotated[int, Field(ge=1, le=200)]


class LaneOut(Schema):
    """How long one lane of jobs is."""

    name: str
    weight: float
    most_running: int
    waiting: int
    running: int


class CountOut(Schema):
    """How many jobs of a kind stand where."""

    kind: str
    state: str
    count: int


class JobsOut(Schema):
    """The work that waits and runs."""

    counts: list[CountOut]
    lanes: list[LaneOut]


@router.get("", response=list[QueuedOut])
def queue(request: HttpRequest, most: Most = 50) -> list[QueuedOut]:
    """What the office does next, most pressing first.  For the office."""
    found = queries.queue(viewer_in(request), now=timezone.now(), most=most)
    return [QueuedOut.of(one) for one in found]


@router.get("/tasks", response=list[TaskOut])
def tasks(request: HttpRequest, most: Most = 50) -> list[TaskOut]:
    """The open tasks of your organisation, those due first."""
    return [TaskOut.of(one) for one in queries.tasks_of(viewer_in(request), most=most)]


@router.get("/suggestions", response=list[SuggestionOut])
def suggestions(request: HttpRequest, most: Most = 50) -> list[SuggestionOut]:
    """Suggestions that wait for a decision, the likeliest first.  For the office."""
    found = queries.suggestions_open(viewer_in(request), most=most)
    return [SuggestionOut.of(one) for one in found]


@router.post("/suggestions/{name}", response=SuggestionOut)
def decide_suggestion(request: HttpRequest, name: Name, demand: DecisionIn) -> SuggestionOut:
    """Accept or reject a suggestion.  For the office."""
    viewer, now = viewer_in(request), timezone.now()
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    viewer.needs(Scope.CASES_READ)
    if demand.verdict == "accept":
        return SuggestionOut.of(opening.accept_suggestion(viewer, name, now=now))
    return SuggestionOut.of(opening.reject_suggestion(viewer, name, now=now))


@router.get("/untriaged", response=list[FindingOut])
def untriaged(request: HttpRequest, most: Most = 50) -> list[FindingOut]:
    """Findings without proof that belong to no case yet, the gravest first.  For the office."""
    return [FindingOut.of(one) for one in queries.untriaged(viewer_in(request))[:most]]


@router.get("/jobs", response=JobsOut)
def job_counts(request: HttpRequest) -> JobsOut:
    """How much work waits and runs.  For the office."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    return JobsOut(
        counts=[
            CountOut(kind=kind, state=state, count=count)
            for (kind, state), count in sorted(jobs.counts(viewer).items())
        ],
        lanes=[
            LaneOut(name=one.name, weight=one.weight, most_running=one.most_running,
                    waiting=one.waiting, running=one.running)
            for one in jobs.lanes(viewer)
        ],
    )  # fmt: skip
