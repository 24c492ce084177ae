"""How urgent each exposure is: made from what catalogues say and what the owner has answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearhouse.office.inventories.models import Exposure, System
from clearhouse.protocol.bod2604 import Facts, timeline


def judge(system: System, exposures: Sequence[Exposure], *, now: datetime) -> None:
    """Write the judgement into each of the exposures of a system; the caller saves them."""
    exposed = {"yes": True, "no": False}.get(system.answers.get("exposed", ""))
    for one in exposures:
        found = timeline(Facts(detected=one.detected_at, exposed=exposed))
        one.due = found.due
        one.rank = found.due.isoformat() if found.due else "~"
        one.judged = {"possible": list(found.possible)}
