"""Who may see what the ledger says about reviews, and know of the grants that belong to them."""

from __future__ import annotations

from clearhouse.office.access.sight import window_known_by
from clearhouse.office.authorisation import ReviewPart, parts_of_review
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.reviews.models import Review
from clearhouse.office.reviews.queries import standing_of
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.roles import Scope

_GRANTS = frozenset({ReviewPart.GRANTS, ReviewPart.OWN_GRANTS})


@may_see_by
def of_reviews(viewer: Viewer, subject: str) -> bool:
    """Who sees the whole timeline: the developer, and the office until a withdrawal."""
    if Scope.REVIEWS_READ not in viewer.scopes:
        return False
    review = Review.objects.filter(name=subject).first()
    if review is None:
        return False
    return ReviewPart.TIMELINE in parts_of_review(standing_of(viewer, review))


@window_known_by
def of_windows(viewer: Viewer, window: str) -> bool:
    """Who knows of a review's grants: nobody but the developer once it is withdrawn."""
    if not window.startswith("R-") or viewer == SYSTEM:
        return True
    review = Review.objects.filter(name=window).first()
    if review is None:
        return False
    return not _GRANTS.isdisjoint(parts_of_review(standing_of(viewer, review)))
