"""The request's edge: the one place where errors become answers, and what every page is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clearhouse.errors import (
    ClearhouseError,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)

log = logging.getLogger("clearhouse.office")

STATUS: Final[tuple[tuple[type[ClearhouseError], int, str], ...]] = (
    (Invalid, 422, "This cannot be used as it is"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "It has changed meanwhile"),
    (Refused, 403, "This is not possible"),
    (Unavailable, 503, "Not available at the moment"),
)


def status_of(error: ClearhouseError) -> tuple[int, str]:
    """The status code that stands for an error, and its title."""
    for kind, status, title in STATUS:
        if isinstance(error, kind):
            return status, title
    return 500, "Something went wrong here"


class ErrorPages:
    """Turns the error family into pages; the API has answers of its own kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._next(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of an error of ours; anything else is a bug and goes to the log."""
        if not isinstance(error, ClearhouseError):
            return None
        return error_page(request, error)


def error_page(request: HttpRequest, error: ClearhouseError) -> HttpResponse:
    """A page that says what is wrong and what to do."""
    status, title = status_of(error)
    context = {"title": title, "sentence": str(error), "status": status}
    return render(request, "error.html", context, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's
    """The page for an address that leads nowhere."""
    return error_page(request, NotFound("There is no page at this address."))


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's
    """The page for a request that cannot be read: too many files or fields, a foreign host."""
    context = {
        "title": "This request cannot be read",
        "sentence": "It has too many files or fields at once, or was not meant for this office.",
        "status": 400,
    }
    return render(request, "error.html", context, status=400)


def forbidden(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's
    """The page for a form without its token: it was open too long, or comes from elsewhere."""
    return error_page(
        request, Refused("The form is too old, or was not ours. Go back, reload it, send it again.")
    )


def broken(request: HttpRequest) -> HttpResponse:
    """The page for a bug of ours."""
    context = {
        "title": "Something went wrong here",
        "sentence": "The error was recorded. Nothing that was accepted before is lost.",
        "status": 500,
    }
    return render(request, "error.html", context, status=500)


def office_context(request: HttpRequest) -> Mapping[str, Any]:
    """What every template may use: the office, the viewer, the navigation."""
    from clearhouse.office.navigation import navigation_of

    viewer = getattr(request, "viewer", None)
    return {
        "office": {
            "name": settings.CONFIG.office,
            "url": settings.CONFIG.url,
            "contact": settings.CONFIG.contact,
        },
        "viewer": viewer,
        "nav": navigation_of(viewer, request.path) if viewer is not None else [],
    }
