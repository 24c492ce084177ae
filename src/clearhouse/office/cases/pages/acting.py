"""What is done in a case from its page: one door for all verbs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import opening
from clearhouse.office.cases.forms import VERBS, is_offered
from clearhouse.office.cases.pages.case import page_of
from clearhouse.office.orgs.middleware import viewer_in

_LONGEST_ITEM = 80


@require_POST
def act(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Do one thing in a case.

    1. The case exists for the viewer, and the verb in it; the action asks again.  2. The form is
    well filled in.  3. The action does it, or says why not, and the page comes back with what was
    typed.  4. Then back to where it was done.
    """
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)  # 1
    kind = VERBS.get(verb)
    if kind is None or not is_offered(kind, viewer, view):
        raise NotFound("there is nothing of the kind to do here")
    item = request.POST.get("item", "")[:_LONGEST_ITEM]
    form = kind(viewer, view, item, request.POST, request.FILES)
    if form.is_valid():  # 2
        try:
            form.act(name, now)
        except (Invalid, Refused, Conflict) as error:  # 3
            form.blame(error)
    if not form.is_valid():
        return page_of(request, name, form)
    messages.success(request, form.done)  # 4
    return redirect(f"{reverse('cases:case', args=[name])}#{form.anchor}")


@require_POST
def decide(request: HttpRequest, suggestion: str) -> HttpResponse:
    """Decide a suggestion from the queue."""
    viewer, now = viewer_in(request), timezone.now()
    viewer.must_coordinate()
    verdict = request.POST.get("verdict", "")
    if verdict == "accept":
        opening.accept_suggestion(viewer, suggestion, now=now)
        messages.success(request, "The finding was put where it belongs.")
    elif verdict == "reject":
        opening.reject_suggestion(viewer, suggestion, now=now)
        messages.success(request, "The suggestion was put aside.")
    else:
        raise Invalid("expected accept or reject", key="verdict")
    return redirect(f"{reverse('cases:queue')}#suggestions")


@require_POST
def open_case(request: HttpRequest, finding: str) -> HttpResponse:
    """Open a case for a finding without proof, from the queue."""
    viewer = viewer_in(request)
    made = opening.open_unproven(viewer, finding, now=timezone.now())
    messages.success(request, f"Case {made.name} is open.")
    return redirect("cases:case", name=made.name)
