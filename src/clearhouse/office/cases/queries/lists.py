"""Lists of cases and of what waits, as their viewer may know of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, Q, QuerySet

from clearhouse.office.authorisation import Part, Standing, parts_seen
from clearhouse.office.cases import next_steps as steps
from clearhouse.office.cases.facts import facts_of, participants_of, tallies_of
from clearhouse.office.cases.models import (
    Case,
    Suggestion,
    Task,
)
from clearhouse.office.cases.queries.access import cases_of, standing_among
from clearhouse.office.cases.queries.seen import blanked, letters_of
from clearhouse.office.findings import queries as findings
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role, Scope

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A case in a list, with what its viewer may know of it there."""

    case: Case
    title: str
    standing: Standing | None
    letters: str | None


def page_of(
    viewer: Viewer, *, before: int | None = None, state: str = "", text: str = ""
) -> tuple[list[Listed], int | None]:
    """A page of the viewer's cases, newest first, and where the next begins.

    Those are ids, which are shown to nobody: they would tell how many cases there are.
    """
    found = cases_of(viewer)
    if state:
        found = found.filter(state=state)
    if text:
        # A title is searched only by those who see all titles: a search must not tell it.
        named = Q(package__startswith=text) | Q(name=text)
        found = found.filter(named | Q(title__icontains=text) if viewer.coordinates else named)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk").prefetch_related("participants")[: PAGE + 1])
    listed = [_listed(viewer, one) for one in rows[:PAGE]]
    return listed, (rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _listed(viewer: Viewer, case: Case) -> Listed:
    participants = list(case.participants.all())
    mine = [one for one in participants if one.organisation_id == viewer.organisation]
    standing = standing_among(case, mine)
    seen = parts_seen(viewer, standing)
    is_shown = Part.SUMMARY in seen
    return Listed(
        title=case.title if is_shown else f"A vulnerability in {case.package}",
        standing=standing,
        letters=letters_of(standing, case, participants, mine) if is_shown else None,
        case=blanked(case, seen),
    )


@dataclass(frozen=True, slots=True)
class Queued:
    """A line of the coordinator's queue."""

    case: Case
    step: steps.Step


#: How many cases are looked at for the queue: those that end first, and those that matter most.
#: A third of a millisecond each, measured on one core of two.
_LOOKED_AT: Final = 150
#: Columns that no list shows, and that take time to read.
_NOT_LISTED: Final = ("summary", "weaknesses", "affected", "declared", "ssvc")


def queue(viewer: Viewer, *, now: datetime, most: int = 50) -> list[Queued]:
    """What the office does next, most pressing first: the first step of each case.

    Raises :class:`NotFound` for who does not run the office.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    open_cases = Case.objects.filter(state=Case.State.OPEN).defer(*_NOT_LISTED)
    soon = open_cases.filter(public_at=None).order_by(
        F("embargo_ends_at").asc(nulls_last=True), "id"
    )[:_LOOKED_AT]
    grave = open_cases.order_by("-impact", "id")[:_LOOKED_AT]
    looked_at = {one.pk: one for some in (soon, grave) for one in some}
    parts = participants_of(looked_at)
    tallies = tallies_of(looked_at)
    found: list[tuple[Case, steps.Step]] = []
    for pk, case in looked_at.items():
        facts = facts_of(case, parts[pk], tallies[pk])
        first = next(iter(steps.next_steps(facts, now=now, who=Role.COORDINATOR)), None)
        if first is not None:
            found.append((case, first))
    ranked = steps.order([(step, case.impact) for case, step in found], now=now)
    return [Queued(*found[place]) for place in ranked[:most]]


def suggestions_open(viewer: Viewer, *, most: int = 50) -> list[Suggestion]:
    """Suggestions that wait for a decision, the likeliest first."""
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_READ)
    waiting = Suggestion.objects.filter(state=Suggestion.State.OPEN).select_related("case")
    return list(waiting.order_by("-score", "id")[:most])


def untriaged(viewer: Viewer) -> QuerySet[findings.Finding]:
    """Findings without proof that belong to no case yet, the gravest first."""
    viewer.must_coordinate()
    return (
        findings.findings_of(viewer)
        .filter(state=findings.Finding.State.UNPROVEN, case="")
        .order_by("-impact", "pk")
    )


def tasks_of(viewer: Viewer, *, most: int = 50) -> list[Task]:
    """Open tasks of the viewer's organisation, those due first."""
    viewer.needs(Scope.CASES_READ)
    assigned = Q(assignee=viewer.acting_for())
    if viewer.coordinates:
        assigned |= Q(assignee=None)
    due = Task.objects.filter(assigned, done_at=None, case__in=cases_of(viewer))
    due = due.select_related("case", "assignee")
    return list(due.order_by(F("due_at").asc(nulls_last=True), "id")[:most])
