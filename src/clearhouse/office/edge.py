"""The request's edge: the one place where errors become answers, and what every page is given."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from clearhouse.errors import (
    ClearhouseError,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)

log = logging.getLogger("clearhouse.office")

AWAY: Final = (
    "The database does not answer. What was accepted before is kept; what you sent just now was"
    " not taken. Try again in a minute."
)
AWAY_SECONDS: Final = 15
#: Several archives in one form; what a form makes of its files has limits of its own.
MOST_FORM_BYTES: Final = 1 << 30
_API: Final = "/api/"

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
        """Pass on what can be looked up: a NUL names nothing, and PostgreSQL takes none."""
        if "\0" in request.path:
            return not_found(request, NotFound("a NUL in an address"))
        return self._next(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of an error of ours; anything else is a bug and goes to the log."""
        if is_database_away(error):
            return away_page(error)
        if not isinstance(error, ClearhouseError):
            return None
        return error_page(request, error)


class FormsThatFit:
    """Refuses a form that is larger than any page takes, before it is read or put on a disk.

    The API has a limit for each address.  Of a body that says no length nothing is read (WSGI).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on what fits."""
        declared = str(request.META.get("CONTENT_LENGTH") or "0")
        is_too_large = not declared.isdecimal() or int(declared) > MOST_FORM_BYTES
        if is_too_large and not request.path.startswith(_API):
            return too_large(request)
        return self._next(request)


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


def too_large(request: HttpRequest) -> HttpResponse:
    """The page for a form with more in it than any page takes."""
    context = {
        "title": "This is too large",
        "sentence": f"A form takes at most {MOST_FORM_BYTES >> 20:,} MiB. Nothing of it was kept.",
        "status": 413,
    }
    return render(request, "error.html", context, status=413)


def forbidden(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's
    """The page for a form without its token: it was open too long, or comes from elsewhere."""
    return error_page(
        request, Refused("The form is too old, or was not ours. Go back, reload it, send it again.")
    )


def is_database_away(error: BaseException | None) -> bool:
    """Whether the database does not answer, or takes nothing: stopped, locked, its disk full."""
    return isinstance(error, OperationalError | InterfaceError)


def say_away(error: BaseException | None) -> None:
    """Tell whoever runs the office, in one line; such errors speak of servers, never of rows."""
    line = " ".join(str(error).split())[:300]
    log.error("the database does not answer: %s: %s", type(error).__name__, line)


def away_page(error: BaseException | None) -> HttpResponse:
    """The page while the database does not answer, made without a look into it."""
    say_away(error)
    context = {
        "title": "Not available at the moment",
        "sentence": AWAY,
        "status": 503,
        "office": _office(),
    }
    page = render_to_string("error.html", context)
    return HttpResponse(page, status=503, headers={"Retry-After": str(AWAY_SECONDS)})


class WithoutTraceOfAway(logging.Filter):
    """Leaves a request's stack out of the log where the database did not answer: it is no bug."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take it out of the record, and let the line pass."""
        if record.exc_info and is_database_away(record.exc_info[1]):
            record.exc_info, record.exc_text = None, None
        return True


def broken(request: HttpRequest) -> HttpResponse:
    """The page for a bug of ours, or for a database that was away before any view was asked."""
    if is_database_away(sys.exception()):
        return away_page(sys.exception())
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
        "office": _office(),
        "viewer": viewer,
        "nav": navigation_of(viewer, request.path) if viewer is not None else [],
    }


def _office() -> Mapping[str, str]:
    config = settings.CONFIG
    return {"name": config.office, "url": config.url, "contact": config.contact}
