"""Who is asking: put beside each request, once; and where somebody is led who lacks a factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from clearhouse.office.orgs.models import User
from clearhouse.office.orgs.queries import (
    bare,
    has_code_app,
    has_second_factor,
    needs_second_factor,
    viewer_of,
)
from clearhouse.office.viewer import PUBLIC, Viewer

ACTING_FOR: Final = "acting_for"
"""The session's key for the organisation that a person of several has chosen."""

#: Where somebody may go without the second factor: to set it up, to leave, to the files of pages.
_OPEN: Final = ("/account/", "/static/")
#: Answers in its own way: a viewer who may do nothing is refused.
_MACHINES: Final = "/api/"


class ViewerMiddleware:
    """Sets ``request.viewer`` from the session.  The API sets it from a key instead.

    A person whose organisation coordinates proves a second factor in each session: one that was
    begun with a password before the factor was there is worth no more after.  Until then it acts
    for nobody, and each page leads to where that is mended.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the viewer beside the request; of public files nothing is looked up."""
        request.viewer = SimpleLazyObject(lambda: _viewer(request))  # type: ignore[attr-defined]
        if not request.path.startswith((*_OPEN, _MACHINES)):
            user = _person(request)
            if user is not None and not _proven(request, user):
                _say_why(request, user)
                return redirect(_way_to_prove(request, user))
        return self._next(request)


def viewer_in(request: HttpRequest) -> Viewer:
    """The viewer of a request; nobody where the middleware did not run."""
    found = getattr(request, "viewer", PUBLIC)
    assert isinstance(found, Viewer)
    return found


def _person(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.is_active else None


def _viewer(request: HttpRequest) -> Viewer:
    user = _person(request)
    if user is None:
        return PUBLIC
    if not _proven(request, user):
        return bare(user)
    chosen = request.session.get(ACTING_FOR)
    return viewer_of(user, chosen if isinstance(chosen, int) else None)


def _proven(request: HttpRequest, user: User) -> bool:
    """Whether this session has all the factors that the person's organisations ask for."""
    if not needs_second_factor(user):
        return True
    used = any(one.get("method") == "mfa" for one in get_authentication_records(request, user))
    return used and has_second_factor(user)


def _say_why(request: HttpRequest, user: User) -> None:
    if request.method == "GET" and not has_second_factor(user):
        messages.warning(
            request,
            "You act for an organisation that coordinates: add an authenticator app or a security"
            " key before anything else.",
        )


def _way_to_prove(request: HttpRequest, user: User) -> str:
    """The page that sets a second factor up, or asks for the one that is there."""
    if not has_second_factor(user):
        return reverse("mfa_index")
    name = "mfa_reauthenticate" if has_code_app(user) else "mfa_reauthenticate_webauthn"
    return f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}"
