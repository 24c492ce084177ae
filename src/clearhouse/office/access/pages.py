"""The pages of a developer's endpoints: listed, opened, changed, closed."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clearhouse.errors import Invalid, Refused
from clearhouse.office.access import actions, queries, shown
from clearhouse.office.access.forms import ChangeForm, EndpointForm
from clearhouse.office.look.fields import status_of
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.queries import may_run

_FORM: Final = require_http_methods(["GET", "HEAD", "POST"])
#: What no report of an error shows of a form.
_SECRET: Final = sensitive_post_parameters("credential", "canaries")


@_SECRET
@login_required
@_FORM
def listed(request: HttpRequest) -> HttpResponse:
    """A developer's endpoints, and for its managers the form that opens one."""
    viewer, now = viewer_in(request), timezone.now()
    found = queries.developers_endpoints(viewer)
    runs = may_run(viewer, viewer.acting_for())
    form = EndpointForm(request.POST or None)
    if request.method == "POST":
        if not runs:
            raise Refused("only a manager of the organisation can do this")
        if form.is_valid():
            try:
                made = actions.open_endpoint(viewer, viewer.acting_for(), form.terms(), now=now)
            except Invalid as error:
                form.blame(error)
            else:
                messages.success(request, "The endpoint is open, and its credential sealed.")
                return redirect("access:endpoint", made.name)
    context = {
        "title": "Your endpoints",
        "endpoints": shown.endpoints_table(found),
        "has_some": bool(found),
        "form": form if runs else None,
        "breadcrumb": [("Reviews", reverse("reviews:front")), ("Endpoints", "")],
    }
    return render(request, "access/endpoints.html", context, status=status_of(request))


@_SECRET
@login_required
@_FORM
def endpoint(request: HttpRequest, endpoint: str) -> HttpResponse:
    """One endpoint, and for the developer's managers the form that changes it."""
    viewer, now = viewer_in(request), timezone.now()
    found = queries.own_endpoint(viewer, endpoint)
    runs = may_run(viewer, found.owner_id)
    form = ChangeForm(found, request.POST or None)
    if request.method == "POST":
        if not runs:
            raise Refused("only a manager of the organisation can do this")
        if form.is_valid():
            try:
                actions.change_endpoint(viewer, endpoint, form.change(), now=now)
            except (Invalid, Refused) as error:
                form.blame(error)
            else:
                messages.success(request, "The endpoint was changed; gateways know of it.")
                return redirect("access:endpoint", endpoint)
    standing = [
        one for one in queries.grants(viewer)
        if one.endpoint_id == found.pk and queries.why_closed(one, now=now) is None
    ]  # fmt: skip
    context = {
        "title": found.address,
        "endpoint": found,
        "now": now,
        "facts": shown.facts_of(found),
        "prices": shown.prices_table(found),
        "standing": len(standing),
        "form": form if runs and found.closed_at is None else None,
        "breadcrumb": [
            ("Reviews", reverse("reviews:front")),
            ("Endpoints", reverse("access:endpoints")),
            (found.name, ""),
        ],
    }
    return render(request, "access/endpoint.html", context, status=status_of(request))


@login_required
@require_POST
def close(request: HttpRequest, endpoint: str) -> HttpResponse:
    """End all access through an endpoint.  Anybody of the developer's may."""
    viewer = viewer_in(request)
    queries.own_endpoint(viewer, endpoint)
    actions.close_endpoint(viewer, endpoint, now=timezone.now())
    messages.success(request, "The endpoint is closed, and its credential destroyed.")
    return redirect("access:endpoint", endpoint)
