"""The dates that directives set, as the judging of what touches a system takes them in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from clearhouse.exposure.judging.facts import Fact
from clearhouse.office.batches import batches
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.inventories.obliging import obliges
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.directives.selection import Applies

_BATCH: Final = 5_000


@obliges
def dates_of(exposures: Collection[int]) -> dict[int, Fact[datetime]]:
    """The earliest date of each exposure's open obligations; those that may apply set none yet."""
    found: dict[int, Fact[datetime]] = {}
    for some in batches(sorted(exposures), _BATCH):
        rows = ObligationRow.objects.filter(
            exposure__in=some, state=State.OPEN,
            applies=Applies.YES, due__isnull=False,
        ).order_by("-due", "-pk").select_related("directive__issuer")  # fmt: skip
        for one in rows:  # the earliest comes last, and stays
            assert one.due is not None
            said = f"{one.directive.issuer.name} ({one.directive})"
            found[one.exposure_id] = Fact(one.due, said)
    return found
