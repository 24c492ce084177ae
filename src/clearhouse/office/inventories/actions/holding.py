"""A system held until the transaction ends, in the one order that everybody goes by."""

from __future__ import annotations

from clearhouse.errors import Conflict
from clearhouse.office.feeds.holding import hold_still
from clearhouse.office.inventories.models import System
from clearhouse.office.orgs.queries import hold


def held(system: System) -> System:
    """The system as it stands, after what is known and its organisation, and before the ledger.

    Telling somebody holds its organisation: who held the system first would wait for who waits.
    Its key never changes: rows that name it are written meanwhile, and wait for nobody.
    """
    hold_still()
    hold(system.organisation_id)
    return System.objects.select_for_update(no_key=True).get(pk=system.pk)


def held_in_use(system: System) -> System:
    """The same for one that is in use.  Raises :class:`Conflict` where it was retired."""
    found = held(system)
    if found.retired_at is not None:
        raise Conflict("this system was retired")
    return found
