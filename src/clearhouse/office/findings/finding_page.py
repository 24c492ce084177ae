"""The page of one finding, what it hands out, and what can be done there."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clearhouse import __version__
from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.findings import actions, queries, sight, standing
from clearhouse.office.findings.downloads import archive_suffix
from clearhouse.office.findings.evidence import evidence_of
from clearhouse.office.findings.intake import report_in
from clearhouse.office.findings.queries import Finding
from clearhouse.office.headers import handed_out
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.orgs.middleware import viewer_in

_State = Finding.State
#: States that a finding does not leave.
_OVER = frozenset({_State.WITHDRAWN, _State.REFUSED, _State.KNOWN})
#: Those whose reason is not told in full elsewhere on the page.
_SAYS_WHY = frozenset({_State.PROVEN, _State.NOT_SHOWN, _State.UNRUNNABLE, _State.KNOWN})
_AGAIN = frozenset({_State.UNRUNNABLE, _State.NOT_SHOWN})


@login_required
@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """Everything about a finding for one who may see it."""
    viewer = viewer_in(request)
    found = sight.finding_for(viewer, name)
    data = queries.content_of(found)
    is_proof = found.kind == Finding.Kind.BUNDLE
    kept = queries.verdict_bytes(found)
    own = found.organisation_id == viewer.organisation
    context = {
        "title": found.title,
        "found": found,
        "is_proof": is_proof,
        "report": None if is_proof else report_in(data),
        "evidence": evidence_of(json.loads(kept)) if kept else None,
        "file_name": _file_name(found, data),
        "file_size": len(data),
        "verdict_size": len(kept or b""),
        "sees_case": sight.sees_case(viewer, found.case),
        "may_withdraw": own and not found.case and found.state not in _OVER,
        "may_run_again": viewer.coordinates and is_proof and found.state in _AGAIN,
        "entries": entries_about(viewer, found.name),
        "version": __version__,
        **_progress(found),
    }
    return render(request, "findings/finding.html", context)


@login_required
@require_safe
def progress(request: HttpRequest, name: str) -> HttpResponse:
    """How far it is, for the page that shows it; once it is decided the page loads anew."""
    viewer = viewer_in(request)
    found = sight.finding_for(viewer, name)
    answer = render(request, "findings/parts/progress.html", _progress(found))
    if not standing.is_waiting(found):
        answer["HX-Refresh"] = "true"
    return answer


def _progress(found: Finding) -> dict[str, Any]:
    now = timezone.now()
    waiting = standing.is_waiting(found)
    job = standing.job_of(found) if waiting else None
    return {
        "found": found,
        "tag": standing.STATES[found.state],
        "next": standing.NEXT[found.state],
        "stages": standing.stages_of(found),
        "waiting": waiting,
        "says_why": bool(found.reason) and found.state in _SAYS_WHY,
        "told": standing.told(job, now) if job else "",
        "now": now,
    }


@login_required
@require_safe
def content(request: HttpRequest, name: str) -> HttpResponse:
    """What was handed in, as it was."""
    found = sight.finding_for(viewer_in(request), name)
    data = queries.content_of(found)
    return handed_out(data, _file_name(found, data))


def _file_name(found: Finding, data: bytes) -> str:
    is_proof = found.kind == Finding.Kind.BUNDLE
    return found.name + (archive_suffix(data) if is_proof else ".json")


@login_required
@require_safe
def verdict(request: HttpRequest, name: str) -> HttpResponse:
    """The verdict document, byte for byte as it is kept."""
    found = sight.finding_for(viewer_in(request), name)
    kept = queries.verdict_bytes(found)
    if kept is None:
        raise NotFound("there is no verdict on it yet")
    return handed_out(kept, f"{found.name}-verdict.json", "application/json")


@login_required
@require_safe
def receipt(request: HttpRequest, name: str) -> HttpResponse:
    """The ledger's receipt of an entry about it, by default of the one that received it."""
    viewer = viewer_in(request)
    found = sight.finding_for(viewer, name)
    indexes = {str(one.index): one.index for one in entries_about(viewer, found.name)}
    wanted = request.GET.get("entry", str(found.entry))
    if wanted not in indexes:
        raise NotFound("there is no such entry about this finding")
    made = receipt_for(viewer, indexes[wanted], now=timezone.now())
    return handed_out(bytes(made), f"{found.name}-receipt-{wanted}.json", "application/json")


@login_required
@require_POST
def withdraw(request: HttpRequest, name: str) -> HttpResponse:
    """Take it back."""
    try:
        actions.withdraw(viewer_in(request), name, now=timezone.now())
    except (Refused, Conflict) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Withdrawn.")
    return redirect("findings:finding", name)


@login_required
@require_POST
def run_again(request: HttpRequest, name: str) -> HttpResponse:
    """Have it run once more, by a coordinator."""
    try:
        actions.run_again(viewer_in(request), name, now=timezone.now())
    except (Refused, Conflict) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It will be run again.")
    return redirect("findings:finding", name)
