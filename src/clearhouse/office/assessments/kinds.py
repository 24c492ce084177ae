"""The kinds of the room's own entries in the ledger."""

from __future__ import annotations

from typing import Final

COMMITTED: Final = "assessment.plan-committed"
RETIRED: Final = "assessment.plan-retired"
SET_OPENED: Final = "assessment.set-opened"
#: What the figures are made of.
COUNTED: Final = "assessment.counted"
