"""Lists of obligations, each by itself; and where a list goes on."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.office.directives import queries, shown
from clearhouse.office.directives.sight import directive_seen
from clearhouse.office.orgs.middleware import viewer_in

_NAME: Final = 20
_PLACE: Final = 60


@login_required
@require_safe
def obligations(request: HttpRequest) -> HttpResponse:
    """What is asked of one's organisation, each obligation by itself."""
    viewer, now = viewer_in(request), timezone.now()
    beside, directive = asked(request, "beside"), asked(request, "directive")
    mine, following = queries.obligations_of(
        viewer, directive=directive, beside=beside, after=asked(request, "after")
    )
    context = {
        "title": "What is asked of you",
        "back": "Directives",
        "back_url": reverse("directives:front"),
        "rows": [shown.row_of(one, now) for one in mine],
        "next_url": next_url(beside=beside, directive=directive, after=following),
        "whole_url": reverse("directives:obligations") if beside else "",
    }
    return render(request, "directives/obligations.html", context)


@login_required
@require_safe
def under(request: HttpRequest, directive: str) -> HttpResponse:
    """What is open under a directive, each obligation by itself: for who issued it."""
    viewer, now = viewer_in(request), timezone.now()
    _, value, _ = directive_seen(viewer, directive)
    beside = asked(request, "beside")
    found, following = queries.obligations_under(
        viewer, directive, beside=beside, after=asked(request, "after")
    )
    context = {
        "title": f"What is open under {value.title}",
        "back": value.title,
        "back_url": reverse("directives:directive", args=[directive]),
        "under": shown.obligations_table([shown.row_of(one, now) for one in found]),
        "next_url": next_url(beside=beside, after=following),
        "whole_url": reverse("directives:under", args=[directive]) if beside else "",
    }
    return render(request, "directives/obligations.html", context)


def asked(request: HttpRequest, key: str, *, most: int = _NAME) -> str:
    """A name that stands in the address; empty where there is none."""
    return request.GET.get(key, "")[:most].replace("\0", "")


def place_asked(request: HttpRequest, key: str) -> str:
    """Where a list of entries goes on: a date and a name."""
    return asked(request, key, most=_PLACE)


def next_url(**asked: str | None) -> str:
    """The address of what follows; none where the last of these is None."""
    if list(asked.values())[-1] is None:
        return ""
    return f"?{urlencode({key: value for key, value in asked.items() if value})}"
