"""Third parties, what is lent, and what is sealed, in the API."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Status

from clearhouse.errors import NotFound
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import choosing, lending, roster
from clearhouse.office.reviews.api_deeds import KEPT_NOWHERE, shown, writer
from clearhouse.office.reviews.demands import (
    ConflictsIn,
    JoinIn,
    LoanIn,
    Name,
    OpeningIn,
    PartyAnswerIn,
    PartyIn,
    StatementIn,
)
from clearhouse.office.reviews.documents import ReviewOut
from clearhouse.office.viewer import Viewer

router = Router(tags=["reviews"])


def _shown_or_gone(viewer: Viewer, name: str, now: datetime) -> Status[ReviewOut | None]:
    """The review, or nothing where the deed took it from the viewer's sight."""
    try:
        queries.find_review(viewer, name)
    except NotFound:
        return Status(204, None)
    return Status(200, shown(viewer, name, now))


@router.post("/{name}/parties", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def propose_party(request: HttpRequest, name: Name, demand: PartyIn) -> ReviewOut:
    """Propose a trusted partner or assessor, with the reason and the conflicts that you know of."""
    viewer, now = writer(request)
    choosing.propose_party(
        viewer, name, demand.organisation, demand.part, size=demand.size, reason=demand.reason,
        conflicts=demand.conflicts, now=now,
    )  # fmt: skip
    return shown(viewer, name, now)


@router.post("/{name}/parties/{party}", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def answer_party(request: HttpRequest, name: Name, party: Name, demand: PartyAnswerIn) -> ReviewOut:
    """Agree to a third party, or refuse it, with the reason."""
    viewer, now = writer(request)
    if demand.answer == "agree":
        choosing.agree_to_party(viewer, name, party, demand.reason, now=now)
    else:
        choosing.refuse_party(viewer, name, party, demand.reason, now=now)
    return shown(viewer, name, now)


@router.delete("/{name}/parties/{party}", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def revoke_party(request: HttpRequest, name: Name, party: Name) -> ReviewOut:
    """End a third party's access at once.  Either side may, alone."""
    viewer, now = writer(request)
    choosing.revoke_party(viewer, name, party, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/join", response={200: ReviewOut, 204: None}, openapi_extra=KEPT_NOWHERE)
def join(request: HttpRequest, name: Name, demand: JoinIn) -> Status[ReviewOut | None]:
    """Join a review that both sides asked you into.

    A conflict of interest is put before both sides first, and closes the review to you: 204.
    """
    viewer, now = writer(request)
    choosing.join(viewer, name, demand.digest, demand.conflicts, now=now)
    return _shown_or_gone(viewer, name, now)


@router.post("/{name}/conflicts", response={200: ReviewOut, 204: None}, openapi_extra=KEPT_NOWHERE)
def declare_conflict(
    request: HttpRequest, name: Name, demand: ConflictsIn
) -> Status[ReviewOut | None]:
    """Declare a conflict of interest that came up.  Your access waits for both sides."""
    viewer, now = writer(request)
    choosing.declare_conflict(viewer, name, demand.conflicts, now=now)
    return _shown_or_gone(viewer, name, now)


@router.post("/{name}/leave", response={200: ReviewOut, 204: None}, openapi_extra=KEPT_NOWHERE)
def leave(request: HttpRequest, name: Name) -> Status[ReviewOut | None]:
    """Leave a review."""
    viewer, now = writer(request)
    choosing.leave(viewer, name, now=now)
    return _shown_or_gone(viewer, name, now)


@router.post("/{name}/loans", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def lend(request: HttpRequest, name: Name, demand: LoanIn) -> ReviewOut:
    """Note what you lend, and to whom.  For the developer."""
    viewer, now = writer(request)
    lending.lend(viewer, name, demand.kind, demand.what, demand.party, now=now)
    return shown(viewer, name, now)


@router.post(
    "/{name}/loans/{loan}/return", response={200: ReviewOut, 204: None}, openapi_extra=KEPT_NOWHERE
)
def give_back(request: HttpRequest, name: Name, loan: Name) -> Status[ReviewOut | None]:
    """Say that something was returned.  For its holder."""
    viewer, now = writer(request)
    lending.give_back(viewer, name, loan, now=now)
    return _shown_or_gone(viewer, name, now)


@router.post(
    "/{name}/loans/{loan}/attest", response={200: ReviewOut, 204: None}, openapi_extra=KEPT_NOWHERE
)
def attest(
    request: HttpRequest, name: Name, loan: Name, demand: StatementIn
) -> Status[ReviewOut | None]:
    """Attest that every copy is deleted.  For its holder."""
    viewer, now = writer(request)
    lending.attest(viewer, name, loan, demand.statement, now=now)
    return _shown_or_gone(viewer, name, now)


@router.post("/{name}/openings", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def ask_to_open(request: HttpRequest, name: Name, demand: OpeningIn) -> ReviewOut:
    """Ask to open something sealed.  For people on the roster."""
    viewer, now = writer(request)
    roster.ask_to_open(viewer, name, demand.what, demand.reason, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/openings/{opening}", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def approve_opening(request: HttpRequest, name: Name, opening: Name) -> ReviewOut:
    """Approve as the second person.  For people on the roster."""
    viewer, now = writer(request)
    roster.approve_opening(viewer, name, opening, now=now)
    return shown(viewer, name, now)
