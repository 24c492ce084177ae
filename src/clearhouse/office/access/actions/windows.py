"""What a window does to the grants that belong to it, and that a person leaves.

Whoever ends, pauses or shortens a window was asked for its right to where the window is: here
nobody is asked.  In the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearhouse.office.access.changes import number_changed
from clearhouse.office.access.models import AccessGrant
from clearhouse.office.access.values import grant_of
from clearhouse.office.ledgerbook.actions import Decision, record_many
from clearhouse.office.orgs.queries import still_there
from clearhouse.protocol import grants


def end_grants(window: str, *, of: int | None = None, now: datetime) -> int:
    """End the grants of a window for good, or those ``of`` one organisation.  How many ended."""
    rows = _standing(window)
    if of is not None:
        rows = [one for one in rows if one.party_id == of]
    for one in rows:
        one.withdrawn_at = now
    return _put(rows, "access.withdrawn", now=now)


def end_for_leavers(*, now: datetime) -> int:
    """End for good the grants of people who left the party that they held them for.  How many."""
    rows = AccessGrant.objects.select_for_update(of=("self",)).select_related("party")
    held = list(rows.filter(withdrawn_at=None, holder__isnull=False).order_by("pk"))
    there = still_there(one.holder_id for one in held if one.holder_id is not None)
    gone = [one for one in held if (one.holder_id, one.party_id) not in there]
    for one in gone:
        one.withdrawn_at = now
    return _put(gone, "access.withdrawn", now=now)


def hold_grants(window: str, *, now: datetime) -> int:
    """Hold the grants of a window while it is paused.  Their ends stay where they are."""
    rows = [one for one in _standing(window) if one.held_at is None]
    for one in rows:
        one.held_at = now
    return _put(rows, "access.paused", now=now)


def release_grants(window: str, *, now: datetime) -> int:
    """Hold them no more; a grant that is paused by itself stays so."""
    rows = [one for one in _standing(window) if one.held_at is not None]
    for one in rows:
        one.held_at = None
    return _put(rows, "access.resumed", now=now)


def shorten_grants(window: str, end: datetime, *, now: datetime) -> int:
    """Let no grant of a window last longer than to this end."""
    rows = [one for one in _standing(window) if one.ends_at > end]
    for one in rows:
        one.ends_at = grants.shortened(grant_of(one), end).window.end
    return _put(rows, "access.shortened", now=now)


def _standing(window: str) -> list[AccessGrant]:
    rows = AccessGrant.objects.select_for_update(of=("self",)).select_related("party")
    return list(rows.filter(window=window, withdrawn_at=None).order_by("pk"))


def _put(rows: Sequence[AccessGrant], kind: str, *, now: datetime) -> int:
    if rows:
        number_changed(rows)
    for one in rows:
        one.save(update_fields=["withdrawn_at", "held_at", "ends_at", "changed"])
    record_many(
        (Decision(kind, one.name, {"until": one.ends_at.isoformat()}) for one in rows), now=now
    )
    return len(rows)
