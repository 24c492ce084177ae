"""The pages about one grant: its token, once; how it stands; what was done with it."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.errors import NotFound
from clearhouse.office.access import queries as access
from clearhouse.office.access.actions import Issued
from clearhouse.office.headers import handed_out
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.reviews import queries, shown_grants
from clearhouse.office.reviews.forms import Book
from clearhouse.office.reviews.queries import ReviewView

_PAGE: Final = 50
_LONGEST_NAME: Final = 24


def token_page(request: HttpRequest, view: ReviewView, issued: Issued) -> HttpResponse:
    """The answer to the form that gave a grant: the token, in this answer and nowhere else.

    Neither a message nor the session has it, no cache keeps the page, and no address leads back.
    """
    context = {
        "title": f"The token for {shown_grants.whose(issued.grant)}",
        "view": view,
        "grant": issued.grant,
        "example": shown_grants.example_of(issued),
        "gateway": settings.CONFIG.gateway,
        "breadcrumb": [*_above(view), ("The token", "")],
    }
    answer = render(request, "reviews/token.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_safe
def grant(request: HttpRequest, name: str, grant: str) -> HttpResponse:
    """A grant, what was unusual, and for its developer and its party the log of its uses."""
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)
    seen = queries.grant_in(view, grant)
    one = shown_grants.shown(seen, Book(viewer, view))
    before = request.GET.get("before", "")[:_LONGEST_NAME]
    uses, following = (
        access.uses(viewer, grant, before=before, most=_PAGE)
        if seen.spent is not None
        else ([], "")
    )
    here = shown_grants.grant_url(name, grant)
    context = {
        "title": f"Grant of {shown_grants.whose(seen.row)}",
        "view": view,
        "one": one,
        "now": now,
        "facts": shown_grants.facts_of(one, endpoint=view.is_developer),
        "alerts": shown_grants.alerts_table(access.alerts(viewer, window=name, of=grant)),
        "uses": shown_grants.uses_table(uses, name, grant) if seen.spent is not None else None,
        "first_url": here if before else "",
        "next_url": f"{here}?before={following}" if following else "",
        "breadcrumb": [*_above(view), (seen.row.name, "")],
    }
    return render(request, "reviews/grant.html", context)


@require_safe
def contents(request: HttpRequest, name: str, grant: str, use: str) -> HttpResponse:
    """The recorded contents of a use, as they were encrypted to the developer: for it alone."""
    viewer = viewer_in(request)
    view = queries.view(viewer, name, now=timezone.now())
    seen = queries.grant_in(view, grant)
    return contents_file(access.contents(viewer, seen.row.name, use), use)


def contents_file(sealed: bytes, use: str) -> HttpResponse:
    """Sealed contents as a file to keep; it opens with ``age``."""
    if not use.isascii() or not use.replace("-", "").isalnum():
        raise NotFound("there are no such contents here")
    return handed_out(sealed, f"{use}.json.age")


def _above(view: ReviewView) -> list[tuple[str, str]]:
    review = reverse("reviews:review", args=[view.name])
    return [("Reviews", reverse("reviews:front")), (view.name, review)]
