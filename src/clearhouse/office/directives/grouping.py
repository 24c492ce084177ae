"""Lists of obligations by what mends them: as many entries as there are things to do, in pages.

However many obligations there are, a page asks the database a fixed number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Min, Q, QuerySet, Value
from django.db.models.functions import Concat

from clearhouse.errors import NotFound
from clearhouse.exposure.remedies import Remedy, remedies
from clearhouse.office.authorisation import DirectivePart
from clearhouse.office.directives.entries import PACKAGE, PLACE, with_packages, with_places
from clearhouse.office.directives.models import ACTIVE, ObligationRow
from clearhouse.office.directives.queries import Seen, seen_among
from clearhouse.office.directives.sight import MISSING, directive_seen
from clearhouse.office.inventories.present import flawed_in
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.directives.selection import Applies
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.severity import Severity

#: Entries of a page, and obligations that stand in one of them; the others are on its own page.
PAGE: Final = 25
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How the obligations of an entry stand; all of them are open or being examined."""

    count: int
    overdue: int
    examined: int
    may_apply: int
    due: datetime | None
    """The earliest date; None where all of it is for the next upgrade."""

    @property
    def open(self) -> int:
        """How many are still to be done."""
        return self.count - self.examined


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """What has to be done about one package on one system."""

    system: str
    package: str
    tally: Tally
    flaws: int
    forensic: bool
    remedies: Sequence[Remedy]
    """The update of that package first, then what the same flaws ask for beside it.  None of that
    package where it cannot be told whether the installed version is affected."""
    attacked: int
    """How many of the flaws are known to be exploited."""
    severity: Severity | None
    """The worst of those that somebody has said."""
    unanswered: frozenset[str]
    """What would have to be known to say whether it applies, and by when."""
    first: Sequence[Seen]


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """What an organisation has to do on one system; the system's name is empty where unseen."""

    organisation: str
    place: str
    tally: Tally
    first: Sequence[Seen]


def entries_of(
    viewer: Viewer, *, now: datetime, directive: str = "", after: str = "", most: int = PAGE
) -> tuple[list[PackageEntry], str | None]:
    """What is asked of the viewer's organisation, package by package; and where to go on.

    By the earliest due date of each.
    """
    viewer.needs(Scope.DIRECTIVES_READ)
    found = ObligationRow.objects.filter(organisation=viewer.acting_for(), state__in=ACTIVE)
    if directive:
        row, _, _ = directive_seen(viewer, directive)
        found = found.filter(directive=row)
    found = with_packages(found)
    groups, following = _page(found, PACKAGE, now, after, most)
    members = _members(found, groups)
    first = _first(viewer, {key: [one["pk"] for one in rows] for key, rows in members.items()})
    return [
        _package_entry(one, members[_key(one, PACKAGE)], first[_key(one, PACKAGE)])
        for one in groups
    ], following  # fmt: skip


def entries_under(
    viewer: Viewer, name: str, *, now: datetime, after: str = "", most: int = PAGE
) -> tuple[list[PlaceEntry], str | None]:
    """What is open under a directive, for who issued it, by organisation and system.

    A system stands there only where its name is seen of each obligation; see :mod:`.entries`.
    """
    row, directive, parts = directive_seen(viewer, name)
    if DirectivePart.OBLIGATIONS not in parts:
        raise NotFound(MISSING)
    active = ObligationRow.objects.filter(directive=row, state__in=ACTIVE)
    found = with_places(active, viewer, directive)
    groups, following = _page(found, PLACE, now, after, most)
    keys: dict[Any, list[int]] = defaultdict(list)
    those = _of(found, groups, PLACE)
    for pk, *key in those.order_by("rank", "name").values_list("pk", *PLACE):
        keys[tuple(key)].append(pk)
    first = _first(viewer, keys)
    made = []
    for one in groups:
        seen = first[_key(one, PLACE)]
        organisation = seen[0].row.organisation.name if seen else ""
        made.append(PlaceEntry(organisation, one["place"], _tally(one), seen))
    return made, following


def _page(
    found: QuerySet[ObligationRow], keys: tuple[str, ...], now: datetime, after: str, most: int
) -> tuple[list[dict[str, Any]], str | None]:
    """The entries that follow ``after``, which is where the last one of the page before stands.

    It is the due date and the name of what is due first there, and stays so when that is met.
    """
    rows = (
        found.values(*keys)
        .annotate(
            at=Min(Concat("rank", Value(" "), "name")),
            count=Count("pk"),
            flaws=Count("flaw", distinct=True),
            overdue=Count("pk", filter=Q(state=State.OPEN, due__lt=now)),
            examined=Count("pk", filter=Q(state=State.HANDED_IN)),
            may_apply=Count("pk", filter=Q(applies=Applies.MAYBE)),
            signs=Count("pk", filter=Q(forensic=True)),
            earliest=Min("due"),
        )
        .order_by("at")
    )
    if after:
        rows = rows.filter(at__gt=after)
    groups = list(rows[: most + 1])
    return groups[:most], (groups[most - 1]["at"] if len(groups) > most else None)


def _of(
    found: QuerySet[ObligationRow], groups: Collection[Mapping[str, Any]], keys: tuple[str, ...]
) -> QuerySet[ObligationRow]:
    """The obligations of these entries, and a few more that share a part of a key with them."""
    return found.filter(**{f"{key}__in": {one[key] for one in groups} for key in keys})


def _members(
    found: QuerySet[ObligationRow], groups: Collection[Mapping[str, Any]]
) -> dict[Any, list[dict[str, Any]]]:
    """What is needed of every obligation of these entries, by due date."""
    rows = _of(found, groups, PACKAGE)
    made: dict[Any, list[dict[str, Any]]] = {_key(one, PACKAGE): [] for one in groups}
    for one in rows.order_by("rank", "name").values(
        "pk", *PACKAGE, "flaw", "due", "rank", "unanswered", "system__name", "exposure__found",
        "exposure__judged",
    ):  # fmt: skip
        if (key := _key(one, PACKAGE)) in made:
            made[key].append(one)
    return made


def _first(viewer: Viewer, keys: Mapping[Any, Sequence[int]]) -> dict[Any, list[Seen]]:
    """The first obligations of each entry, as their viewer sees them."""
    wanted = {pk for some in keys.values() for pk in some[:SHOWN]}
    seen = {one.row.pk: one for one in seen_among(viewer, wanted)}
    return {key: [seen[pk] for pk in some[:SHOWN] if pk in seen] for key, some in keys.items()}


def _package_entry(
    group: Mapping[str, Any], members: Sequence[Mapping[str, Any]], first: Sequence[Seen]
) -> PackageEntry:
    found = remedies(
        each
        for one in members
        for each in flawed_in(
            one["exposure__found"], system=one["system__name"], flaw=one["flaw"], due=one["due"],
            rank=one["rank"],
        )
    )  # fmt: skip
    leading = (group["ecosystem"], group["package"])
    found.sort(key=lambda one: (one.ecosystem, one.package) != leading)
    judged = [(one["flaw"], one["exposure__judged"]) for one in members]
    said = [Severity(one["severity"]) for _, one in judged if one.get("severity")]
    return PackageEntry(
        system=members[0]["system__name"] if members else "",
        package=group["package"],
        tally=_tally(group),
        flaws=group["flaws"],
        forensic=bool(group["signs"]),
        remedies=found,
        attacked=len({flaw for flaw, one in judged if one.get("kev")}),
        severity=max(said, key=lambda one: one.rank, default=None),
        unanswered=frozenset(key for one in members for key in one["unanswered"]),
        first=first,
    )


def _tally(group: Mapping[str, Any]) -> Tally:
    return Tally(
        group["count"], group["overdue"], group["examined"], group["may_apply"], group["earliest"]
    )


def _key(one: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(one[key] for key in keys)
