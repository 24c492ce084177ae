"""What the sides of a grant see: the grants, what was done with them, what was unusual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.access.models import AccessAlert, AccessGrant, AccessUse, Endpoint
from clearhouse.office.access.sight import grant_seen
from clearhouse.office.access.values import grant_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.grants import Refusal, stands
from clearhouse.protocol.roles import Scope


def grants(viewer: Viewer, *, window: str | None = None) -> Sequence[AccessGrant]:
    """Those on one's own endpoints and one's own as a party; all for the office.  Latest first."""
    found = _seen(viewer)
    if window is not None:
        found = found.filter(window=window)
    return list(found.select_related("endpoint", "party").order_by("-issued_at", "-pk"))


def grant(viewer: Viewer, name: str) -> AccessGrant:
    """One of them.  Raises :class:`NotFound`."""
    return grant_seen(viewer, name)


def why_closed(row: AccessGrant, *, now: datetime) -> Refusal | None:
    """Why a grant gives no access at that time; None where it does."""
    return stands(grant_of(row), max(now, row.seen_at))


def uses(viewer: Viewer, name: str, *, most: int = 100) -> Sequence[AccessUse]:
    """What was done with a grant, the latest first, contents left out.  Raises NotFound."""
    found = AccessUse.objects.filter(grant=grant_seen(viewer, name)).defer("contents")
    return list(found.order_by("-begun_at", "-pk")[:most])


def contents(viewer: Viewer, use: str) -> bytes:
    """The contents of a use, encrypted to the developer: for the developer alone.

    Raises :class:`NotFound`, also where they were not kept.
    """
    viewer.needs(Scope.ORGANISATION_READ)
    found = AccessUse.objects.filter(
        name=use, grant__endpoint__owner=viewer.acting_for(), contents__isnull=False
    ).first()
    if found is None or found.contents is None:
        raise NotFound("there are no such contents here")
    return bytes(found.contents)


def alerts(viewer: Viewer, *, most: int = 100) -> Sequence[AccessAlert]:
    """Unusual use that concerns the viewer, the latest first."""
    found = AccessAlert.objects.filter(grant__in=_seen(viewer)).select_related("grant")
    return list(found.order_by("-at", "-pk")[:most])


def endpoints(viewer: Viewer) -> Sequence[Endpoint]:
    """One's own endpoints; all for the office.  The secrets stay sealed."""
    viewer.needs(Scope.ORGANISATION_READ)
    found = Endpoint.objects.defer("sealed_credential", "sealed_canaries")
    if not viewer.coordinates:
        found = found.filter(owner=viewer.acting_for())
    return list(found.select_related("owner").order_by("-opened_at", "-pk"))


def _seen(viewer: Viewer) -> QuerySet[AccessGrant]:
    viewer.needs(Scope.ORGANISATION_READ)
    found = AccessGrant.objects.all()
    if viewer.coordinates:
        return found
    own = viewer.acting_for()
    return found.filter(Q(party=own) | Q(endpoint__owner=own))
