"""Which assessment exists for whom: it follows the review that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import NotFound
from clearhouse.office.assessments.models import Assessment
from clearhouse.office.authorisation import ReviewDeed, ReviewPart, may_in_review
from clearhouse.office.reviews.queries import review_for
from clearhouse.office.reviews.queries.sight import MISSING as NO_REVIEW
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import AssessmentState
from clearhouse.protocol.review import Purpose, ReviewState, is_seen_by_others

MISSING: Final = "there is no such assessment here"


@dataclass(frozen=True, slots=True)
class Seen:
    """An assessment, with the parts of its review that the viewer sees and the deeds it may do."""

    row: Assessment
    parts: frozenset[ReviewPart]
    deeds: frozenset[ReviewDeed]

    @property
    def sees_attempts(self) -> bool:
        """Whether the items and the moving estimate are the viewer's to see."""
        return ReviewPart.ATTEMPTS in self.parts


@dataclass(frozen=True, slots=True)
class OfReview:
    """The assessments of a review, the newest first; ``asked`` is whether one was asked for.

    ``may_begin`` is whether a further one may: none runs, and none was handed in.
    """

    review: str
    model: str
    asked: bool
    is_withdrawn: bool
    rows: Sequence[Assessment]
    deeds: frozenset[ReviewDeed]

    @property
    def may_begin(self) -> bool:
        """Whether the viewer may begin one, as things stand."""
        is_free = all(one.state == AssessmentState.ABANDONED for one in self.rows)
        return ReviewDeed.ASSESS in self.deeds and self.asked and is_free


def assessment_for(viewer: Viewer, name: str) -> Seen:
    """An assessment.

    Raises :class:`NotFound`, in the same words whether it is hidden or not there.
    """
    rows = Assessment.objects.select_related("review__organisation", "plan")
    found = rows.filter(name=name).first()
    if found is None:
        raise NotFound(MISSING)
    try:
        _, standing, parts = review_for(viewer, found.review.name)
    except NotFound:
        raise NotFound(MISSING) from None
    if ReviewPart.PROGRESS not in parts:
        raise NotFound(MISSING)
    deeds = frozenset(one for one in ReviewDeed if may_in_review(one, standing))
    return Seen(found, parts, deeds)


def assessments_of(viewer: Viewer, review: str) -> OfReview:
    """Those of a review.  Raises :class:`NotFound` for whom they are not."""
    found, standing, parts = review_for(viewer, review)
    if ReviewPart.PROGRESS not in parts:
        raise NotFound(NO_REVIEW)
    rows = Assessment.objects.select_related("plan").filter(review=found.pk).order_by("-pk")
    deeds = frozenset(one for one in ReviewDeed if may_in_review(one, standing))
    asked = found.purpose == Purpose.DETERMINATION
    is_withdrawn = not is_seen_by_others(ReviewState(found.state))
    return OfReview(found.name, found.model, asked, is_withdrawn, list(rows), deeds)
