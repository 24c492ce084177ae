"""Commitments in the API: a place in time for what is handed in later."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from clearhouse.office.findings import actions, queries
from clearhouse.office.findings.documents import CommitIn, CommitmentOut, Name
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.orgs.middleware import viewer_in

router = Router(tags=["commitments"])


@router.post("", response=CommitmentOut)
def commit(request: HttpRequest, promise: CommitIn) -> CommitmentOut:
    """Commit to a finding.  The same again gives the one that is there."""
    made = actions.commit(viewer_in(request), promise.value, now=timezone.now())
    return CommitmentOut.of(made)


@router.get("", response=list[CommitmentOut])
def listed(request: HttpRequest) -> list[CommitmentOut]:
    """The last commitments of your organisation, newest first."""
    return [CommitmentOut.of(one) for one in queries.commitments_of(viewer_in(request))]


@router.get("/{name}", response=CommitmentOut)
def one(request: HttpRequest, name: Name) -> CommitmentOut:
    """A commitment of your own."""
    return CommitmentOut.of(queries.commitment(viewer_in(request), name))


@router.get("/{name}/receipt")
def receipt(request: HttpRequest, name: Name) -> HttpResponse:
    """The ledger's receipt: anybody can check it without asking this office."""
    viewer = viewer_in(request)
    made = queries.commitment(viewer, name)
    found = receipt_for(viewer, made.entry, now=timezone.now())
    return HttpResponse(bytes(found), content_type="application/json")
