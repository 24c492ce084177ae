"""Pages of the room: the list, an advisory, its draft."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clearhouse.errors import ClearhouseError, Invalid, NotFound
from clearhouse.office.advisories import actions, queries
from clearhouse.office.advisories.forms import DraftForm, lines_of
from clearhouse.office.cases.account import account
from clearhouse.office.orgs.middleware import viewer_in

_KINDS = (
    ("csaf", "CSAF 2.0"), ("vex", "VEX in CSAF 2.0"), ("osv", "OSV"), ("cve", "CVE record 5.1"),
)  # fmt: skip


@require_safe
def advisories(request: HttpRequest) -> HttpResponse:
    """The published advisories; the office sees its drafts among them."""
    viewer = viewer_in(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    before = request.GET.get("before", "")[:20].replace("\0", "")
    rows, following = queries.page_of(viewer, before=before, text=text)
    next_url = f"?{urlencode({'before': following, 'q': text})}" if following else ""
    context = {"rows": rows, "q": text, "next_url": next_url, "now": timezone.now()}
    return render(request, "advisories/list.html", context)


@require_safe
def advisory(request: HttpRequest, name: str) -> HttpResponse:
    """One advisory: what it is, which versions, what to do, who found it."""
    viewer = viewer_in(request)
    found = queries.advisory(viewer, name)
    last = queries.latest(found)
    now = timezone.now()
    context: dict[str, Any] = {
        "advisory": found,
        "last": last,
        "now": now,
        "kinds": [
            (title, reverse("advisories:document", args=[found.name, kind]))
            for kind, title in _KINDS
            if last is not None and getattr(last, kind) is not None
        ],
        "shown": last.shown if last is not None else {"title": found.title},
        "revisions": list(found.revisions.order_by("-number").values("summary", "at")),
        "is_office": viewer.coordinates,
    }
    return render(request, "advisories/advisory.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Write the words of an advisory; the documents as they would be stand below."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    now = timezone.now()
    there = queries.draft_of(viewer, name)
    if request.method == "POST":
        form = DraftForm(request.POST)
        if form.is_valid():
            try:
                actions.draft(viewer, name, now=now, **form.cleaned_data)
            except Invalid as error:
                form.add_error(error.key if error.key in form.fields else None, str(error))
            else:
                messages.success(request, "The draft is kept. Nothing is public by it.")
                return redirect("advisories:edit", name=name)
    else:
        form = DraftForm(initial=_initial(name, viewer, there))
    context: dict[str, Any] = {"form": form, "name": name, "advisory": there, "now": now}
    if there is not None:
        context |= _preview(viewer, name, now)
    return render(request, "advisories/edit.html", context, status=422 if form.errors else 200)


def _preview(viewer: Any, name: str, now: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
    try:
        documents = actions.preview(viewer, name, now=now)
    except ClearhouseError as error:
        return {"problem": str(error)}
    shown = []
    for kind, title in _KINDS:
        document = getattr(documents, kind)
        text = json.dumps(document, indent=2, ensure_ascii=False) if document else ""
        shown.append((title, text, documents.missing.get(kind, "")))
    return {"documents": shown}


def _initial(name: str, viewer: Any, there: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
    if there is not None:
        return {
            "title": there.title, "summary": there.summary, "details": there.details,
            "remedy": there.remedy, "references": lines_of(there.references),
        }  # fmt: skip
    known = account(viewer, name)
    return {"title": known.title, "summary": known.summary}


@require_POST
def publish(request: HttpRequest, name: str) -> HttpResponse:
    """Publish a draft, or a revision."""
    viewer = viewer_in(request)
    viewer.must_coordinate()
    try:
        actions.publish(viewer, name, request.POST.get("summary", ""), now=timezone.now())
    except NotFound:
        raise
    except ClearhouseError as error:
        messages.error(request, str(error))
        return redirect("advisories:edit", name=name)
    messages.success(request, "Published. The embargo is over for everybody.")
    return redirect("advisories:advisory", name=name)


@require_safe
def document(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """A document of an advisory, as it was published."""
    found = queries.document(viewer_in(request), name, kind)
    text = json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    response = HttpResponse(text, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}.json"'
    return response
