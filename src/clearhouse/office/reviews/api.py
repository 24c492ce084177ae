"""Reviews in the API: lists, one review, submitting, and what everybody may read."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import choosing, roster, submitting
from clearhouse.office.reviews.api_deeds import router as deeds
from clearhouse.office.reviews.api_deeds import shown, writer
from clearhouse.office.reviews.api_grants import router as grants
from clearhouse.office.reviews.api_parties import router as parties
from clearhouse.office.reviews.demands import (
    CriteriaIn,
    Name,
    ReviewerConflictIn,
    ReviewerIn,
    SubmissionIn,
)
from clearhouse.office.reviews.documents import (
    CriteriaOut,
    EvennessOut,
    ReviewerOut,
    ReviewListedOut,
    ReviewOut,
)

router = Router(tags=["reviews"])


@router.get("", response=list[ReviewListedOut])
def reviews(request: HttpRequest) -> list[ReviewListedOut]:
    """The reviews that your organisation takes part in; for the office, all that were handed in."""
    return [ReviewListedOut.of(one) for one in queries.reviews_of(viewer_in(request))]


@router.post("", response=ReviewOut)
def draft(request: HttpRequest, demand: SubmissionIn) -> ReviewOut:
    """Draft a review.  For developers; nobody else sees it until you submit it."""
    viewer, now = writer(request)
    made = submitting.draft(viewer, demand.value(), now=now)
    return shown(viewer, made.name, now)


@router.get("/figures", response=EvennessOut, auth=None)
def figures(request: HttpRequest) -> EvennessOut:  # noqa: ARG001 - ninja's
    """How many reviews there were, how long, and for whom; small ones withheld."""
    return EvennessOut.of(queries.published_figures(now=timezone.now()))


@router.get("/criteria", response=list[CriteriaOut], auth=None)
def criteria(request: HttpRequest) -> list[CriteriaOut]:  # noqa: ARG001 - ninja's
    """By what third parties are chosen, the newest first."""
    return [CriteriaOut.of(one) for one in queries.criteria_published()]


@router.post("/criteria", response=CriteriaOut)
def publish_criteria(request: HttpRequest, demand: CriteriaIn) -> CriteriaOut:
    """Publish criteria for reviews that are submitted from now on.  For the office."""
    viewer, now = writer(request)
    return CriteriaOut.of(choosing.publish_criteria(viewer, demand.text, now=now))


@router.get("/roster", response=list[ReviewerOut])
def reviewers(request: HttpRequest) -> list[ReviewerOut]:
    """The office's reviewers.  For the office."""
    return [ReviewerOut.of(one) for one in queries.roster(viewer_in(request))]


@router.post("/roster", response=list[ReviewerOut])
def put_on_roster(request: HttpRequest, demand: ReviewerIn) -> list[ReviewerOut]:
    """Put somebody on the roster, or change what is noted.  For the office."""
    viewer, now = writer(request)
    roster.put_on_roster(
        viewer, demand.person, demand.role, available_from=demand.available_from,
        available_until=demand.available_until, now=now,
    )  # fmt: skip
    return [ReviewerOut.of(one) for one in queries.roster(viewer)]


@router.post("/roster/conflicts", response=list[ReviewerOut])
def declare_own_conflict(request: HttpRequest, demand: ReviewerConflictIn) -> list[ReviewerOut]:
    """Declare a conflict of interest of your own.  For people on the roster."""
    viewer, now = writer(request)
    roster.declare_own_conflict(viewer, demand.organisation, demand.reason, now=now)
    return [ReviewerOut.of(one) for one in queries.roster(viewer)]


@router.get("/{name}", response=ReviewOut)
def review(request: HttpRequest, name: Name) -> ReviewOut:
    """A review as you see it, with its clock."""
    return shown(viewer_in(request), name, timezone.now())


@router.put("/{name}", response=ReviewOut)
def edit(request: HttpRequest, name: Name, demand: SubmissionIn) -> ReviewOut:
    """Change a draft."""
    viewer, now = writer(request)
    submitting.edit(viewer, name, demand.value())
    return shown(viewer, name, now)


router.add_router("", deeds)
router.add_router("", parties)
router.add_router("", grants)
