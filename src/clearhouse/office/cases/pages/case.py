"""One case as its viewer sees it, from :func:`clearhouse.office.cases.queries.view` alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clearhouse.office.cases import queries
from clearhouse.office.cases.forms import Book
from clearhouse.office.cases.forms.base import CaseForm
from clearhouse.office.cases.pages.shown import context_of
from clearhouse.office.orgs.middleware import viewer_in

UNPROCESSABLE = 422


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """The page of a case."""
    return page_of(request, name)


def page_of(request: HttpRequest, name: str, failed: CaseForm | None = None) -> HttpResponse:
    """The page; ``failed`` is a form that was sent and could not be used as it was."""
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)
    supplier = request.GET.get("supplier", "")
    if failed is not None and failed.verb == "tell":
        supplier = failed.item
    telling = (
        queries.telling(viewer, name, supplier, now=now)
        if supplier and viewer.coordinates
        else None
    )
    book = Book(viewer, view, failed)
    context = context_of(viewer, view, book, now=now, telling=telling) | {"failed": failed}
    status = UNPROCESSABLE if failed is not None else 200
    return render(request, "cases/case.html", context, status=status)
