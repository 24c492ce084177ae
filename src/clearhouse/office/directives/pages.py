"""The pages of the room: directives, one of them, an obligation, a new directive."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.formats.directive import MOST_BYTES
from clearhouse.office.authorisation import DirectivePart, ObligationPart, may_issue
from clearhouse.office.directives import queries, shown
from clearhouse.office.directives.actions import evidence as evidence_actions
from clearhouse.office.directives.actions import issuing
from clearhouse.office.directives.composing import OwnForm
from clearhouse.office.directives.forms import (
    AnswerForm,
    DraftForm,
    EndForm,
    EvidenceForm,
    FileForm,
)
from clearhouse.office.directives.grouping import entries_of, entries_under
from clearhouse.office.directives.models import DirectiveRow
from clearhouse.office.directives.pages_lists import next_url, place_asked
from clearhouse.office.directives.shown_entries import entry_of, place_of
from clearhouse.office.directives.shown_proofs import proofs_of
from clearhouse.office.directives.sight import (
    MISSING,
    directive_seen,
    is_issuer,
    obligation_seen,
    own_directive,
)
from clearhouse.office.look.fields import blame, status_of
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.tlp import Tlp

_CHANGES: Final = ("GET", "HEAD", "POST")


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The directives that one may read, what they ask of oneself, and what waits for an answer."""
    viewer = viewer_in(request)
    now = timezone.now()
    listed = queries.directives_of(viewer, now=now)
    context = {
        "title": "Directives",
        "now": now,
        "listed": [(one, shown.state_of(one.row), shown.mine_of(one, now)) for one in listed],
        "may_issue": may_issue(viewer) and viewer.organisation is not None,
        "is_member": not viewer.is_public,
    }
    if viewer.organisation is not None:
        mine, following = entries_of(viewer, now=now, after=place_asked(request, "after"))
        context |= {
            "entries": [entry_of(one, now) for one in mine],
            "waiting": [shown.row_of(one, now) for one in queries.waiting_for(viewer)],
            "next_url": next_url(after=following),
        }
    return render(request, "directives/front.html", context)


@login_required
@require_http_methods(_CHANGES)
def new(request: HttpRequest) -> HttpResponse:
    """Draft a directive."""
    viewer = viewer_in(request)
    if not may_issue(viewer):
        raise NotFound(MISSING)
    form = DraftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = issuing.draft(viewer, **form.described(), now=timezone.now())
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            return _drafted(request, made)
    context = {"title": "A new directive", "form": form, "is_shipped": True}
    return render(request, "directives/new.html", context, status=status_of(request))


@login_required
@require_http_methods(_CHANGES)
def own(request: HttpRequest) -> HttpResponse:
    """Draft a directive of one's own by a form."""
    viewer = viewer_in(request)
    if not may_issue(viewer):
        raise NotFound(MISSING)
    form = OwnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            made = issuing.draft_own(viewer, **form.composed(viewer.name, now), now=now)
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            return _drafted(request, made)
    context = {"title": "A directive of your own", "form": form}
    return render(request, "directives/new.html", context, status=status_of(request))


@login_required
@require_http_methods(_CHANGES)
def from_file(request: HttpRequest) -> HttpResponse:
    """Draft a directive that somebody wrote as a document."""
    viewer = viewer_in(request)
    if not may_issue(viewer):
        raise NotFound(MISSING)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        sent, tlp = form.cleaned_data["document"], Tlp.parse(form.cleaned_data["tlp"])
        raw = sent.read(MOST_BYTES + 1)
        try:
            made = issuing.draft_from(viewer, raw, str(sent.name), tlp=tlp, now=timezone.now())
        except (Invalid, Refused) as error:
            form.add_error("document", str(error))
        else:
            return _drafted(request, made)
    context = {"title": "A directive from a document", "form": form, "has_file": True}
    return render(request, "directives/new.html", context, status=status_of(request))


def _drafted(request: HttpRequest, made: DirectiveRow) -> HttpResponse:
    messages.success(request, "Drafted. Nobody else sees it until you issue it.")
    return redirect("directives:directive", made.name)


@require_safe
def directive(request: HttpRequest, directive: str) -> HttpResponse:
    """One directive: what it asks, of whom, by when; one's own obligations; compliance."""
    return _directive_page(request, directive, EndForm())


@login_required
@require_POST
def issue(request: HttpRequest, directive: str) -> HttpResponse:
    """Issue a draft."""
    try:
        made = issuing.issue(viewer_in(request), directive, now=timezone.now())
    except (Conflict, Invalid, Refused) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{made} is in force. What follows from it is being found.")
    return redirect("directives:directive", directive)


@login_required
@require_POST
def discard(request: HttpRequest, directive: str) -> HttpResponse:
    """Throw a draft away."""
    try:
        issuing.discard(viewer_in(request), directive, now=timezone.now())
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("directives:directive", directive)
    messages.success(request, "The draft is gone.")
    return redirect("directives:front")


@login_required
@require_POST
def end(request: HttpRequest, directive: str) -> HttpResponse:
    """End a directive."""
    viewer = viewer_in(request)
    own_directive(viewer, directive)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            issuing.end(viewer, directive, form.cleaned_data["reason"], now=timezone.now())
        except (Invalid, Conflict) as error:
            blame(form, error)
        else:
            messages.success(request, "It asks no more.")
            return redirect("directives:directive", directive)
    return _directive_page(request, directive, form)


def _directive_page(request: HttpRequest, name: str, form: EndForm) -> HttpResponse:
    viewer = viewer_in(request)
    now = timezone.now()
    row, value, parts = directive_seen(viewer, name)
    context: dict[str, Any] = {
        "title": value.title,
        "row": row,
        "directive": value,
        "state": shown.state_of(row),
        "facts": shown.facts_of(parts, value),
        "now": now,
        "is_issuer": DirectivePart.OBLIGATIONS in parts,
        "is_draft": row.state == DirectiveRow.State.DRAFT,
        "is_issued": row.state == DirectiveRow.State.ISSUED,
        "form": form,
    }
    if viewer.organisation is not None:
        after = place_asked(request, "after")
        mine, following = entries_of(viewer, now=now, directive=name, after=after)
        context |= {
            "entries": [entry_of(one, now, directive=name) for one in mine],
            "done": [shown.row_of(one, now) for one in queries.done_of(viewer, row)],
            "next_url": next_url(after=following),
            "counts": queries.counts_of(viewer, name, now=now),
        }
    if DirectivePart.COUNTS in parts:
        compliance = queries.compliance_of(viewer, name, now=now)
        context |= {
            "has_counts": True,
            "compliance": shown.compliance_table(compliance, now),
            "picture": shown.compliance_picture(compliance),
        }
    if DirectivePart.OBLIGATIONS in parts:
        under, onward = entries_under(viewer, name, now=now, after=place_asked(request, "from"))
        context |= {
            "under": [place_of(one, now, directive=name) for one in under],
            "under_next": next_url(**{"from": onward}),
        }
    return render(request, "directives/directive.html", context, status=status_of(request))


@login_required
@require_safe
def obligation(request: HttpRequest, obligation: str) -> HttpResponse:
    """One obligation: what, where, by when, why, what would change it, evidence, history."""
    return _obligation_page(request, obligation)


@login_required
@require_POST
def hand_in(request: HttpRequest, obligation: str) -> HttpResponse:
    """Hand in evidence that a person examines."""
    viewer = viewer_in(request)
    _, _, parts = obligation_seen(viewer, obligation)
    if ObligationPart.WORK not in parts:
        raise NotFound(MISSING)
    form = EvidenceForm(request.POST)
    if form.is_valid():
        try:
            evidence_actions.hand_in(viewer, obligation, **form.cleaned_data, now=timezone.now())
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, "Handed in. The authority examines it.")
            return redirect("directives:obligation", obligation)
    return _obligation_page(request, obligation, evidence=form)


@login_required
@require_POST
def answer(request: HttpRequest, obligation: str) -> HttpResponse:
    """Accept or refuse what was handed in."""
    viewer = viewer_in(request)
    row, _, _ = obligation_seen(viewer, obligation)
    own_directive(viewer, row.directive.name)
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            evidence_actions.answer(viewer, obligation, **form.cleaned_data, now=timezone.now())
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, "Answered.")
            return redirect("directives:obligation", obligation)
    return _obligation_page(request, obligation, answering=form)


def _obligation_page(
    request: HttpRequest, name: str, *, evidence: EvidenceForm | None = None,
    answering: AnswerForm | None = None,
) -> HttpResponse:  # fmt: skip
    viewer = viewer_in(request)
    now = timezone.now()
    row, value, _ = obligation_seen(viewer, name)
    one = queries.seen_of(viewer, row, value)
    is_owner = ObligationPart.WORK in one.parts
    is_active = row.state in (State.OPEN, State.HANDED_IN)
    can_answer = is_issuer(viewer, row.directive)
    proofs = proofs_of(one)
    context = {
        "title": f"{one.flaw or 'A flaw'} on {one.system or 'a system'}",
        "one": one,
        "row": row,
        "shown": shown.row_of(one, now),
        "now": now,
        "is_owner": is_owner,
        "packages": shown.packages_of(one),
        "proofs": proofs,
        "questions": shown.open_questions(one),
        "ways": shown.ways_of(one, [Way.PROOF] if proofs is not None and proofs.cases else []),
        "history": shown.history_of(one),
        "is_active": is_active,
        "evidence_form": (evidence or EvidenceForm()) if is_owner and is_active else None,
        "answer_form": (
            (answering or AnswerForm()) if can_answer and row.state == State.HANDED_IN else None
        ),
    }
    return render(request, "directives/obligation.html", context, status=status_of(request))
