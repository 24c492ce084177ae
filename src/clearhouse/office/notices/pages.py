"""The pages of notices: what waits, one of them, the bundle; and how delivery stands."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clearhouse.errors import Conflict
from clearhouse.office.headers import handed_out
from clearhouse.office.notices import actions, queries, shown
from clearhouse.office.notices.carrying import FILE_NAME, bundle_for
from clearhouse.office.notices.queries import PAGE, Shelf
from clearhouse.office.notices.words import parts_of
from clearhouse.office.orgs.middleware import viewer_in

_FARTHEST: Final = 10_000
_DIGITS: Final = 10
_HEADINGS: Final = {
    Shelf.WAITING: "Waits for you",
    Shelf.ACKNOWLEDGED: "Read, and not over",
    Shelf.ENDED: "Over",
}
_EMPTY: Final = {
    Shelf.WAITING: ("Nothing waits", "You have read everything that you were told."),
    Shelf.ACKNOWLEDGED: ("None", "What you have read stays here until it is over."),
    Shelf.ENDED: ("None", "What is over stays here."),
}


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """What waits, the most urgent first; on the other shelves what was read and what is over."""
    viewer, now = viewer_in(request), timezone.now()
    wanted = request.GET.get("shelf", "")
    shelf = Shelf(wanted) if wanted in set(Shelf) else Shelf.WAITING
    number = request.GET.get("page", "")
    is_number = number.isascii() and number.isdecimal() and len(number) < _DIGITS
    page = min(int(number), _FARTHEST) if is_number else 1
    counts, rows = queries.counts(viewer), queries.notices(viewer, shelf, page=page)
    context = {
        "title": "Notices",
        "rows": [(one, shown.urgency_tag(one)) for one in rows],
        "shelves": [(one, _HEADINGS[one], counts[one], one is shelf) for one in Shelf],
        "heading": _HEADINGS[shelf],
        "empty": _EMPTY[shelf],
        "shelf": shelf.value,
        "previous_url": f"?shelf={shelf}&page={page - 1}" if page > 1 else "",
        "next_url": f"?shelf={shelf}&page={page + 1}" if page * PAGE < counts[shelf] else "",
        "paused": [one for one in queries.channels(viewer) if one.state == one.State.PAUSED],
        "now": now,
    }
    return render(request, "notices/list.html", context)


@login_required
@require_safe
def one(request: HttpRequest, notice: str) -> HttpResponse:
    """One notice: its five parts, where it went, and the button that says it was read."""
    viewer = viewer_in(request)
    found = queries.notice(viewer, notice)
    context = {
        "title": found.headline,
        "notice": found,
        "urgency": shown.urgency_tag(found),
        "parts": parts_of(found),
        "ways": shown.ways_table(queries.ways_of(viewer, found)),
        "breadcrumb": [("Notices", reverse("notices:list")), (found.name, "")],
        "now": timezone.now(),
    }
    return render(request, "notices/notice.html", context)


@login_required
@require_POST
def acknowledge(request: HttpRequest, notice: str) -> HttpResponse:
    """Say that one's organisation has read it."""
    sent = request.POST.get("revision", "")
    revision = int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < _DIGITS else None
    viewer = viewer_in(request)
    try:
        found = actions.acknowledge(viewer, notice, revision=revision, now=timezone.now())
    except Conflict as error:
        messages.warning(request, f"{error.message[:1].upper()}{error.message[1:]}.")
        return redirect("notices:notice", notice)
    messages.success(request, f"Noted that you have read {found.name}.")
    return redirect("notices:list")


@login_required
@require_safe
def bundle(request: HttpRequest) -> HttpResponse:
    """Everything to carry along, signed."""
    return handed_out(bundle_for(viewer_in(request)), FILE_NAME, "application/zip")


@login_required
@require_safe
def delivery(request: HttpRequest) -> HttpResponse:
    """How delivery stands with every organisation.  For the office."""
    found = queries.overview(viewer_in(request))
    context = {
        "title": "Delivery of notices",
        "table": shown.overview_table(found, timezone.now()),
        "breadcrumb": [("Notices", reverse("notices:list")), ("Delivery", "")],
    }
    return render(request, "notices/delivery.html", context)
