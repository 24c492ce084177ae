"""Who may see what the ledger says about cases and suggestions, and findings through their case."""

from __future__ import annotations

from clearhouse.office.cases.models import Case, Suggestion
from clearhouse.office.cases.queries import standing_in
from clearhouse.office.findings.sight import standing_by
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


@may_see_by
def of_cases(viewer: Viewer, subject: str) -> bool:
    """The office: an entry says more than any one participant sees."""
    if not viewer.coordinates or Scope.CASES_READ not in viewer.scopes:
        return False
    return (
        Case.objects.filter(name=subject).exists()
        or Suggestion.objects.filter(name=subject).exists()
    )


standing_by(standing_in)
