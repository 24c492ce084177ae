"""The pages of the room: what was handed in, and the ways to hand something in."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from clearhouse.errors import Conflict, Invalid, Refused
from clearhouse.formats.report import parse_report
from clearhouse.office.findings import actions, forms, queries
from clearhouse.office.findings.checking import check_now
from clearhouse.office.findings.intake import of_report
from clearhouse.office.findings.receiving import Outcome, Upload, take_in, take_promised
from clearhouse.office.findings.standing import STATES
from clearhouse.office.headers import handed_out
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

_NAME: Final = re.compile(r"F-[0-9A-Z]{10}", re.ASCII)
_CHANGES: Final = ("GET", "HEAD", "POST")


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The viewer's findings, newest first; everybody's for the office."""
    viewer = viewer_in(request)
    form = forms.FilterForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {"state": "", "text": ""}
    before = request.GET.get("before", "")
    rows, following = queries.page_of(
        queries.findings_of(viewer),
        before=_place(viewer, before) if _NAME.fullmatch(before) else None,
        state=asked["state"],
        text=asked["text"],
    )
    counts = queries.counts(viewer)
    kept = {key: value for key, value in asked.items() if value}
    context = {
        "title": "Findings",
        "rows": [(one, STATES[one.state]) for one in rows],
        "form": form,
        "filtered": bool(kept) or bool(before),
        "total": sum(counts.values()),
        "counts": [
            (STATES[state].text, counts[state], _here(state=state), state == asked["state"])
            for state in STATES
            if counts.get(state)
        ],
        "first_url": _here(**kept) if before else "",
        "next_url": _here(**kept, before=rows[-1].name) if following else "",
        "now": timezone.now(),
    }
    return render(request, "findings/list.html", context)


def _place(viewer: Viewer, name: str) -> int | None:
    """Where the page after a finding begins.

    Addresses have its name: a number would tell how many findings others have handed in.
    """
    mine = queries.findings_of(viewer).filter(name=name)
    return mine.values_list("pk", flat=True).first()


def _here(**query: object) -> str:
    text = urlencode(query)
    return reverse("findings:list") + (f"?{text}" if text else "")


@login_required
@require_safe
def ways(request: HttpRequest) -> HttpResponse:
    """How something can be handed in."""
    viewer_in(request).needs(Scope.FINDINGS_WRITE)
    return render(request, "findings/ways.html", {"title": "Report a vulnerability"})


@login_required
@require_http_methods(_CHANGES)
def bundles(request: HttpRequest) -> HttpResponse:
    """Hand in proof bundles, or one with the commitment that it opens."""
    viewer = viewer_in(request)
    viewer.needs(Scope.FINDINGS_WRITE)
    form = forms.BundlesForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        uploads = _uploads(form)
        label = form.cleaned_data["tlp"]
        try:
            if form.promise is None:
                return _told(request, take_in(viewer, uploads, label=label, clock=timezone.now))
            made = take_promised(viewer, uploads[0], form.promise, label=label, now=timezone.now())
            return redirect("findings:finding", made.name)
        except (Invalid, Refused, Conflict) as error:
            forms.blame(form, error)
    return _form_page(request, "findings/bundles.html", form)


@login_required
@require_http_methods(_CHANGES)
def bulk(request: HttpRequest) -> HttpResponse:
    """Hand in many at once."""
    viewer = viewer_in(request)
    viewer.needs(Scope.FINDINGS_WRITE)
    form = forms.BulkForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            outcomes = take_in(
                viewer, _uploads(form), target=data["purl"], label=data["tlp"],
                clock=timezone.now,
            )  # fmt: skip
            return _told(request, outcomes)
        except (Invalid, Refused, Conflict) as error:
            forms.blame(form, error)
    return _form_page(request, "findings/bulk.html", form)


def _uploads(form: forms.BundlesForm | forms.BulkForm) -> list[Upload]:
    return [Upload(str(one.name), one.file, one.size) for one in form.cleaned_data["uploads"]]


def _told(request: HttpRequest, outcomes: list[Outcome]) -> HttpResponse:
    """What became of each thing.  Sending it once more changes nothing, so nothing is redirected.

    The status is that of the whole: nothing was taken where everything was refused.
    """
    taken = [one for one in outcomes if one.name]
    context = {
        "title": "What was handed in",
        "new": [one for one in taken if one.is_new],
        "here": [one for one in taken if not one.is_new],
        "refused": [one for one in outcomes if not one.name],
    }
    return render(request, "findings/outcomes.html", context, status=200 if taken else 422)


@login_required
@require_http_methods(_CHANGES)
def plain(request: HttpRequest) -> HttpResponse:
    """Report something without a proof; what it names is looked up at once."""
    viewer = viewer_in(request)
    viewer.needs(Scope.FINDINGS_WRITE)
    sent = request.POST if request.method == "POST" else None
    if sent is not None and "more" in sent:
        form, rows = forms.ReportForm(initial=sent.dict()), forms.place_forms(sent, more=3)
        return _report_page(request, form, rows, status=200)
    form, rows = forms.ReportForm(sent), forms.place_forms(sent)
    if sent is not None and forms.are_valid(form, rows):
        now = timezone.now()
        try:
            report = parse_report(form.raw(forms.places_of(rows)), "the report")
            label = form.cleaned_data["tlp"]
            [made] = actions.submit(viewer, [of_report(report)], now=now, label=label)
        except (Invalid, Refused, Conflict) as error:
            forms.blame(form, error)
        else:
            if not made.is_new:
                messages.info(request, "This report was here already.")
            else:
                check_now(made.name, report, now=now)
            return redirect("findings:finding", made.name)
    return _report_page(request, form, rows, status=200 if sent is None else 422)


def _report_page(
    request: HttpRequest,
    form: forms.ReportForm,
    rows: Any,  # noqa: ANN401 - Django's formset
    *,
    status: int,
) -> HttpResponse:
    names = ("title", "target", "description", "weaknesses", "effect")
    context = {
        "title": "Report without a proof",
        "form": form,
        "rows": rows,
        "first": [form[name] for name in names],
        "rest": [form[name] for name in form.fields if name not in names],
    }
    return render(request, "findings/plain.html", context, status=status)


@login_required
@require_http_methods(_CHANGES)
def commitments(request: HttpRequest) -> HttpResponse:
    """One's commitments, and how to hand one in."""
    viewer = viewer_in(request)
    form = forms.CommitmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.commit(viewer, form.cleaned_data["value"], now=timezone.now())
        except Invalid as error:
            forms.blame(form, error)
        else:
            messages.success(request, f"Committed as {made.name}. Keep the key file.")
            return redirect("findings:commitments")
    known = {"mine": queries.commitments_of(viewer), "now": timezone.now()}
    return _form_page(request, "findings/commitments.html", form, **known)


@login_required
@require_safe
def commitment_receipt(request: HttpRequest, name: str) -> HttpResponse:
    """The ledger's receipt of a commitment."""
    viewer = viewer_in(request)
    found = queries.commitment(viewer, name)
    receipt = receipt_for(viewer, found.entry, now=timezone.now())
    return handed_out(bytes(receipt), f"{found.name}-receipt.json", "application/json")


def _form_page(
    request: HttpRequest,
    template: str,
    form: Form,
    **known: object,
) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, template, {"form": form, **known}, status=status)
