"""Who sees a grant or an endpoint: its developer, its party, and the office."""

from __future__ import annotations

from clearhouse.errors import NotFound
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


def is_side(viewer: Viewer, grant: AccessGrant) -> bool:
    """Whether the viewer is one of the sides of a grant, or the office."""
    if viewer.coordinates:
        return True
    return viewer.organisation is not None and viewer.organisation in (
        grant.party_id,
        grant.endpoint.owner_id,
    )


def grant_seen(viewer: Viewer, name: str) -> AccessGrant:
    """A grant.  Raises :class:`NotFound` for whoever may not know of it."""
    found = AccessGrant.objects.select_related("endpoint", "party").filter(name=name).first()
    if found is None or not is_side(viewer, found):
        raise NotFound("there is no such grant here")
    viewer.needs(Scope.ORGANISATION_READ)
    return found


def endpoint_seen(viewer: Viewer, name: str) -> Endpoint:
    """An endpoint, for its developer and the office.  Raises :class:`NotFound`."""
    found = Endpoint.objects.filter(name=name).first()
    if found is None or not (viewer.coordinates or viewer.organisation == found.owner_id):
        raise NotFound("there is no such endpoint here")
    viewer.needs(Scope.ORGANISATION_READ)
    return found


@may_see_by
def _sees_entries(viewer: Viewer, subject: str) -> bool:
    """Entries about a grant are for its sides, about an endpoint for its developer."""
    if subject.startswith("G-"):
        grant = AccessGrant.objects.select_related("endpoint").filter(name=subject).first()
        return grant is not None and is_side(viewer, grant)
    if subject.startswith("E-"):
        endpoint = Endpoint.objects.filter(name=subject).first()
        return endpoint is not None and (
            viewer.coordinates or viewer.organisation == endpoint.owner_id
        )
    return subject.startswith("J-") and viewer.coordinates
