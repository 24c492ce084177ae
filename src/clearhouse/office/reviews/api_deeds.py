"""What the two sides do to a review in the API; each answers with the review as it is then."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import agreeing, lending, submitting, windows
from clearhouse.office.reviews.demands import AgreeIn, DaysIn, DeclineIn, EarlierEndIn, Name, TextIn
from clearhouse.office.reviews.documents import ReviewOut
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

router = Router(tags=["reviews"])
#: After a withdrawal nobody is to have an answer about the review again, as a key for idempotency
#: would give it for a day.
KEPT_NOWHERE: Final = {"x-keeps-no-answer": True}


def writer(request: HttpRequest) -> tuple[Viewer, datetime]:
    """Who does it, and when; what it answers has to be readable to it as well."""
    viewer = viewer_in(request)
    viewer.needs(Scope.REVIEWS_WRITE)
    viewer.needs(Scope.REVIEWS_READ)
    return viewer, timezone.now()


def shown(viewer: Viewer, name: str, now: datetime) -> ReviewOut:
    """The review as the viewer sees it."""
    return ReviewOut.of(queries.view(viewer, name, now=now))


@router.post("/{name}/submit", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def submit(request: HttpRequest, name: Name) -> ReviewOut:
    """Submit a draft.  You agree to its terms as they stand."""
    viewer, now = writer(request)
    submitting.submit(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/withdraw", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def withdraw(request: HttpRequest, name: Name) -> ReviewOut:
    """End everything at once, for no reason.  Nobody else sees any more that there was a review."""
    viewer, now = writer(request)
    submitting.withdraw(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/decline", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def decline(request: HttpRequest, name: Name, demand: DeclineIn) -> ReviewOut:
    """Decline a review, and say why.  For the office."""
    viewer, now = writer(request)
    submitting.decline(viewer, name, demand.reason, now=now)
    return shown(viewer, name, now)


@router.put("/{name}/terms", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def change_text(request: HttpRequest, name: Name, demand: TextIn) -> ReviewOut:
    """Change a text of the terms.  You agree to it, and the other side is asked anew."""
    viewer, now = writer(request)
    agreeing.change_text(viewer, name, demand.subject, demand.text, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/terms/agree", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def agree_to_terms(request: HttpRequest, name: Name, demand: AgreeIn) -> ReviewOut:
    """Agree to the terms with the digest that you read."""
    viewer, now = writer(request)
    agreeing.agree_to_terms(viewer, name, demand.digest, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/propose", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def propose_window(request: HttpRequest, name: Name, demand: DaysIn) -> ReviewOut:
    """Propose how many days the window is to be, 30 at most."""
    viewer, now = writer(request)
    windows.propose_window(viewer, name, demand.days, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/agree", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def agree_window(request: HttpRequest, name: Name) -> ReviewOut:
    """Agree to the window that the other side proposed."""
    viewer, now = writer(request)
    windows.agree_window(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/start", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def start_window(request: HttpRequest, name: Name) -> ReviewOut:
    """Open the window now.  For the developer."""
    viewer, now = writer(request)
    windows.start_window(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/pause", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def pause_window(request: HttpRequest, name: Name) -> ReviewOut:
    """Pause all access.  The end stays where it is."""
    viewer, now = writer(request)
    windows.pause_window(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/resume", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def resume_window(request: HttpRequest, name: Name) -> ReviewOut:
    """Take your own pause back."""
    viewer, now = writer(request)
    windows.resume_window(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/shorten", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def shorten_window(request: HttpRequest, name: Name, demand: EarlierEndIn) -> ReviewOut:
    """Bring the end forward.  There is no way back."""
    viewer, now = writer(request)
    windows.shorten_window(viewer, name, demand.ends_at, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/window/end", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def end_window(request: HttpRequest, name: Name) -> ReviewOut:
    """End the window now.  Either side may, alone."""
    viewer, now = writer(request)
    windows.end_window(viewer, name, now=now)
    return shown(viewer, name, now)


@router.post("/{name}/finish", response=ReviewOut, openapi_extra=KEPT_NOWHERE)
def finish(request: HttpRequest, name: Name) -> ReviewOut:
    """Close the review, once all that was lent is returned and attested."""
    viewer, now = writer(request)
    lending.finish(viewer, name, now=now)
    return shown(viewer, name, now)
