"""Changes of grants, numbered, so that gateways learn of each."""

from __future__ import annotations

from collections.abc import Iterable

from clearhouse.office.access.models import AccessChange, AccessGrant


def number_changed(grants: Iterable[AccessGrant]) -> None:
    """Give grants that change the next numbers.  Within the transaction of the change.

    The row is held until that ends, so that numbers become visible in their order: no gateway
    reads past one that is still to come.
    """
    changed = list(grants)
    held = AccessChange.objects.select_for_update()
    row = held.filter(pk=1).first()
    if row is None:
        AccessChange.objects.bulk_create([AccessChange(pk=1)], ignore_conflicts=True)
        row = held.get(pk=1)
    for grant in changed:
        row.number += 1
        grant.changed = row.number
    row.save(force_update=True)
