"""Who sees a grant or an endpoint: its developer, its party, and the office.

A grant belongs to a window, and whoever may not know of that knows nothing of the grant: the room
that the window is of says so, by a rule that it registers when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from clearhouse.errors import NotFound
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.orgs.access import manages
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

KnowsOf = Callable[[Viewer, str], bool]
"""Whether a viewer may know of a window; True for the windows of other rooms."""

_WINDOWS: list[KnowsOf] = []


def window_known_by(rule: KnowsOf) -> KnowsOf:
    """Register a room's rule for its windows; a decorator."""
    if rule not in _WINDOWS:
        _WINDOWS.append(rule)
    return rule


def knows_window(viewer: Viewer, window: str) -> bool:
    """Whether no room hides a window from the viewer."""
    return all(rule(viewer, window) for rule in _WINDOWS)


class Sight:
    """What one viewer sees of grants; whether it manages its organisation is looked up once."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def of(self, grant: AccessGrant) -> bool:
        """Whether the viewer is one of the sides of a grant, or the office, and knows its window.

        A grant with a holder is that person's and the managers' of its party, and nobody else's
        there.
        """
        is_there = self._viewer.coordinates or self.of_uses(grant)
        return is_there and knows_window(self._viewer, grant.window)

    def of_uses(self, grant: AccessGrant) -> bool:
        """Whether what was done with it is the viewer's to see: its developer's, its party's.

        The office sees that others have grants and what was unusual, and not what they asked.
        """
        own = self._viewer.organisation
        if own is None:
            return False
        return own == grant.endpoint.owner_id or (own == grant.party_id and self._is_for(grant))

    def _is_for(self, grant: AccessGrant) -> bool:
        if grant.holder_id is None:
            return True
        return self._manages or (
            self._viewer.key is None and self._viewer.person == grant.holder_id
        )

    @cached_property
    def _manages(self) -> bool:
        own = self._viewer.organisation
        return own is not None and manages(self._viewer, own)


def is_side(viewer: Viewer, grant: AccessGrant) -> bool:
    """Whether a grant is the viewer's to see, see :meth:`Sight.of`."""
    return Sight(viewer).of(grant)


def sees_uses(viewer: Viewer, grant: AccessGrant) -> bool:
    """Whether what was done with it is, see :meth:`Sight.of_uses`."""
    return Sight(viewer).of_uses(grant)


def grant_seen(viewer: Viewer, name: str) -> AccessGrant:
    """A grant.  Raises :class:`NotFound` for whoever may not know of it."""
    found = (
        AccessGrant.objects.select_related("endpoint", "party", "holder").filter(name=name).first()
    )
    if found is None or not is_side(viewer, found):
        raise NotFound("there is no such grant here")
    viewer.needs(Scope.REVIEWS_READ)
    return found


def endpoint_seen(viewer: Viewer, name: str) -> Endpoint:
    """An endpoint, for its developer and the office.  Raises :class:`NotFound`."""
    found = Endpoint.objects.filter(name=name).first()
    if found is None or not (viewer.coordinates or viewer.organisation == found.owner_id):
        raise NotFound("there is no such endpoint here")
    viewer.needs(Scope.REVIEWS_READ)
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
