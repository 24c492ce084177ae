"""Files out of a case: always as a file to keep, never as something that a browser opens."""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from clearhouse.errors import NotFound
from clearhouse.office.blobs import store
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions.discussion import safe_name
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.queries import Finding
from clearhouse.office.orgs.middleware import viewer_in

_ENDINGS: Final = {
    Finding.Kind.BUNDLE: ".tar.gz",
    Finding.Kind.REPORT: ".json",
    Finding.Kind.SARIF: ".json",
    Finding.Kind.AIXCC: ".tar.gz",
}


@require_safe
def finding_file(request: HttpRequest, name: str, finding: str) -> HttpResponse:
    """What a finder handed in: the bundle that ``clearhouse prove`` runs, or the report."""
    found = _finding(request, name, finding)
    ending = _ENDINGS[Finding.Kind(found.kind)]
    return attached(findings.content_of(found), f"{found.name}{ending}")


@require_safe
def verdict_file(request: HttpRequest, name: str, finding: str) -> HttpResponse:
    """What running it showed."""
    verdict = findings.verdict_of(_finding(request, name, finding))
    if verdict is None:
        raise NotFound("it was not run yet")
    return attached(_written(verdict), f"{finding}.verdict.json")


def _finding(request: HttpRequest, case: str, name: str) -> Finding:
    found = queries.finding_for(viewer_in(request), name)
    if found.case != case:
        raise NotFound("there is no such finding here")
    return found


@require_safe
def patch_file(request: HttpRequest, name: str, patch: str) -> HttpResponse:
    """A patch, as it was handed in."""
    found = queries.patch_for(viewer_in(request), name, patch)
    return attached(store.read(found.blob), f"{found.name}.patch")


@require_safe
def patch_verdict(request: HttpRequest, name: str, patch: str) -> HttpResponse:
    """What running a patch showed."""
    verdict = queries.patch_verdict(queries.patch_for(viewer_in(request), name, patch))
    if verdict is None:
        raise NotFound("there is no such verdict here")
    return attached(_written(verdict), f"{patch}.verdict.json")


@require_safe
def patch_note(request: HttpRequest, name: str, patch: str) -> HttpResponse:
    """What the office has signed about a patch that it handed on."""
    found = queries.patch_for(viewer_in(request), name, patch)
    if not found.note_signed:
        raise NotFound("this patch was not handed on yet")
    return attached(found.note_signed.encode(), f"{found.name}.note.txt")


@require_safe
def case_file(request: HttpRequest, name: str, file: str) -> HttpResponse:
    """A file that somebody gave."""
    found = queries.file_for(viewer_in(request), name, file)
    return attached(store.read(found.blob), found.filename)


def attached(data: bytes, name: str) -> HttpResponse:
    """Bytes as a file of that name: no browser opens or guesses what others have sent."""
    return HttpResponse(
        data,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{safe_name(name)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _written(document: dict[str, object]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
