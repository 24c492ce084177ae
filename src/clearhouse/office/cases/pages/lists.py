"""What the office does next, and the cases that a viewer takes part in."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.errors import NotFound, Refused
from clearhouse.office.cases import queries
from clearhouse.office.cases.models import Case
from clearhouse.office.findings import queries as findings
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.viewer import Viewer

_STATES: Final = (("", "All"), ("open", "Open"), ("closed", "Closed"))
_LONGEST: Final = 300
_UNTRIAGED: Final = 25


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What comes next, for those who run the office; for anybody else there is no such page."""
    viewer = viewer_in(request)
    now = timezone.now()
    suggestions = queries.suggestions_open(viewer)
    untriaged = queries.untriaged(viewer)
    named = {
        one.name: one
        for one in findings.findings_of(viewer).filter(
            name__in=[one.finding for one in suggestions]
        )
    }
    context = {
        "title": "What next?",
        "now": now,
        "queue": queries.queue(viewer, now=now),
        "suggestions": [(one, named.get(one.finding)) for one in suggestions],
        "untriaged": list(untriaged[:_UNTRIAGED]),
        "untriaged_count": untriaged.count(),
        "tasks": queries.tasks_of(viewer),
        "open_count": queries.cases_of(viewer).filter(state=Case.State.OPEN).count(),
    }
    return render(request, "cases/queue.html", context)


@require_safe
def case_list(request: HttpRequest) -> HttpResponse:
    """The viewer's cases, newest first."""
    viewer = viewer_in(request)
    state = request.GET.get("state", "")
    text = request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST]
    if state not in dict(_STATES):
        raise NotFound("there is no such list")
    if viewer.is_public:
        raise Refused("sign in to see the cases that your organisation takes part in")
    begin = request.GET.get("before", "").replace("\0", " ")
    listed, more = queries.page_of(
        viewer, before=_place(viewer, begin) if begin else None, state=state, text=text
    )
    asked = {key: value for key, value in (("state", state), ("q", text)) if value}
    here = reverse("cases:list")
    context = {
        "title": "Cases",
        "now": timezone.now(),
        "cases": listed,
        "state": state,
        "states": _STATES,
        "text": text,
        "is_narrowed": bool(asked),
        "first_url": f"{here}?{urlencode(asked)}" if begin else "",
        "next_url": f"{here}?{urlencode(asked | {'before': listed[-1].case.name})}" if more else "",
    }
    return render(request, "cases/list.html", context)


def _place(viewer: Viewer, name: str) -> int:
    """Where the page after a case begins; a name that is none of the viewer's leads nowhere."""
    found = queries.cases_of(viewer).filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("there is no such page")
    return found
