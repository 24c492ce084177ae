"""Directives and obligations in the API.  What is issued, ended and answered is done by people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from clearhouse.office.directives import queries
from clearhouse.office.directives.actions import evidence, proving
from clearhouse.office.directives.documents import (
    ComplianceOut,
    Digest,
    DirectiveOut,
    EvidenceIn,
    Name,
    ObligationOut,
    ObligationPage,
    WholeDirectiveOut,
    WholeObligationOut,
)
from clearhouse.office.directives.proofs import document_for
from clearhouse.office.directives.sight import directive_seen, obligation_seen
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.protocol.roles import Scope

directives = Router(tags=["directives"])
obligations = Router(tags=["directives"])


@directives.get("", response=list[DirectiveOut])
def listed(request: HttpRequest) -> list[DirectiveOut]:
    """The directives that you may read, those in force first."""
    viewer = viewer_in(request)
    viewer.needs(Scope.DIRECTIVES_READ)
    found = queries.directives_of(viewer, now=timezone.now())
    return [DirectiveOut.of(one) for one in found]


@directives.get("/{name}", response=WholeDirectiveOut)
def directive(request: HttpRequest, name: Name) -> WholeDirectiveOut:
    """One directive, with its text as a document (`clearhouse-directive/1`)."""
    viewer = viewer_in(request)
    viewer.needs(Scope.DIRECTIVES_READ)
    row, value, parts = directive_seen(viewer, name)
    mine = queries.counts_of(viewer, name, now=timezone.now())
    return WholeDirectiveOut.whole(row, value, parts, mine)


@directives.get("/{name}/compliance", response=list[ComplianceOut])
def compliance(request: HttpRequest, name: Name) -> list[ComplianceOut]:
    """How each organisation stands: for who issued it, and for the office."""
    found = queries.compliance_of(viewer_in(request), name, now=timezone.now())
    return [ComplianceOut.of(one) for one in found]


@directives.get("/{name}/obligations", response=ObligationPage)
def under(request: HttpRequest, name: Name, after: Name = "") -> ObligationPage:
    """What is open under a directive, by due date: for who issued it."""
    now = timezone.now()
    found, following = queries.obligations_under(viewer_in(request), name, after=after)
    return ObligationPage(obligations=[ObligationOut.of(one, now) for one in found], next=following)


@obligations.get("", response=ObligationPage)
def mine(request: HttpRequest, directive: Name = "", after: Name = "") -> ObligationPage:
    """What is asked of your organisation, by due date."""
    now = timezone.now()
    found, following = queries.obligations_of(viewer_in(request), directive=directive, after=after)
    return ObligationPage(obligations=[ObligationOut.of(one, now) for one in found], next=following)


@obligations.get("/{name}", response=WholeObligationOut)
def obligation(request: HttpRequest, name: Name) -> WholeObligationOut:
    """One obligation of yours, or under a directive of yours."""
    return _told(request, name)


@obligations.post("/{name}/evidence", response=WholeObligationOut)
def hand_in(request: HttpRequest, name: Name, demand: EvidenceIn) -> WholeObligationOut:
    """State that something was taken off the network, or ask to leave it; the authority answers.

    A new inventory and a VEX statement are handed in with the system, and found by themselves.
    """
    evidence.hand_in(viewer_in(request), name, demand.way, demand.text, now=timezone.now())
    return _told(request, name)


@obligations.post("/{name}/proof", response=WholeObligationOut)
def prove(request: HttpRequest, name: Name) -> WholeObligationOut:
    """Have the office run its proofs of the flaw on exactly the versions that are installed.

    There are some where `proofs` is not null, and `may_ask` says whether they can be run. The
    effect shows on none of the versions: the obligation is met, by rule. What came of it stands in
    `proofs`.
    """
    proving.ask(viewer_in(request), name, now=timezone.now())
    return _told(request, name)


@obligations.get("/{name}/proof", response=dict[str, Any])
def proof(request: HttpRequest, name: Name, digest: Digest = "") -> HttpResponse:
    """What was run on what is installed, as a document (`clearhouse-on-installed/1`).

    The latest, or the one of that digest, which evidence names. It is for whose the obligation is.
    """
    found = document_for(viewer_in(request), name, digest)
    return HttpResponse(found, content_type="application/json")


def _told(request: HttpRequest, name: str) -> WholeObligationOut:
    viewer = viewer_in(request)
    row, value, _ = obligation_seen(viewer, name)
    return WholeObligationOut.whole(queries.seen_of(viewer, row, value), timezone.now())
