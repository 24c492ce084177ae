"""Who is asking: put beside each request, once."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from clearhouse.office.orgs.models import User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.viewer import PUBLIC, Viewer

ACTING_FOR = "acting_for"
"""The session's key for the organisation that a person of several has chosen."""


class ViewerMiddleware:
    """Sets ``request.viewer`` from the session.  The API sets it from a key instead."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the viewer beside the request; nothing is looked up before it is asked."""
        request.viewer = SimpleLazyObject(lambda: _viewer(request))  # type: ignore[attr-defined]
        return self._next(request)


def _viewer(request: HttpRequest) -> Viewer:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return PUBLIC
    chosen = request.session.get(ACTING_FOR)
    return viewer_of(user, chosen if isinstance(chosen, int) else None)


def viewer_in(request: HttpRequest) -> Viewer:
    """The viewer of a request; nobody where the middleware did not run."""
    found = getattr(request, "viewer", PUBLIC)
    assert isinstance(found, Viewer)
    return found
