"""The pages of the room: everybody's, a developer's, the office's, and one of each review."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.access.actions import Issued
from clearhouse.office.look.fields import blame, status_of
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.reviews import queries, shown, shown_grants
from clearhouse.office.reviews.actions import choosing, roster, submitting
from clearhouse.office.reviews.forms import VERBS, Book
from clearhouse.office.reviews.forms.base import ReviewForm
from clearhouse.office.reviews.forms.office import ConflictForm, CriteriaForm, ReviewerForm
from clearhouse.office.reviews.forms.sides import SubmissionForm
from clearhouse.office.reviews.grant_pages import token_page
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from clearhouse.protocol.two_person import WorkRole

_LONGEST_ITEM: Final = 80
_FORM: Final = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What a review is, how many there were, and the viewer's own."""
    viewer, now = viewer_in(request), timezone.now()
    published = queries.published_figures(now=now)
    context = {
        "title": "Voluntary reviews",
        "now": now,
        "reviews": [] if viewer.is_public else queries.reviews_of(viewer),
        "may_begin": viewer.has(Role.DEVELOPER),
        "published": published,
        "blocks": [shown.block_tables(one) for one in published.reviews],
        "party_blocks": [shown.block_tables(one) for one in published.parties],
        "exact": shown.exact_tables(queries.exact_figures(viewer)) if viewer.coordinates else (),
    }
    return render(request, "reviews/front.html", context)


@_FORM
def begin(request: HttpRequest) -> HttpResponse:
    """A developer drafts a review; for anybody else there is no such page."""
    viewer = viewer_in(request)
    if not viewer.has(Role.DEVELOPER):
        raise NotFound("there is no such thing here")
    form = SubmissionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = submitting.draft(viewer, form.submission(), now=timezone.now())
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, "Drafted. Nobody else sees it until you hand it in.")
            return redirect("reviews:review", name=made.name)
    context = {
        "title": "Ask for a review",
        "form": form,
        "breadcrumb": [("Reviews", reverse("reviews:front")), ("Ask for one", "")],
    }
    return render(request, "reviews/begin.html", context, status=status_of(request))


@_FORM
def criteria(request: HttpRequest) -> HttpResponse:
    """By what third parties are chosen: for everybody to read, for the office to publish."""
    viewer = viewer_in(request)
    form = CriteriaForm(request.POST or None)
    if request.method == "POST":
        viewer.must_coordinate()
        if form.is_valid():
            made = choosing.publish_criteria(viewer, form.cleaned_data["text"], now=timezone.now())
            messages.success(request, f"Version {made.version} is published.")
            return redirect("reviews:criteria")
    context = {
        "title": "Criteria for third parties",
        "now": timezone.now(),
        "criteria": queries.criteria_published(),
        "form": form if viewer.coordinates else None,
        "breadcrumb": [("Reviews", reverse("reviews:front")), ("Criteria", "")],
    }
    return render(request, "reviews/criteria.html", context, status=status_of(request))


@login_required
@_FORM
def people(request: HttpRequest) -> HttpResponse:
    """The roster of reviewers: the office's own."""
    viewer, now = viewer_in(request), timezone.now()
    viewer.must_coordinate()
    form = ReviewerForm(viewer, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            roster.put_on_roster(
                viewer, data["person"], WorkRole(data["role"]), now=now,
                available_from=data["available_from"], available_until=data["available_until"],
            )  # fmt: skip
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, "The roster was changed.")
            return redirect("reviews:roster")
    return _roster_page(request, viewer, form, ConflictForm(viewer))


@login_required
@require_POST
def conflict(request: HttpRequest) -> HttpResponse:
    """A reviewer declares a conflict of interest."""
    viewer, now = viewer_in(request), timezone.now()
    viewer.must_coordinate()
    form = ConflictForm(viewer, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            roster.declare_own_conflict(viewer, data["organisation"], data["reason"], now=now)
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, "The conflict is declared.")
            return redirect("reviews:roster")
    return _roster_page(request, viewer, ReviewerForm(viewer), form)


def _roster_page(
    request: HttpRequest, viewer: Viewer, form: forms.Form, conflict_form: forms.Form
) -> HttpResponse:
    context = {
        "title": "Reviewers",
        "roster": queries.roster(viewer),
        "form": form,
        "conflict_form": conflict_form if queries.is_reviewer(viewer) else None,
        "breadcrumb": [("Reviews", reverse("reviews:front")), ("Reviewers", "")],
    }
    return render(request, "reviews/roster.html", context, status=status_of(request))


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """The page of a review."""
    return _page(request, name)


@require_POST
def act(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Do one thing in a review.

    1. The review exists for the viewer, and the verb in it; the action asks again.  2. The form is
    well filled in.  3. The action does it, or says why not, and the page comes back with what was
    typed.  4. A grant's token is shown once, in this very answer.  5. Else back to where it was
    done, or to the list, where the review is gone from sight.
    """
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)  # 1
    kind = VERBS.get(verb)
    if kind is None or kind.deed not in view.deeds:
        raise NotFound("there is nothing of the kind to do here")
    form = kind(viewer, view, request.POST.get("item", "")[:_LONGEST_ITEM], request.POST)
    if form.is_valid():  # 2
        try:
            made = form.act(name, now)
        except (Invalid, Refused, Conflict) as error:  # 3
            form.blame(error)
        else:
            if isinstance(made, Issued):  # 4
                return token_page(request, view, made)
    if not form.is_valid():
        return _page(request, name, form)
    messages.success(request, form.done)  # 5
    try:
        queries.find_review(viewer, name)
    except NotFound:
        return redirect("reviews:front")
    return redirect(f"{reverse('reviews:review', args=[name])}#{form.anchor}")


def _page(request: HttpRequest, name: str, failed: ReviewForm | None = None) -> HttpResponse:
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)
    book = Book(viewer, view, failed)
    context = shown.context_of(view, book, now=now) | shown_grants.context_of(view, book)
    context["failed"] = failed
    return render(request, "reviews/review.html", context, status=422 if failed else 200)
