"""One review as its viewer sees it: what is None is not the viewer's to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.errors import NotFound
from clearhouse.office.access import queries as access
from clearhouse.office.access.queries import AccessAlert, SeenGrant
from clearhouse.office.authorisation import (
    ReviewDeed,
    ReviewPart,
    ReviewStanding,
    may_in_review,
)
from clearhouse.office.orgs.queries import may_run
from clearhouse.office.reviews.models import (
    LentThing,
    Review,
    ReviewLine,
    SealedOpening,
    ThirdParty,
)
from clearhouse.office.reviews.queries.sight import party_of, review_for
from clearhouse.office.reviews.queries.values import Bonds, window_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.entitlement import has_access
from clearhouse.protocol.review import ReviewState, Side
from clearhouse.protocol.roles import Role
from clearhouse.protocol.terms import Terms
from clearhouse.protocol.window import LONGEST, WindowState, is_over, remaining

_GRANTS: Final = frozenset({ReviewPart.GRANTS, ReviewPart.OWN_GRANTS})
#: Alerts that a review's page shows; those of one grant are all on its own.
_ALERTS: Final = 10


@dataclass(frozen=True, slots=True)
class Clock:
    """The window at a moment, the same for all who see it."""

    state: WindowState
    days: int
    starts_at: datetime | None
    ends_at: datetime | None
    remaining: timedelta
    is_over: bool
    paused_by: tuple[str, ...]
    agreed_by: tuple[str, ...]

    @property
    def share_left(self) -> int:
        """How much of the longest possible window is left, in percent."""
        return round(100 * (self.remaining / LONGEST))


@dataclass(frozen=True, slots=True)
class Bound:
    """The terms, their digest, and which of the two sides agreed to them as they are."""

    terms: Terms
    digest: str
    developer: bool
    office: bool


@dataclass(frozen=True, slots=True)
class SeenParty:
    """A third party, and whether it has access now."""

    row: ThirdParty
    has_access: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review as its viewer sees it."""

    review: Review
    standing: ReviewStanding
    parts: frozenset[ReviewPart]
    deeds: frozenset[ReviewDeed]
    own: ThirdParty | None
    clock: Clock | None
    bound: Bound | None
    government_has_access: bool
    has_access: bool
    parties: Sequence[SeenParty] | None
    loans: Sequence[LentThing]
    grants: Sequence[SeenGrant] | None
    alerts: Sequence[AccessAlert]
    openings: Sequence[SealedOpening] | None
    lines: Sequence[ReviewLine] | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.review.name

    @property
    def title(self) -> str:
        """What stands at its top: the model, for those who may know it."""
        if ReviewPart.SUMMARY in self.parts:
            return self.review.model
        return "Something to give back" if self.standing.holds else "Asked to join a review"

    @property
    def is_developer(self) -> bool:
        """Whether it is the viewer's own."""
        return self.standing.role is Role.DEVELOPER

    @property
    def side(self) -> Side | None:
        """The side that the viewer is, if any."""
        sides = {Role.DEVELOPER: Side.DEVELOPER, Role.COORDINATOR: Side.OFFICE}
        return sides.get(self.standing.role)


def view(viewer: Viewer, name: str, *, now: datetime) -> ReviewView:
    """A review as the viewer sees it.  Raises :class:`NotFound`."""
    review, standing, parts = review_for(viewer, name)
    own = party_of(viewer, review)
    bonds = Bonds(review)
    grants = access.seen_grants(viewer, name, now=now) if parts & _GRANTS else None
    is_unusual = any(one.alerts for one in grants or ())
    return ReviewView(
        review=review,
        standing=standing,
        parts=parts,
        deeds=_deeds(viewer, review, standing),
        own=own,
        clock=_clock(review, now) if ReviewPart.CLOCK in parts else None,
        bound=_bound(bonds) if ReviewPart.TERMS in parts else None,
        government_has_access=ReviewPart.CLOCK in parts and has_access(bonds.facts(), now),
        has_access=standing.is_in and has_access(bonds.facts(own), now),
        parties=_parties(review, bonds, now) if ReviewPart.PARTIES in parts else None,
        loans=_loans(review, standing, parts, own),
        grants=grants,
        alerts=access.alerts(viewer, window=name, most=_ALERTS) if is_unusual else [],
        openings=(
            list(review.openings.prefetch_related("approvals__person").order_by("pk"))
            if ReviewPart.SEALED in parts
            else None
        ),
        lines=list(review.lines.order_by("pk")) if ReviewPart.TIMELINE in parts else None,
    )


def grant_in(view: ReviewView, name: str) -> SeenGrant:
    """One of a review's grants that its viewer sees.  Raises :class:`NotFound`."""
    found = next((one for one in view.grants or () if one.row.name == name), None)
    if found is None:
        raise NotFound("there is no such grant here")
    return found


def _deeds(viewer: Viewer, review: Review, standing: ReviewStanding) -> frozenset[ReviewDeed]:
    """What the viewer may do; of a developer's people, its managers alone give grants."""
    found = frozenset(one for one in ReviewDeed if may_in_review(one, standing))
    if ReviewDeed.GIVE in found and not may_run(viewer, review.organisation_id):
        return found - {ReviewDeed.GIVE}
    return found


def _clock(review: Review, now: datetime) -> Clock:
    window = window_of(review)
    over = is_over(window, now)
    state = WindowState.ENDED if over else window.state
    if review.state == ReviewState.WITHDRAWN:
        state, over = WindowState.ENDED, True
    return Clock(
        state=state,
        days=review.days,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        remaining=timedelta(0) if over else remaining(window, now),
        is_over=over,
        paused_by=tuple(sorted(one.value for one in window.paused_by)),
        agreed_by=tuple(sorted(one.value for one in window.agreed_by)),
    )


def _bound(bonds: Bonds) -> Bound:
    return Bound(
        bonds.terms, bonds.terms.digest,
        developer=bonds.binds(Side.DEVELOPER.value), office=bonds.binds(Side.OFFICE.value),
    )  # fmt: skip


def _parties(review: Review, bonds: Bonds, now: datetime) -> list[SeenParty]:
    rows = review.parties.select_related("organisation", "criteria").order_by("pk")
    return [SeenParty(row, has_access(bonds.facts(row), now)) for row in rows]


def _loans(
    review: Review,
    standing: ReviewStanding,
    parts: frozenset[ReviewPart],
    own: ThirdParty | None,
) -> list[LentThing]:
    rows = review.loans.select_related("holder").order_by("pk")
    if ReviewPart.LOANS in parts:
        return list(rows)
    if standing.role is Role.COORDINATOR:  # after a withdrawal
        return list(rows.filter(holder=None))
    if ReviewPart.OWN_LOANS in parts and own is not None:
        return list(rows.filter(holder=own.organisation_id))
    return []
