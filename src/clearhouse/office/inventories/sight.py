"""Who sees a system, its inventories and what touches it: its owner, and nobody else.

What an organisation runs is its own.  The office learns from it what it asks a case for, how many
and whom that touches; see ``touched.py``.
"""

from __future__ import annotations

from clearhouse.errors import NotFound
from clearhouse.office.inventories.models import Exposure, Inventory, OwnStatements, System
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.roles import Scope

MISSING = "there is no such thing here"


def owns(viewer: Viewer, organisation: int) -> bool:
    """Whether the viewer acts for the organisation that a system belongs to."""
    return viewer.organisation is not None and viewer.organisation == organisation


def system_seen(viewer: Viewer, name: str) -> System:
    """A system by its name, for its owner.  Raises :class:`NotFound`, the same as for none."""
    found = System.objects.select_related("organisation").filter(name=name).first()
    if found is None or not (viewer == SYSTEM or owns(viewer, found.organisation_id)):
        raise NotFound(MISSING)
    viewer.needs(Scope.INVENTORIES_READ)
    return found


def exposure_seen(viewer: Viewer, name: str) -> Exposure:
    """What touches a system, by its name.  Raises :class:`NotFound`."""
    found = Exposure.objects.select_related("system__organisation").filter(name=name).first()
    if found is None or not owns(viewer, found.system.organisation_id):
        raise NotFound(MISSING)
    viewer.needs(Scope.INVENTORIES_READ)
    return found


@may_see_by
def _sees_entries(viewer: Viewer, subject: str) -> bool:
    """Entries about systems and inventories are for those who own them."""
    if subject.startswith("SY-"):
        return any(owns(viewer, one.organisation_id) for one in System.objects.filter(name=subject))
    if subject.startswith("IN-"):
        rows = Inventory.objects.select_related("system").filter(name=subject)
        return any(owns(viewer, one.system.organisation_id) for one in rows)
    if subject.startswith("VX-"):
        own = OwnStatements.objects.select_related("system").filter(name=subject)
        return any(owns(viewer, one.system.organisation_id) for one in own)
    return False
