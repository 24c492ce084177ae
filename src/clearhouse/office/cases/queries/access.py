"""Which cases exist for a viewer, and what it is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import Part, Standing, parts_seen
from clearhouse.office.cases.models import (
    Case,
    Participant,
)
from clearhouse.office.findings import queries as findings
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.roles import Role, Scope

_MISSING: Final = "there is no such case here"
_EMBARGOED: Final = (EmbargoState.PROPOSED, EmbargoState.ACTIVE, EmbargoState.REVISE)
#: Of several parts in one case the one that shows most counts.
_RANK: Final = (Role.SUPPLIER, Role.FINDER, Role.AUTHORITY, Role.DEPLOYER, Role.OBSERVER)


def is_embargoed(case: Case) -> bool:
    """Whether an embargo is proposed or in force."""
    return EmbargoState(case.embargo) in _EMBARGOED


def cases_of(viewer: Viewer) -> QuerySet[Case]:
    """The cases that exist for the viewer: all for the office, else those it takes part in.

    Who declined an invitation has nothing more to do with the case.
    """
    viewer.needs(Scope.CASES_READ)
    if viewer.coordinates:
        return Case.objects.all()
    mine = Participant.objects.filter(
        case=OuterRef("pk"), organisation=viewer.acting_for()
    ).exclude(consent=Consent.DECLINED)
    return Case.objects.filter(Exists(mine))


def standing_of(viewer: Viewer, case: Case) -> Standing | None:
    """What the viewer's organisation is in a case; None where it is nothing there."""
    if viewer.organisation is None:
        return None
    return standing_among(case, case.participants.filter(organisation=viewer.organisation))


def standing_among(case: Case, mine: Iterable[Participant]) -> Standing | None:
    """Of several parts that one organisation has, the one that shows most.

    What it declined, or has not answered yet, takes nothing from what it is bound by already.
    """
    all_of_mine = [
        Standing(Role(one.role), Consent(one.consent), is_embargoed(case)) for one in mine
    ]
    return min(
        all_of_mine,
        key=lambda one: (
            one.consent is Consent.DECLINED, not one.is_bound, _RANK.index(one.role)
        ),
        default=None,
    )  # fmt: skip


def standing_in(viewer: Viewer, name: str) -> Standing | None:
    """The same by the case's name; None for no case."""
    case = Case.objects.filter(name=name).first() if name else None
    return standing_of(viewer, case) if case is not None else None


def case_for(viewer: Viewer, name: str) -> tuple[Case, Standing | None, frozenset[Part]]:
    """A case, the viewer's standing in it and the parts that it sees.

    Raises :class:`NotFound`, in the same words whether it is hidden or not there.
    """
    case = Case.objects.filter(name=name).first()
    if case is None:
        raise NotFound(_MISSING)
    standing = standing_of(viewer, case)
    seen = parts_seen(viewer, standing)
    if not seen:
        raise NotFound(_MISSING)
    viewer.needs(Scope.CASES_READ)
    return case, standing, seen


def finding_for(viewer: Viewer, name: str) -> findings.Finding:
    """A finding that the viewer sees as its finder, or through its case.

    Raises :class:`NotFound`.
    """
    return findings.finding(viewer, name, standing_in(viewer, findings.case_of(name)))
