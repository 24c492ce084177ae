"""Grants in the API: given with a token that is shown once, held, ended; and what was done."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field

from clearhouse.office.access import queries as access
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import access as grants
from clearhouse.office.reviews.api_deeds import writer
from clearhouse.office.reviews.demands import EarlierEndIn, GrantIn, Name
from clearhouse.office.reviews.grant_documents import (
    GrantOut,
    GrantWithAlertsOut,
    IssuedOut,
    UsesOut,
)
from clearhouse.office.reviews.grant_pages import contents_file
from clearhouse.office.viewer import Viewer

router = Router(tags=["reviews"])
#: The answer holds a token that is shown once.
_SHOWN_ONCE: Final = {"x-keeps-no-answer": True}
_Use: TypeAlias = Annotated[str, Field(max_length=24, pattern=r"^[A-Za-z0-9-]*$")]
_Page: TypeAlias = Annotated[int, Field(ge=1, le=500)]


@router.get("/{name}/grants", response=list[GrantOut])
def grants_of(request: HttpRequest, name: Name) -> list[GrantOut]:
    """The grants of a review: all for the two sides, a third party's own; the latest first."""
    view = queries.view(viewer_in(request), name, now=timezone.now())
    return [GrantOut.of(one) for one in view.grants or ()]


@router.post("/{name}/grants", response={201: IssuedOut}, openapi_extra=_SHOWN_ONCE)
def give_grant(request: HttpRequest, name: Name, demand: GrantIn) -> Status[IssuedOut]:
    """Give a grant to who has access; its token is in this answer and nowhere else.

    For the developer's managers, signed in.  Without models, those that the endpoint has now.
    """
    viewer, now = writer(request)
    queries.find_review(viewer, name)
    allowance = demand.value(sorted(access.own_endpoint(viewer, demand.endpoint).prices))
    issued = grants.give_grant(viewer, name, demand.to, allowance, now=now)
    shown = _shown(viewer, name, issued.grant.name)
    gateway = settings.CONFIG.gateway or None
    return Status(201, IssuedOut(**shown.dict(), token=issued.token, gateway=gateway))


@router.get("/{name}/grants/{grant}", response=GrantWithAlertsOut)
def grant(request: HttpRequest, name: Name, grant: Name) -> GrantWithAlertsOut:
    """One grant, how it stands, and what was unusual."""
    viewer = viewer_in(request)
    shown = _shown(viewer, name, grant)
    return GrantWithAlertsOut.with_alerts(shown, access.alerts(viewer, window=name, of=grant))


@router.get("/{name}/grants/{grant}/uses", response=UsesOut)
def uses(
    request: HttpRequest, name: Name, grant: Name, before: _Use = "", most: _Page = 100
) -> UsesOut:
    """What was done with a grant, the latest first; `next` is the `before` of the page after.

    For the developer and the grant's party.
    """
    viewer = viewer_in(request)
    _shown(viewer, name, grant)
    return UsesOut.of(*access.uses(viewer, grant, before=before, most=most))


@router.get("/{name}/grants/{grant}/uses/{use}/contents")
def contents(request: HttpRequest, name: Name, grant: Name, use: _Use) -> HttpResponse:
    """The recorded contents of a use, encrypted to the developer's keys.  For the developer."""
    viewer = viewer_in(request)
    _shown(viewer, name, grant)
    return contents_file(access.contents(viewer, grant, use), use)


@router.post("/{name}/grants/{grant}/pause", response=GrantOut)
def pause_grant(request: HttpRequest, name: Name, grant: Name) -> GrantOut:
    """Hold a grant; what runs is cut.  For people of the two sides, signed in."""
    viewer, now = writer(request)
    grants.pause_grant(viewer, name, grant, now=now)
    return _shown(viewer, name, grant)


@router.post("/{name}/grants/{grant}/resume", response=GrantOut)
def resume_grant(request: HttpRequest, name: Name, grant: Name) -> GrantOut:
    """Let a grant go on.  For the developer's managers, signed in."""
    viewer, now = writer(request)
    grants.resume_grant(viewer, name, grant, now=now)
    return _shown(viewer, name, grant)


@router.post("/{name}/grants/{grant}/shorten", response=GrantOut)
def shorten_grant(request: HttpRequest, name: Name, grant: Name, demand: EarlierEndIn) -> GrantOut:
    """Let a grant end earlier.  There is no way back.  For people of the two sides, signed in."""
    viewer, now = writer(request)
    grants.shorten_grant(viewer, name, grant, demand.ends_at, now=now)
    return _shown(viewer, name, grant)


@router.post("/{name}/grants/{grant}/revoke", response=GrantOut)
def revoke_grant(request: HttpRequest, name: Name, grant: Name) -> GrantOut:
    """End a grant at once and for good.  For people of the two sides, signed in."""
    viewer, now = writer(request)
    grants.revoke_grant(viewer, name, grant, now=now)
    return _shown(viewer, name, grant)


def _shown(viewer: Viewer, name: str, grant: str) -> GrantOut:
    """A grant of that review as the viewer sees it.  Raises :class:`NotFound`."""
    return GrantOut.of(queries.grant_in(queries.view(viewer, name, now=timezone.now()), grant))
