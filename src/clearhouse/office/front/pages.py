"""The first page, how to reach the office, and how far everybody can use it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.office.front.contact import as_address
from clearhouse.office.front.home import home_of
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.queries import is_open


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the office is, for the public; what to do next, for who has signed in."""
    viewer = viewer_in(request)
    if not viewer.is_public:
        now = timezone.now()
        context = {"title": "Home", "home": home_of(viewer, now=now), "now": now}
        return render(request, "front/home.html", context)
    if not is_open():
        return redirect("orgs:start")
    return render(request, "front/public.html", {"title": "Vulnerability clearinghouse"})


@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    """How to reach the office, and how to report to it without an account."""
    address = as_address(settings.CONFIG.contact)
    # The contact of an office that names none is this very page.
    is_here = address.rstrip("/") == f"{settings.CONFIG.url}/contact"
    context = {"title": "Contact", "address": "" if is_here else address}
    return render(request, "front/contact.html", context)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    return render(request, "front/accessibility.html", {"title": "Accessibility"})
