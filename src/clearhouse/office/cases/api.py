"""Cases in the API: listed, shown, and everything that is done in them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import opening
from clearhouse.office.cases.api_deeds import router as deeds
from clearhouse.office.cases.api_exchange import router as exchange
from clearhouse.office.cases.api_patches import router as patches
from clearhouse.office.cases.demands import FindingIn
from clearhouse.office.cases.documents import CaseOut, CasePage, ListedOut
from clearhouse.office.findings.documents import Cursor, Name, Text
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.protocol.roles import Scope

router = Router(tags=["cases"])


@router.get("", response=CasePage)
def listed(request: HttpRequest, cursor: Cursor = "", state: Text = "", q: Text = "") -> CasePage:
    """The cases that you take part in, newest first; for the office, all.

    `q` is the beginning of a package, or a name; for the office a part of a title as well.
    """
    viewer = viewer_in(request)
    before: int | None = None
    if cursor:
        seen = queries.cases_of(viewer).filter(name=cursor)
        before = seen.values_list("pk", flat=True).first()
        if before is None:
            raise Invalid("expected the 'next' of an earlier page", key="cursor")
    found, more = queries.page_of(viewer, before=before, state=state, text=q.strip())
    return CasePage(
        items=[ListedOut.of(one) for one in found],
        next=found[-1].case.name if more is not None else None,
    )


@router.post("", response=CaseOut)
def open_unproven(request: HttpRequest, demand: FindingIn) -> CaseOut:
    """Open a case for a report without proof.  For the office."""
    viewer, now = viewer_in(request), timezone.now()
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    viewer.needs(Scope.CASES_READ)
    made = opening.open_unproven(viewer, demand.finding, now=now)
    return CaseOut.of(queries.view(viewer, made.name, now=now))


@router.get("/{name}", response=CaseOut)
def one(request: HttpRequest, name: Name) -> CaseOut:
    """A case as you see it."""
    return CaseOut.of(queries.view(viewer_in(request), name, now=timezone.now()))


@router.get("/{name}/receipt/{entry}")
def receipt(request: HttpRequest, name: Name, entry: int) -> HttpResponse:
    """The ledger's receipt for a line of the timeline that you see."""
    viewer, now = viewer_in(request), timezone.now()
    view = queries.view(viewer, name, now=now)
    if not any(line.entry == entry for line in view.timeline or ()):
        raise NotFound("there is no such line in the timeline")
    found = receipt_for(viewer, entry, now=now)
    return HttpResponse(bytes(found), content_type="application/json")


router.add_router("", deeds)
router.add_router("", exchange)
router.add_router("", patches)
