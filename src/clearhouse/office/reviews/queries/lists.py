"""The reviews of a viewer, the published criteria, and the roster of reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from clearhouse.office.authorisation import ReviewPart, parts_of_review
from clearhouse.office.reviews.models import (
    PublishedCriteria,
    Review,
    Reviewer,
)
from clearhouse.office.reviews.queries.sight import standing_among
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.partners import Criteria
from clearhouse.protocol.returning import LoanState
from clearhouse.protocol.roles import Role, Scope


@dataclass(frozen=True, slots=True)
class Listed:
    """A review in a list; ``title`` is what its viewer may know it by."""

    name: str
    title: str
    state: str
    role: Role
    ends_at: datetime | None


def reviews_of(viewer: Viewer) -> list[Listed]:
    """The reviews that exist for the viewer, the newest first."""
    viewer.needs(Scope.REVIEWS_READ)
    rows = Review.objects.select_related("organisation").order_by("-pk")
    if not viewer.coordinates:
        mine = viewer.acting_for()
        rows = rows.filter(Q(organisation=mine) | Q(parties__organisation=mine)).distinct()
    listed = list(rows.prefetch_related("parties", "loans"))
    found = []
    for review in listed:
        own = (one for one in review.parties.all() if one.organisation_id == viewer.organisation)
        holders = {one.holder_id for one in review.loans.all() if one.state != LoanState.ATTESTED}
        standing = standing_among(viewer, review, next(own, None), holders)
        parts = parts_of_review(standing)
        if standing is None or not parts:
            continue
        knows = ReviewPart.SUMMARY in parts
        found.append(
            Listed(
                name=review.name,
                title=review.model if knows else "A review",
                state=review.state if knows else "",
                role=standing.role,
                ends_at=review.ends_at if ReviewPart.CLOCK in parts else None,
            )
        )
    return found


def criteria_published() -> list[PublishedCriteria]:
    """The published criteria, the newest first: for everybody."""
    return list(PublishedCriteria.objects.order_by("-version"))


def criteria_values() -> list[Criteria]:
    """The same as the rules take them."""
    return [Criteria(one.version, one.text, one.published_at) for one in criteria_published()]


def roster(viewer: Viewer) -> Sequence[Reviewer]:
    """Who of the office reviews, as what, and until when: for the office."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_READ)
    rows = Reviewer.objects.select_related("person").prefetch_related("conflicts__organisation")
    return list(rows.order_by("person__name", "pk"))


def is_reviewer(viewer: Viewer) -> bool:
    """Whether the viewer is a person on the roster."""
    return viewer.person is not None and Reviewer.objects.filter(person=viewer.person).exists()
