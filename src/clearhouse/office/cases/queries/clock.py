"""When an embargo ends, and what telling a supplier would do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clearhouse.office.cases import routes
from clearhouse.office.cases.models import (
    Case,
    Participant,
    Proposal,
)
from clearhouse.office.cases.queries.access import case_for, is_embargoed
from clearhouse.office.cases.routes import Telling
from clearhouse.office.orgs.queries import organisation, policy_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.disclosure_clock import (
    Deadline,
    Happening,
    Periods,
    Turn,
    deadline,
)
from clearhouse.protocol.roles import Role

PERIODS: Final = Periods()
#: Why an end is agreed that nobody had to be asked for.
BY_POLICY: Final = "as a supplier asks in its policy"


def reckoned(case: Case, told_at: datetime | None) -> Deadline:
    """When the embargo ends by what happened, had the first supplier been told at ``told_at``.

    1. Before anybody is told, the period runs from the opening.  2. An end that was agreed on takes
    the place of the usual one; what has happened since then moves it.
    """
    agreed = case.proposals.filter(state=Proposal.State.ACCEPTED).order_by("-decided_at").first()
    turns = case.turns.order_by("at", "id")
    since = ""
    begins = told_at or case.opened_at
    if told_at is None:  # 1
        since = f"{PERIODS.usual.days} days since the case was opened"
    if agreed is not None and agreed.decided_at is not None:  # 2
        begins = agreed.ends_at - PERIODS.usual
        since = BY_POLICY if agreed.reason == BY_POLICY else "agreed by the participants"
        turns = turns.filter(at__gt=agreed.decided_at)
    happened = [Happening(Turn(one.kind), one.at) for one in turns]
    return deadline(begins, happened, PERIODS, since=since)


def telling(viewer: Viewer, name: str, slug: str, *, now: datetime) -> Telling:
    """What telling a supplier of a case would do now.  For the office; raises otherwise."""
    viewer.must_coordinate()
    case, _, _ = case_for(viewer, name)
    return telling_of(case, organisation(slug).pk, now=now)


def telling_of(case: Case, supplier: int, *, now: datetime) -> Telling:
    """The same for an action that holds the case."""
    told = Participant.objects.filter(
        organisation=supplier, role=Role.SUPPLIER, told_at__gt=now - routes.WEEK
    ).exclude(case=case)
    lately = [one for one in told.values_list("told_at", flat=True) if one is not None]
    told_at = case.told_at or now
    return routes.telling(
        _policy(supplier),
        has_proof=case.signature is not None,
        told_lately=sorted(lately),
        ends_at=reckoned(case, told_at).at if is_embargoed(case) else None,
        now=now,
    )


def _policy(supplier: int) -> routes.Policy:
    said = policy_of(supplier)
    days = said.embargo_days
    return routes.Policy(
        slug=said.organisation.slug,
        name=said.organisation.name,
        route=said.get_route_display(),
        wants_public=said.route == said.Route.PUBLIC,
        embargo=None if days is None else timedelta(days=days),
        pace=said.pace,
        proof_required=said.proof_required,
        scale=said.get_scale_display(),
        scope=said.scope,
    )
