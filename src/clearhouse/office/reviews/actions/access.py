"""The one place where access begins and ends, with the grants that hang on it.

Whether a party has access follows from the rules (:mod:`clearhouse.protocol.entitlement`) at each
moment.  A grant is what the gateway knows of it: it is given by the developer to who has access,
ends with the window at the latest, and here with the access.  Either side holds or ends a single
grant before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.access import actions as grants
from clearhouse.office.access import queries as access
from clearhouse.office.access.actions import Issued
from clearhouse.office.access.queries import AccessGrant
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.orgs.access import run_by
from clearhouse.office.orgs.queries import organisation_with
from clearhouse.office.reviews.actions.journal import locked_by_side, note
from clearhouse.office.reviews.models import Review, ThirdParty
from clearhouse.office.reviews.queries.values import access_facts, window_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.entitlement import has_access, latest_end
from clearhouse.protocol.grants import Amounts, Call, Rates
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.roles import Role


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a developer lets a party do with its endpoint."""

    endpoint: str
    models: Sequence[str]
    calls: Sequence[Call]
    budget: Amounts
    rates: Rates
    networks: Sequence[str]
    holder: str = ""


def give_grant(
    viewer: Viewer, name: str, to: str, allowance: Allowance, *, now: datetime
) -> Issued:
    """Give a party that has access (an organisation's short name) a grant up to the window's end.

    For the managers of the developer.  Raises :class:`Refused` for who has no access now, and as
    :func:`clearhouse.office.access.actions.issue`.
    """
    with transaction.atomic():
        review = _locked(viewer, name, ReviewDeed.GIVE)
        party = _party(review, to)
        if not has_access(access_facts(review, party), now):
            raise Refused("it has no access now: a grant follows an access that was agreed on")
        end = latest_end(window_of(review))
        assert end is not None, "who has access has a window"
        made = grants.issue(
            viewer, allowance.endpoint, party=to, window=review.name, start=now, end=end,
            models=allowance.models, calls=allowance.calls, budget=allowance.budget,
            rates=allowance.rates, networks=allowance.networks, holder=allowance.holder, now=now,
        )  # fmt: skip
        who = party.organisation.name if party is not None else "The government"
        note(
            review, "grant-given", f"{who} may use the developer's endpoint until the window ends.",
            by=viewer.name, now=now, facts={"grant": made.grant.name},
        )  # fmt: skip
        return made


def pause_grant(viewer: Viewer, name: str, grant: str, *, now: datetime) -> AccessGrant:
    """Hold a grant of a review.  Either side's people may; its end stays where it is."""
    return _changed(viewer, name, grant, "paused", ReviewDeed.AGREE, grants.pause, now=now)


def resume_grant(viewer: Viewer, name: str, grant: str, *, now: datetime) -> AccessGrant:
    """Hold it no more: for the developer's managers alone."""
    return _changed(viewer, name, grant, "resumed", ReviewDeed.GIVE, grants.resume, now=now)


def shorten_grant(
    viewer: Viewer, name: str, grant: str, end: datetime, *, now: datetime
) -> AccessGrant:
    """Let it end earlier.  Either side's people may.  Raises :class:`Refused` for a later end."""

    def shorten(viewer: Viewer, grant: str, /, *, now: datetime) -> AccessGrant:
        return grants.shorten(viewer, grant, end, now=now)

    return _changed(viewer, name, grant, "shortened", ReviewDeed.AGREE, shorten, now=now)


def revoke_grant(viewer: Viewer, name: str, grant: str, *, now: datetime) -> AccessGrant:
    """End it at once and for good.  Either side's people may."""
    return _changed(viewer, name, grant, "revoked", ReviewDeed.AGREE, grants.revoke, now=now)


class _Deed(Protocol):
    def __call__(self, viewer: Viewer, grant: str, /, *, now: datetime) -> AccessGrant: ...


def _changed(
    viewer: Viewer, name: str, grant: str, how: str, deed: ReviewDeed, act: _Deed, *, now: datetime
) -> AccessGrant:
    """Change a grant of this review, with a line in its timeline where something changed."""
    with transaction.atomic():
        review = _locked(viewer, name, deed)
        before = access.grant(viewer, grant)
        if before.window != review.name:
            raise NotFound("there is no such grant here")
        after = act(viewer, grant, now=now)
        if _state(after) != _state(before):
            note(
                review, f"grant-{how}", f"A grant of {before.party.name} was {how}.",
                by=viewer.name, now=now, facts={"grant": grant},
            )  # fmt: skip
        return after


def _locked(viewer: Viewer, name: str, deed: ReviewDeed) -> Review:
    """The review, held for one of its two sides; what is the managers' is theirs before all else.

    Raises :class:`Refused` for others of the developer's.
    """
    review, _ = locked_by_side(viewer, name, deed)
    if deed is ReviewDeed.GIVE:
        run_by(viewer, review.organisation_id)
    return review


def _state(row: AccessGrant) -> tuple[datetime | None, ...]:
    return row.ends_at, row.paused_at, row.revoked_at


def open_access(review: Review, party: ThirdParty | None, *, by: str, now: datetime) -> None:
    """Access of a party begins, within the window; in the caller's transaction, review held."""
    who = party.organisation.name if party is not None else "The government"
    note(
        review, "access-opened", f"{who} has access while the window is open.", by=by, now=now,
        facts={"party": party.name if party is not None else "government"},
    )  # fmt: skip


def end_access(review: Review, party: ThirdParty, *, by: str, now: datetime) -> None:
    """Access of a third party is over, with its grants; in the caller's transaction."""
    _note_end(review, party, by=by, now=now)
    grants.end_grants(review.name, of=party.organisation_id, now=now)


def end_all_access(review: Review, *, by: str, now: datetime) -> None:
    """The same for everybody who had it."""
    grants.end_grants(review.name, now=now)
    if review.starts_at is None:
        return
    for party in review.parties.select_related("organisation").filter(state=ChoiceState.JOINED):
        _note_end(review, party, by=by, now=now)
    _note_end(review, None, by=by, now=now)


def follow_window(review: Review, *, now: datetime) -> None:
    """Let the grants follow a window that was paused, resumed or shortened."""
    window = window_of(review)
    if window.ends_at is not None:
        grants.shorten_grants(review.name, window.ends_at, now=now)
    if window.paused_by:
        grants.hold_grants(review.name, now=now)
    else:
        grants.release_grants(review.name, now=now)


def _party(review: Review, to: str) -> ThirdParty | None:
    """The third party of that short name; None for the office, which is the government here."""
    parties = review.parties.select_related("organisation")
    found = parties.filter(organisation__slug=to).first()
    if found is None and organisation_with(to, Role.COORDINATOR) is None:
        raise Invalid("expected the office, or a party of this review", key="to")
    return found


def _note_end(review: Review, party: ThirdParty | None, *, by: str, now: datetime) -> None:
    who = party.organisation.name if party is not None else "The government"
    note(
        review, "access-ended", f"{who} has no access any more.", by=by, now=now,
        facts={"party": party.name if party is not None else "government"},
    )  # fmt: skip
