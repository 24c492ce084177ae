"""Which review exists for whom, and what somebody is in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import ReviewPart, ReviewStanding, parts_of_review
from clearhouse.office.reviews.models import LentThing, Review, ThirdParty
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.returning import LoanState
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.roles import Role, Scope

MISSING: Final = "there is no such review here"


def party_of(viewer: Viewer, review: Review) -> ThirdParty | None:
    """The third party that the viewer acts for."""
    if viewer.organisation is None:
        return None
    return review.parties.filter(organisation=viewer.organisation).first()


def standing_of(viewer: Viewer, review: Review) -> ReviewStanding | None:
    """What the viewer is in a review; None where it is nothing there."""
    party = party_of(viewer, review)
    outstanding = LentThing.objects.filter(review=review).exclude(state=LoanState.ATTESTED)
    holders = set(outstanding.values_list("holder", flat=True))
    return standing_among(viewer, review, party, holders)


def standing_among(
    viewer: Viewer, review: Review, party: ThirdParty | None, holders: Collection[int | None]
) -> ReviewStanding | None:
    """The same, from rows that are read already.

    ``party`` is the viewer's own, ``holders`` who has something lent that is not attested yet,
    None for the office.
    """
    state = ReviewState(review.state)
    if viewer.organisation is not None and viewer.organisation == review.organisation_id:
        return ReviewStanding(Role.DEVELOPER, state)
    if viewer.coordinates:
        return ReviewStanding(Role.COORDINATOR, state, holds=None in holders)
    if party is None:
        return None
    holds = party.organisation_id in holders
    return ReviewStanding(Role(party.part), state, ChoiceState(party.state), holds)


def find_review(viewer: Viewer, name: str) -> tuple[Review, ReviewStanding]:
    """A review that exists for the viewer, and what it is there.

    Raises :class:`NotFound`, in the same words whether it is hidden or not there.
    """
    review = Review.objects.select_related("organisation").filter(name=name).first()
    standing = standing_of(viewer, review) if review is not None else None
    if review is None or standing is None or not parts_of_review(standing):
        raise NotFound(MISSING)
    return review, standing


def review_for(viewer: Viewer, name: str) -> tuple[Review, ReviewStanding, frozenset[ReviewPart]]:
    """A review, what the viewer is there, and the parts that it sees.  Raises as above."""
    review, standing = find_review(viewer, name)
    viewer.needs(Scope.REVIEWS_READ)
    return review, standing, parts_of_review(standing)
