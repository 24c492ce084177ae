"""Who may look into an organisation, and who may run it."""

from __future__ import annotations

from clearhouse.errors import NotFound, Refused
from clearhouse.office.orgs.models import Membership, Organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


def seen_by(viewer: Viewer, organisation: int) -> Organisation:
    """An organisation that the viewer acts for, or any for a coordinator.

    Raises :class:`NotFound` for others, and :class:`Refused` for a key without the scope.
    """
    if organisation != viewer.organisation and not viewer.coordinates:
        raise _unknown()
    if Scope.ORGANISATION_READ not in viewer.scopes:
        viewer.needs(Scope.ORGANISATION_READ)
    found = Organisation.objects.filter(pk=organisation).first()
    if found is None:
        raise _unknown()
    return found


def runs(viewer: Viewer, organisation: int) -> bool:
    """Whether the viewer is a coordinator or manages that organisation, by its own hand.

    A machine runs nothing: a key that leaked makes no further keys.
    """
    if viewer.key is not None:
        return False
    return viewer.coordinates or manages(viewer, organisation)


def manages(viewer: Viewer, organisation: int) -> bool:
    """Whether the viewer is a person who manages that organisation, which it acts for now."""
    if viewer.key is not None or viewer.organisation != organisation:
        return False
    managers = Membership.objects.filter(organisation=organisation, is_manager=True)
    return managers.filter(user=viewer.person, user__is_active=True).exists()


def run_by(viewer: Viewer, organisation: int) -> Organisation:
    """The organisation, held until the transaction ends, for one who runs it.

    Raises :class:`NotFound` for one the viewer may not know of, else :class:`Refused`.  Call it in
    a transaction: two that change the same organisation go one after the other.
    """
    found = seen_by(viewer, organisation)
    held = Organisation.objects.select_for_update(no_key=True).get(pk=found.pk)
    if viewer.key is not None:
        raise Refused("an API key cannot do this; sign in")
    if not runs(viewer, organisation):
        raise Refused("only a manager of the organisation can do this")
    return held


def coordinated_by(viewer: Viewer) -> None:
    """Raise :class:`NotFound` for anybody but a person of this office's organisation."""
    viewer.must_coordinate()
    if viewer.key is not None:
        raise Refused("an API key cannot do this; sign in")


def _unknown() -> NotFound:
    return NotFound("there is no such organisation")
