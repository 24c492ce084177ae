"""What is done in the room: opening endpoints, issuing grants, ending them."""

from __future__ import annotations

from clearhouse.office.access.actions.endpoints import Terms, close_endpoint, open_endpoint
from clearhouse.office.access.actions.grants import (
    Issued,
    issue,
    pause,
    resume,
    revoke,
    shorten,
    withdraw_all,
)

__all__ = [
    "Issued",
    "Terms",
    "close_endpoint",
    "issue",
    "open_endpoint",
    "pause",
    "resume",
    "revoke",
    "shorten",
    "withdraw_all",
]
