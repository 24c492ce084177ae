"""What the sides of a grant see: the grants, what was done with them, what was unusual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from clearhouse.errors import NotFound
from clearhouse.office.access.models import AccessAlert, AccessGrant, AccessUse, Endpoint
from clearhouse.office.access.sight import (
    Sight,
    endpoint_seen,
    grant_seen,
    knows_window,
    sees_uses,
)
from clearhouse.office.access.values import grant_of, spent_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.grants import Amounts, Refusal, stands
from clearhouse.protocol.roles import Role, Scope

__all__ = [
    "AccessAlert", "AccessGrant", "AccessUse", "Endpoint", "SeenGrant", "SeenUse", "alerts",
    "contents", "developers_endpoints", "endpoints", "grant", "grants", "own_endpoint",
    "own_endpoints", "seen_grant", "seen_grants", "uses", "why_closed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenGrant:
    """A grant as a viewer sees it at a time.

    ``no`` is why it gives no access then, None where it does; ``alerts`` how often its use was
    unusual.  ``spent`` and ``last_use`` are None where its use is not the viewer's to see.
    """

    row: AccessGrant
    no: Refusal | None
    alerts: int
    spent: Amounts | None
    last_use: datetime | None

    @property
    def budget(self) -> Amounts:
        """What it may use up in all."""
        return Amounts(self.row.requests, self.row.tokens, self.row.micros)


@dataclass(frozen=True, slots=True)
class SeenUse:
    """A use, and whether its contents are there for the viewer."""

    row: AccessUse
    has_contents: bool


def grants(viewer: Viewer, *, window: str | None = None) -> Sequence[AccessGrant]:
    """Those on one's own endpoints and one's own as a party; all for the office.  Latest first.

    Of windows that the viewer may not know of there are none.
    """
    found = _seen(viewer)
    if window is not None:
        found = found.filter(window=window)
    rows = list(found.select_related("endpoint", "party", "holder").order_by("-issued_at", "-pk"))
    known = {one: knows_window(viewer, one) for one in {row.window for row in rows}}
    sight = Sight(viewer)
    seen = (one for one in rows if known[one.window])
    return [one for one in seen if viewer.coordinates or sight.of_uses(one)]


def grant(viewer: Viewer, name: str) -> AccessGrant:
    """One of them.  Raises :class:`NotFound`."""
    return grant_seen(viewer, name)


def seen_grants(viewer: Viewer, window: str, *, now: datetime) -> list[SeenGrant]:
    """The grants of a window with how they stand and what was used, the latest first."""
    return _overview(viewer, grants(viewer, window=window), now)


def seen_grant(viewer: Viewer, name: str, *, now: datetime) -> SeenGrant:
    """One grant in the same way.  Raises :class:`NotFound`."""
    return _overview(viewer, [grant_seen(viewer, name)], now)[0]


def why_closed(row: AccessGrant, *, now: datetime) -> Refusal | None:
    """Why a grant gives no access at that time; None where it does."""
    return stands(grant_of(row), max(now, row.seen_at))


def uses(
    viewer: Viewer, name: str, *, before: str = "", most: int = 100
) -> tuple[list[SeenUse], str]:
    """What was done with a grant, the latest first, and after which use more follow, if any do.

    ``before`` is the name of a use: those that began before it.  For its developer and its party.
    Raises :class:`NotFound`.
    """
    found = grant_seen(viewer, name)
    if not sees_uses(viewer, found):
        raise NotFound("there is no such grant here")
    rows = AccessUse.objects.filter(grant=found).defer("contents")
    if before:
        last = rows.filter(name=before).first()
        if last is None:
            raise NotFound("there is no such use here")
        rows = rows.filter(
            Q(begun_at__lt=last.begun_at) | Q(begun_at=last.begun_at, pk__lt=last.pk)
        )
    page = list(rows.order_by("-begun_at", "-pk")[: most + 1])
    shown = page[:most]
    kept: set[int] = set()
    if viewer.organisation == found.endpoint.owner_id:
        with_contents = AccessUse.objects.filter(pk__in=[one.pk for one in shown])
        kept = set(with_contents.exclude(contents=None).values_list("pk", flat=True))
    following = shown[-1].name if len(page) > most else ""
    return [SeenUse(one, one.pk in kept) for one in shown], following


def contents(viewer: Viewer, name: str, use: str) -> bytes:
    """The contents of a use of a grant, encrypted to the developer: for the developer alone.

    Raises :class:`NotFound`, also where they were not kept.
    """
    viewer.needs(Scope.REVIEWS_READ)
    found = AccessUse.objects.filter(
        name=use, grant__name=name, grant__endpoint__owner=viewer.acting_for(),
        contents__isnull=False,
    ).first()  # fmt: skip
    if found is None or found.contents is None:
        raise NotFound("there are no such contents here")
    return bytes(found.contents)


def alerts(
    viewer: Viewer, *, window: str | None = None, of: str | None = None, most: int = 100
) -> list[AccessAlert]:
    """Unusual use that concerns the viewer, of a window or ``of`` one grant; the latest first."""
    seen = grants(viewer, window=window)
    found = AccessAlert.objects.filter(
        grant__in=[one.pk for one in seen if of in (None, one.name)]
    ).select_related("grant__party")
    return list(found.order_by("-at", "-pk")[:most])


def endpoints(viewer: Viewer) -> Sequence[Endpoint]:
    """One's own endpoints; all for the office.  The secrets stay sealed."""
    viewer.needs(Scope.REVIEWS_READ)
    found = Endpoint.objects.defer("sealed_credential", "sealed_canaries")
    if not viewer.coordinates:
        found = found.filter(owner=viewer.acting_for())
    return list(found.select_related("owner").order_by("-opened_at", "-pk"))


def own_endpoints(viewer: Viewer) -> list[Endpoint]:
    """Those of the organisation that the viewer acts for, also where it is the office."""
    return [one for one in endpoints(viewer) if one.owner_id == viewer.organisation]


def developers_endpoints(viewer: Viewer) -> list[Endpoint]:
    """The same for a developer.

    Raises :class:`NotFound` for whoever is none and has none: there is no such page for it.
    """
    found = own_endpoints(viewer) if viewer.organisation is not None else []
    if not found and not viewer.has(Role.DEVELOPER):
        raise NotFound("there is no such thing here")
    return found


def own_endpoint(viewer: Viewer, name: str) -> Endpoint:
    """One of them.  Raises :class:`NotFound`."""
    found = endpoint_seen(viewer, name)
    if found.owner_id != viewer.organisation:
        raise NotFound("there is no such endpoint here")
    return found


def _overview(viewer: Viewer, rows: Sequence[AccessGrant], now: datetime) -> list[SeenGrant]:
    pks = [one.pk for one in rows]
    latest = AccessUse.objects.filter(grant=OuterRef("pk")).order_by("-begun_at")
    last = dict(
        AccessGrant.objects.filter(pk__in=pks)
        .annotate(last=Subquery(latest.values("begun_at")[:1]))
        .values_list("pk", "last")
    )
    told = dict(
        AccessAlert.objects.filter(grant__in=pks)
        .values("grant").annotate(count=Count("pk")).values_list("grant", "count")
    )  # fmt: skip
    sight = Sight(viewer)
    return [
        SeenGrant(
            one, why_closed(one, now=now), told.get(one.pk, 0),
            spent=spent_of(one) if sight.of_uses(one) else None,
            last_use=last[one.pk] if sight.of_uses(one) else None,
        )
        for one in rows
    ]  # fmt: skip


def _seen(viewer: Viewer) -> QuerySet[AccessGrant]:
    viewer.needs(Scope.REVIEWS_READ)
    found = AccessGrant.objects.all()
    if viewer.coordinates:
        return found
    own = viewer.acting_for()
    return found.filter(Q(party=own) | Q(endpoint__owner=own))
