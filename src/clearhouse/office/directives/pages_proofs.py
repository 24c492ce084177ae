"""The pages of proofs that are run for an obligation: asking, and what was run."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clearhouse.errors import Conflict, Refused
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.proofs import document_for
from clearhouse.office.orgs.middleware import viewer_in


@login_required
@require_POST
def prove(request: HttpRequest, obligation: str) -> HttpResponse:
    """Ask for the office's proofs of the flaw to be run on what is installed."""
    try:
        proving.ask(viewer_in(request), obligation, now=timezone.now())
    except (Conflict, Refused) as error:
        messages.error(request, f"{str(error)[0].upper()}{str(error)[1:]}")
    else:
        messages.success(request, "Asked for. What comes of it will stand here.")
    return redirect("directives:obligation", obligation)


@login_required
@require_safe
def proof(request: HttpRequest, obligation: str, digest: str) -> HttpResponse:
    """What was run, for whose the obligation is."""
    found = document_for(viewer_in(request), obligation, digest)
    response = HttpResponse(found, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{obligation}.proof.json"'
    return response
