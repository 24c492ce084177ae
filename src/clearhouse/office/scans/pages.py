"""The page of claims: who scans what, so that two do not dig in one place without knowing."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from clearhouse.errors import Invalid, Refused
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.scans import actions, queries
from clearhouse.office.scans.forms import ClaimForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claims(request: HttpRequest) -> HttpResponse:
    """One's own claims, everybody's for the office, and the form to add one."""
    viewer = viewer_in(request)
    now = timezone.now()
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.claim(viewer, **form.claimed(now), now=now)
        except Invalid as error:
            form.add_error(error.key if error.key in set(form.fields) else None, error.message)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Claimed {made.package}.")
            return redirect("scans:claims")
    context = {
        "title": "Scans",
        "form": form,
        "claims": queries.claims_of(viewer, now=now),
        "mine": viewer.organisation,
        "now": now,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "scans/claims.html", context, status=status)


@login_required
@require_POST
def release(request: HttpRequest, name: str) -> HttpResponse:
    """Let a claim go."""
    gone = actions.release(viewer_in(request), name, now=timezone.now())
    messages.success(request, f"Released {gone.package}.")
    return redirect("scans:claims")
