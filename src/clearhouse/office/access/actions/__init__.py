"""What is done in the room: opening and changing endpoints, issuing grants, ending them."""

from __future__ import annotations

from clearhouse.office.access.actions.endpoints import (
    Change,
    Terms,
    change_endpoint,
    close_endpoint,
    open_endpoint,
)
from clearhouse.office.access.actions.grants import (
    Issued,
    issue,
    pause,
    resume,
    revoke,
    shorten,
)
from clearhouse.office.access.actions.windows import (
    end_for_leavers,
    end_grants,
    hold_grants,
    release_grants,
    shorten_grants,
)

__all__ = [
    "Change",
    "Issued",
    "Terms",
    "change_endpoint",
    "close_endpoint",
    "end_for_leavers",
    "end_grants",
    "hold_grants",
    "issue",
    "open_endpoint",
    "pause",
    "release_grants",
    "resume",
    "revoke",
    "shorten",
    "shorten_grants",
]
