"""Who may see what the ledger says of a case: the office alone.

Participants have the case's timeline, part by part; an entry tells of every part.
"""

from __future__ import annotations

from clearhouse.office.cases.models import Case
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer


@may_see_by
def sees_entries(viewer: Viewer, subject: str) -> bool:
    """Whether the viewer runs the office that the case is in."""
    return viewer.coordinates and Case.objects.filter(name=subject).exists()
