"""The two places where a decision is written down: the ledger, and the case's own timeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clearhouse.errors import NotFound
from clearhouse.ledger.entry import JSON
from clearhouse.office.authorisation import Deed, Part, Standing, may
from clearhouse.office.cases.models import Case, CaseEvent
from clearhouse.office.cases.queries import case_for, standing_of
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

_TEXT = 1000


def note(
    case: Case,
    kind: str,
    text: str,
    *,
    by: str,
    now: datetime,
    part: Part = Part.TIMELINE,
    facts: Mapping[str, JSON] | None = None,
) -> CaseEvent:
    """Write a decision down.  ``text`` is for who sees ``part``; ``facts`` are for the ledger."""
    entry = record(f"case.{kind}", case.name, facts or {}, now=now)
    return CaseEvent.objects.create(
        case=case, at=now, kind=kind, text=text[:_TEXT], by=by, part=part.value, entry=entry.index
    )


def locked_case(viewer: Viewer, name: str, deed: Deed) -> tuple[Case, Standing | None]:
    """The case, locked for this transaction, if the viewer may do that to it.

    Raises :class:`NotFound` where it does not exist for the viewer, and where the deed does not.
    """
    viewer.needs(Scope.CASES_WRITE)
    case = held(case_for(viewer, name)[0].pk)
    # Judged once it is held: what the viewer is in it may have changed meanwhile.
    standing = standing_of(viewer, case)
    if not may(viewer, deed, standing):
        raise NotFound("there is nothing of the kind to do here")
    return case, standing


def held(case: int) -> Case:
    """A case, locked for this transaction; rows that name it may still be stored."""
    return Case.objects.select_for_update(no_key=True).get(pk=case)
