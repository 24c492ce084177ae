"""Asking blind in the API whether something is known here."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from clearhouse.office.findings import deconfliction
from clearhouse.office.findings.documents import AskingKeyOut, KnownOut, QuestionIn
from clearhouse.office.orgs.middleware import viewer_in

router = Router(tags=["known"])


@router.get("/key", response=AskingKeyOut)
def asking_key(request: HttpRequest) -> AskingKeyOut:
    """The key for your fingerprints: HMAC-SHA256 of `clearhouse known`, a line feed, the fact."""
    return AskingKeyOut(key=deconfliction.asking_key(viewer_in(request)).hex())


@router.post("", response=KnownOut)
def ask(request: HttpRequest, question: QuestionIn) -> KnownOut:
    """Ask by fingerprints of a signature, a package, or both; at most 60 questions an hour."""
    found = deconfliction.ask(
        viewer_in(request),
        signature=question.signature,
        package=question.package,
        now=timezone.now(),
    )
    return KnownOut(answer=found.value)
