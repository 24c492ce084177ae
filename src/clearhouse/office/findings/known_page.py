"""The page that answers whether something is known, and nothing else."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clearhouse.errors import Invalid, Refused
from clearhouse.office.findings import deconfliction, forms, queries
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.protocol.deconfliction import Answer

_KNOWN: Final = (
    "A finding with this signature was proven here. Hand yours in all the same if you want credit"
    " for it: it joins the case."
)
_SCANNED: Final = "Somebody else has said that they scan this package at the moment."
_NOT: Final = (
    "Nothing with this fingerprint was proven here, and nobody else has claimed the package."
)
#: The kind of the alert, its heading and its text.
_SAID: Final = {
    Answer.KNOWN: ("info", "Known", _KNOWN),
    Answer.BEING_SCANNED: ("info", "Being scanned", _SCANNED),
    Answer.NOT_KNOWN: ("success", "Not known", _NOT),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def known(request: HttpRequest) -> HttpResponse:
    """The key to ask with, and the question."""
    viewer = viewer_in(request)
    key = deconfliction.asking_key(viewer)
    form = forms.KnownForm(request.POST or None)
    now, answer = timezone.now(), None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            answer = deconfliction.ask(
                viewer, signature=data["signature"], package=data["package"], now=now
            )
        except (Invalid, Refused) as error:
            forms.blame(form, error)
    context = {
        "title": "Is it known?",
        "form": form,
        "key": key.hex(),
        "answer": _SAID[answer] if answer else None,
        "asked": queries.questions_since(viewer.acting_for(), now, deconfliction.PERIOD),
        "most": deconfliction.MOST_IN_PERIOD,
    }
    wrong = request.method == "POST" and answer is None
    return render(request, "findings/known.html", context, status=422 if wrong else 200)
