"""Who may see what the ledger says of a finding or a commitment: its finder and the office."""

from __future__ import annotations

from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer


@may_see_by
def sees_entries(viewer: Viewer, subject: str) -> bool:
    """Whether the subject is a finding or a commitment of the viewer's own organisation."""
    if viewer.organisation is None:
        return False
    own = {} if viewer.coordinates else {"organisation": viewer.organisation}
    if subject.startswith("F-"):
        return Finding.objects.filter(name=subject, **own).exists()
    return subject.startswith("C-") and Commitment.objects.filter(name=subject, **own).exists()
