"""Systems, their inventories and what touches them, for their owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from clearhouse.errors import NotFound
from clearhouse.exposure.remedies import Remedy, remedies
from clearhouse.office.blobs import store
from clearhouse.office.feeds.queries import told_of
from clearhouse.office.inventories.models import (
    Component,
    Exposure,
    Inventory,
    OwnStatements,
    System,
)
from clearhouse.office.inventories.sight import MISSING, owns, system_seen
from clearhouse.office.inventories.telling import flawed
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

PAGE: Final = 50
_URGENT: Final = F("due").asc(nulls_last=True)


@dataclass(frozen=True, slots=True)
class Summary:
    """A system in a list."""

    system: System
    exposures: int
    undecided: int
    due: datetime | None
    """The nearest date by which something has to be done."""
    listed_at: datetime | None
    """When its current inventory came; None where none was read, so that nothing is known."""
    unidentified: int
    """Entries of its current inventory of which nobody can tell which packages they are."""


def systems_of(viewer: Viewer) -> list[Summary]:
    """The systems of the viewer's organisation that are in use, the most urgent first."""
    viewer.needs(Scope.INVENTORIES_READ)
    rows = (
        System.objects.filter(organisation=viewer.acting_for(), retired_at=None)
        .select_related("organisation")
        .annotate(
            open_count=Count("exposures", filter=_standing("exposures__"), distinct=True),
            unsure=Count(
                "exposures",
                filter=_standing("exposures__") & Q(exposures__answer=Exposure.Answer.UNDECIDED),
                distinct=True,
            ),
            nearest=Min("exposures__due", filter=_standing("exposures__")),
            newest=Max("inventories__at", filter=Q(inventories__is_current=True)),
            unknown=Max(
                "inventories__unidentified_count", filter=Q(inventories__is_current=True), default=0
            ),
        )
        .order_by(F("nearest").asc(nulls_last=True), "title", "pk")
    )
    return [
        Summary(one, one.open_count, one.unsure, one.nearest, one.newest, one.unknown)
        for one in rows
    ]


def _standing(prefix: str = "") -> Q:
    """Exposures that are there and that no statement takes back."""
    return Q(**{f"{prefix}gone_at": None, f"{prefix}statement__isnull": True})


def exposures_of(
    viewer: Viewer, *, system: str = "", after: str = "", most: int = PAGE
) -> tuple[list[Exposure], str | None]:
    """What touches the viewer's systems, what is due first at the top; and where to go on.

    What a statement says to be not affected is left out; see :func:`set_aside_of`.
    """
    viewer.needs(Scope.INVENTORIES_READ)
    found = Exposure.objects.filter(
        _standing(), system__organisation=viewer.acting_for()
    ).select_related("system")
    if system:
        found = found.filter(system=system_seen(viewer, system))
    return _page(found, viewer.acting_for(), after, most)


def _page(
    found: QuerySet[Exposure], organisation: int, after: str, most: int
) -> tuple[list[Exposure], str | None]:
    """Those after the one of that name, by urgency; and where to go on."""
    if after:
        # Also where it is over meanwhile: whoever turns the page would begin anew.
        mine = Exposure.objects.filter(system__organisation=organisation)
        last = mine.filter(name=after).values_list("rank", "name").first()
        if last is not None:
            found = found.filter(Q(rank__gt=last[0]) | Q(rank=last[0], name__gt=last[1]))
    rows = list(found.order_by("rank", "name")[: most + 1])
    return rows[:most], (rows[most - 1].name if len(rows) > most else None)


def remedies_of(viewer: Viewer, *, most: int) -> tuple[list[Remedy], int]:
    """What to do first, package by package, and how much there is to do in all."""
    viewer.needs(Scope.INVENTORIES_READ)
    rows = Exposure.objects.filter(_standing(), system__organisation=viewer.acting_for())
    ordered = rows.select_related("system").order_by("rank", "name")
    found = remedies(each for one in ordered.iterator(chunk_size=2000) for each in flawed(one))
    return found[:most], len(found)


def set_aside_of(
    viewer: Viewer, system: str, *, after: str = "", most: int = PAGE
) -> tuple[list[Exposure], str | None]:
    """What somebody has said to be not affected, with who said it and why; and where to go on.

    It stays in sight: what is set aside is as long a list as what is not.
    """
    seen = system_seen(viewer, system)
    found = Exposure.objects.filter(system=seen, gone_at=None).exclude(statement__isnull=True)
    return _page(found.select_related("system"), seen.organisation_id, after, most)


def gone_of(viewer: Viewer, system: str, *, most: int = PAGE) -> list[Exposure]:
    """What touched a system and does no more, the latest first."""
    seen = system_seen(viewer, system)
    rows = Exposure.objects.filter(system=seen).exclude(gone_at=None)
    return list(rows.order_by("-gone_at", "name")[:most])


def counts_of(viewer: Viewer) -> dict[str, int]:
    """How much touches the viewer's systems: all, what surely does, and what cannot be told.

    ``unidentified`` is how many entries of the current lists say nothing of either.
    """
    viewer.needs(Scope.INVENTORIES_READ)
    rows = Exposure.objects.filter(_standing(), system__organisation=viewer.acting_for())
    counted: dict[str, int] = rows.aggregate(
        all=Count("pk"), undecided=Count("pk", filter=Q(answer=Exposure.Answer.UNDECIDED))
    )
    affected = counted["all"] - counted["undecided"]
    return counted | {"affected": affected, "unidentified": unidentified_of(viewer)}


def unidentified_of(viewer: Viewer, *, system: str = "") -> int:
    """How many entries of the viewer's current lists cannot be identified."""
    viewer.needs(Scope.INVENTORIES_READ)
    rows = Inventory.objects.filter(is_current=True, system__organisation=viewer.acting_for())
    if system:
        rows = rows.filter(system=system_seen(viewer, system))
    return int(rows.aggregate(count=Sum("unidentified_count", default=0))["count"])


def untold_of(system: System) -> list[tuple[str, int]]:
    """Ecosystems of which the current list has packages and no record here tells; how many."""
    rows = Component.objects.filter(inventory__system=system, inventory__is_current=True)
    counted = dict(rows.values_list("release__ecosystem").annotate(count=Count("pk")).order_by())
    told = told_of(counted)
    return sorted((one, count) for one, count in counted.items() if one not in told)


def inventories_of(system: System, *, most: int = 20) -> list[Inventory]:
    """The lists that came in for a system that its viewer may see, the newest first."""
    return list(system.inventories.order_by("-at", "-pk")[:most])


def statements_of(system: System, *, most: int = 100) -> list[OwnStatements]:
    """The VEX documents that were handed in for a system that its viewer may see."""
    rows = system.statements.select_related("system").order_by("-at", "-pk")
    return list(rows[:most])


def inventory_seen(viewer: Viewer, name: str) -> Inventory:
    """One list, for the owner of its system.  Raises :class:`NotFound`."""
    found = Inventory.objects.select_related("system").filter(name=name).first()
    if found is None or not owns(viewer, found.system.organisation_id):
        raise NotFound(MISSING)
    viewer.needs(Scope.INVENTORIES_READ)
    return found


def file_of(viewer: Viewer, name: str) -> tuple[Inventory, bytes]:
    """A list as it came in."""
    found = inventory_seen(viewer, name)
    return found, store.read(found.blob)


def components_page(
    viewer: Viewer, system: str, *, after: int = 0, text: str = ""
) -> tuple[list[Component], int | None]:
    """What is installed on a system, in the order of the file, from the row ``after`` on.

    Rows are counted within the list: a number of the table would tell how much others have.
    """
    seen = system_seen(viewer, system)
    rows = Component.objects.filter(
        inventory__system=seen, inventory__is_current=True
    ).select_related("release")
    if text:
        rows = rows.filter(Q(release__package__icontains=text) | Q(purl__icontains=text))
    found = list(rows.order_by("pk")[after : after + PAGE + 1])
    return found[:PAGE], (after + PAGE if len(found) > PAGE else None)


def course_of(system: System, *, now: datetime, days: int) -> Sequence[tuple[date, int]]:
    """How many flaws touched a system at the end of each of the last days, today's so far last.

    A flaw counts from its detection to its end; before the first inventory there is nothing.
    """
    first = now - timedelta(days=days - 1)
    rows = Exposure.objects.filter(system=system).filter(Q(gone_at=None) | Q(gone_at__gte=first))
    spans = list(rows.values_list("detected_at", "gone_at"))
    begun = system.inventories.aggregate(first=Min("at"))["first"]
    found: list[tuple[date, int]] = []
    for back in range(days - 1, -1, -1):
        end = now - timedelta(days=back)
        if begun is not None and begun <= end:
            open_then = sum(a <= end and (b is None or b > end) for a, b in spans)
            found.append((end.date(), open_then))
    return found
