"""A finding in the API, for its finder and for whoever sees it through its case."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from clearhouse.errors import NotFound
from clearhouse.office.cases import queries
from clearhouse.office.cases.api_exchange import attachment
from clearhouse.office.findings import queries as findings
from clearhouse.office.findings.actions import job_key
from clearhouse.office.findings.documents import FindingOut, JobOut, Name
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.queue.queries import jobs_before, status_of

router = Router(tags=["findings"])

#: How an archive begins, and what it is called then.
_KINDS = ((b"PK", "zip", "application/zip"), (b"\x1f\x8b", "tar.gz", "application/gzip"))


@router.get("/{name}", response=FindingOut)
def finding(request: HttpRequest, name: Name) -> FindingOut:
    """A finding."""
    return FindingOut.of(queries.finding_for(viewer_in(request), name))


@router.get("/{name}/verdict", response=dict[str, Any])
def finding_verdict(request: HttpRequest, name: Name) -> dict[str, Any]:
    """The verdict: what each run showed, and why it counts.  404 before it was run."""
    found = findings.verdict_of(queries.finding_for(viewer_in(request), name))
    if found is None:
        raise NotFound("it has not been run to its end")
    return found


@router.get("/{name}/content")
def finding_content(request: HttpRequest, name: Name) -> HttpResponse:
    """What was handed in: the bundle's archive, to run again, or the report as JSON."""
    found = queries.finding_for(viewer_in(request), name)
    data = findings.content_of(found)
    if found.kind != found.Kind.BUNDLE:
        return attachment(data, f"{found.name}.json", "application/json")
    for begin, ending, media_type in _KINDS:
        if data.startswith(begin):
            return attachment(data, f"{found.name}.{ending}", media_type)
    return attachment(data, f"{found.name}.tar", "application/x-tar")


@router.get("/{name}/receipt")
def finding_receipt(request: HttpRequest, name: Name) -> HttpResponse:
    """The ledger's receipt that it came in: anybody can check it without asking this office."""
    viewer = viewer_in(request)
    found = findings.finding(viewer, name)
    receipt = receipt_for(viewer, found.entry, now=timezone.now())
    return HttpResponse(bytes(receipt), content_type="application/json")


@router.get("/{name}/job", response=JobOut)
def finding_job(request: HttpRequest, name: Name) -> JobOut:
    """Where the work on your finding stands."""
    found = findings.finding(viewer_in(request), name)
    key = job_key(found)
    return JobOut.of(status_of(key), jobs_before(key))
