"""Who may see what the ledger says of a finding or a commitment: its finder and the office."""

from __future__ import annotations

from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer


@may_see_by
def sees_entries(viewer: Viewer, subject: str) -> bool:
    """Whether the subject is a finding or a commitment of the viewer's own organisation."""
    kind = {"F": Finding, "C": Commitment}.get(subject.partition("-")[0])
    if kind is None or viewer.organisation is None:
        return False
    there = kind.objects.filter(name=subject)
    if not viewer.coordinates:
        there = there.filter(organisation=viewer.organisation)
    return there.exists()
