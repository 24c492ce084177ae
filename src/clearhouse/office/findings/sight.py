"""Who sees a finding besides its finder and the office: the room of cases says it.

This room does not know what a case is.  The room above hands in the rule by which somebody stands
in one; without it nobody but finder and office sees anything.
"""

from __future__ import annotations

from collections.abc import Callable

from clearhouse.errors import NotFound, Refused
from clearhouse.office.authorisation import Standing, parts_seen
from clearhouse.office.findings import queries
from clearhouse.office.findings.queries import Finding
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer

StandingIn = Callable[[Viewer, str], Standing | None]
"""What a viewer is in the case of that name."""

_RULES: list[StandingIn] = []


def standing_by(rule: StandingIn) -> StandingIn:
    """Take the rule of the room of cases; a decorator."""
    _RULES[:] = [rule]
    return rule


def standing_in(viewer: Viewer, case: str) -> Standing | None:
    """What the viewer is in a case; None for no case."""
    return _RULES[0](viewer, case) if case and _RULES else None


def finding_for(viewer: Viewer, name: str) -> Finding:
    """A finding that the viewer sees, as its finder or through its case.

    Raises :class:`NotFound`.
    """
    return queries.finding(viewer, name, standing_in(viewer, queries.case_of(name)))


def sees_case(viewer: Viewer, case: str) -> bool:
    """Whether a case exists for the viewer."""
    return bool(case) and bool(parts_seen(viewer, standing_in(viewer, case)))


@may_see_by
def sees_entries(viewer: Viewer, subject: str) -> bool:
    """Whether the ledger's entries about a finding or a commitment are the viewer's to read."""
    for look in (finding_for, queries.commitment):
        try:
            look(viewer, subject)
        except (NotFound, Refused):
            continue
        return True
    return False
