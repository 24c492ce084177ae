"""The pages of the room: by which plans is decided, and each assessment for who takes part."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.assessments import queries, shown
from clearhouse.office.assessments.actions import measuring
from clearhouse.office.assessments.actions import plans as actions
from clearhouse.office.assessments.forms import (
    VERBS,
    AssessmentForm,
    BeginForm,
    OpeningsForm,
    PlanForm,
    offered,
)
from clearhouse.office.authorisation import ReviewDeed
from clearhouse.office.headers import handed_out, page_of_its_own
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.look.fields import blame, status_of
from clearhouse.office.orgs.middleware import viewer_in

_FORM: Final = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """How it is decided, by which committed plans, and what was."""
    viewer, now = viewer_in(request), timezone.now()
    context = {
        "title": "How a model is assessed",
        "now": now,
        "plans": queries.plans(),
        "decided": shown.decided_table(queries.decided_by_plan(now=now), queries.plans()),
        "published": queries.published_determinations(),
        "may_commit": viewer.coordinates,
        "breadcrumb": [("Reviews", reverse("reviews:front")), ("Assessment", "")],
    }
    return render(request, "assessments/front.html", context)


@_FORM
def commit(request: HttpRequest) -> HttpResponse:
    """The office commits to a plan."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    form = PlanForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.commit_plan(
                viewer, form.cleaned_data["plan"], form.cleaned_data["bank"], form.commitment(),
                now=timezone.now(),
            )  # fmt: skip
        except (Invalid, Refused, Conflict) as error:
            blame(form, error)
        else:
            messages.success(request, f"Committed, as entry {made.entry} of the ledger.")
            return redirect("assessments:plan", name=made.name)
    context = {
        "title": "Commit to a plan",
        "form": form,
        "breadcrumb": _trail(("Commit to a plan", "")),
    }
    return render(request, "assessments/commit.html", context, status=status_of(request))


@_FORM
def plan(request: HttpRequest, name: str) -> HttpResponse:
    """A committed plan: its rule for everybody, its openings for the office, which notes them."""
    viewer, now = viewer_in(request), timezone.now()
    found = queries.plan_named(name)
    form = OpeningsForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        viewer.must_coordinate()
        if form.is_valid():
            try:
                new = actions.note_openings(viewer, name, form.cleaned_data["record"], now=now)
            except (Invalid, Conflict) as error:
                blame(form, error)
            else:
                messages.success(request, f"{len(new)} openings were noted.")
                return redirect("assessments:plan", name=name)
    context = {
        "title": f"Plan {name}",
        "plan": found,
        "now": now,
        "openings": queries.openings_of(viewer, name) if viewer.coordinates else (),
        "form": form if viewer.coordinates else None,
        "breadcrumb": _trail((name, "")),
    }
    return render(request, "assessments/plan.html", context, status=status_of(request))


@require_safe
def receipt(request: HttpRequest, name: str) -> HttpResponse:
    """The ledger's receipt of a plan's commitment: anybody checks it without asking this office."""
    found = queries.plan_named(name)
    made = receipt_for(viewer_in(request), found.entry, now=timezone.now())
    return handed_out(bytes(made), f"{found.name}-receipt.json", "application/json")


@require_POST
def retire(request: HttpRequest, name: str) -> HttpResponse:
    """The office retires a plan."""
    actions.retire_plan(viewer_in(request), name, now=timezone.now())
    messages.success(request, "Nothing more is begun by this plan.")
    return redirect("assessments:plan", name=name)


@_FORM
def of_review(request: HttpRequest, review: str) -> HttpResponse:
    """The assessments of a review, and the form to begin one."""
    viewer, now = viewer_in(request), timezone.now()
    found = queries.assessments_of(viewer, review)
    may_begin = ReviewDeed.ASSESS in found.deeds and found.asked
    form = BeginForm(request.POST or None)
    if request.method == "POST":
        if not may_begin:
            raise NotFound("there is nothing of the kind to do here")
        if form.is_valid():
            data = form.cleaned_data
            try:
                made = measuring.begin(viewer, review, data["plan"], data["system"], now=now)
            except (Invalid, Refused) as error:
                blame(form, error)
            else:
                messages.success(request, f"Begun, in slot {made.slot} of the plan.")
                return redirect("assessments:show", name=made.name)
    context = {
        "title": f"Assessments of {found.model}",
        "now": now,
        "found": found,
        "rows": [
            (one, shown.state_text(one, is_withdrawn=found.is_withdrawn)) for one in found.rows
        ],
        "form": form if found.may_begin or (may_begin and form.is_bound) else None,
        "breadcrumb": [
            ("Reviews", reverse("reviews:front")),
            (review, reverse("reviews:review", args=[review])),
            ("Assessments", ""),
        ],
    }
    return render(request, "assessments/of_review.html", context, status=status_of(request))


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """The page of an assessment."""
    return _page(request, name)


@require_safe
def live(request: HttpRequest, name: str) -> HttpResponse:
    """The part of it that moves while attempts come in."""
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name)
    return render(request, "assessments/parts/live.html", shown.context_of(view, now=now))


@require_safe
def report(request: HttpRequest, name: str) -> HttpResponse:
    """The determination's report, for its reader."""
    return page_of_its_own(queries.page_for(viewer_in(request), name))


@require_safe
def evidence(request: HttpRequest, name: str) -> HttpResponse:
    """The evidence, for who may know the items."""
    raw = queries.evidence_for(viewer_in(request), name)
    return handed_out(raw, f"{name}.evidence.zip", "application/zip")


@require_POST
def act(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Do one thing with an assessment; as in a review."""
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name)
    kind = VERBS.get(verb)
    if kind is None or kind.deed not in view.seen.deeds:
        raise NotFound("there is nothing of the kind to do here")
    form = kind(view, request.POST, request.FILES)
    if form.is_valid():
        try:
            form.act(viewer, name, now)
        except (Invalid, Refused, Conflict) as error:
            form.blame(error)
    if not form.is_valid():
        return _page(request, name, form)
    messages.success(request, form.done)
    return redirect("assessments:show", name=name)


def _page(request: HttpRequest, name: str, failed: AssessmentForm | None = None) -> HttpResponse:
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name)
    context: dict[str, Any] = shown.context_of(view, now=now) | {
        "forms": offered(view, failed),
        "failed": failed,
    }
    return render(request, "assessments/show.html", context, status=422 if failed else 200)


def _trail(*more: tuple[str, str]) -> list[tuple[str, str]]:
    here = ("Assessment", reverse("assessments:front"))
    return [("Reviews", reverse("reviews:front")), here, *more]
