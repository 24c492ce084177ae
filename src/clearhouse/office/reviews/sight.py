"""Who may see what the ledger says about reviews."""

from __future__ import annotations

from clearhouse.office.authorisation import ReviewPart, parts_of_review
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.reviews.models import Review
from clearhouse.office.reviews.queries import standing_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


@may_see_by
def of_reviews(viewer: Viewer, subject: str) -> bool:
    """Who sees the whole timeline: the developer, and the office until a withdrawal."""
    if Scope.REVIEWS_READ not in viewer.scopes:
        return False
    review = Review.objects.filter(name=subject).first()
    if review is None:
        return False
    return ReviewPart.TIMELINE in parts_of_review(standing_of(viewer, review))
