"""The one place where access begins and ends: what else has to follow, is called from here.

Access itself is asked of the rules at each use (:mod:`clearhouse.protocol.entitlement`), so that
nothing here can be late: what these write down is that it began, and that it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from clearhouse.office.reviews.actions.journal import note
from clearhouse.office.reviews.models import Review, ThirdParty
from clearhouse.protocol.partners import ChoiceState

Follower = Callable[[Review, ThirdParty | None, datetime], None]
"""Is told of a party's access in the transaction that changes it; None is the government."""

_OPENED: Final[list[Follower]] = []
_ENDED: Final[list[Follower]] = []


def when_opened(follower: Follower) -> Follower:
    """Register what follows the beginning of an access; a decorator."""
    if follower not in _OPENED:
        _OPENED.append(follower)
    return follower


def when_ended(follower: Follower) -> Follower:
    """Register what follows the end of an access; a decorator."""
    if follower not in _ENDED:
        _ENDED.append(follower)
    return follower


def open_access(review: Review, party: ThirdParty | None, *, by: str, now: datetime) -> None:
    """Access of a party begins, within the window; in the caller's transaction, review held."""
    who = party.organisation.name if party is not None else "The government"
    note(
        review, "access-opened", f"{who} has access while the window is open.", by=by, now=now,
        facts={"party": party.name if party is not None else "government"},
    )  # fmt: skip
    for one in _OPENED:
        one(review, party, now)


def end_access(review: Review, party: ThirdParty | None, *, by: str, now: datetime) -> None:
    """Access of a party is over; in the caller's transaction, review held."""
    who = party.organisation.name if party is not None else "The government"
    note(
        review, "access-ended", f"{who} has no access any more.", by=by, now=now,
        facts={"party": party.name if party is not None else "government"},
    )  # fmt: skip
    for one in _ENDED:
        one(review, party, now)


def end_all_access(review: Review, *, by: str, now: datetime) -> None:
    """The same for everybody who had it."""
    if review.starts_at is None:
        return
    for party in review.parties.select_related("organisation").filter(state=ChoiceState.JOINED):
        end_access(review, party, by=by, now=now)
    end_access(review, None, by=by, now=now)
