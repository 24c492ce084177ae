"""Who may see what the ledger says of plans and assessments."""

from __future__ import annotations

from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.viewer import Viewer


@may_see_by
def of_plans(viewer: Viewer, subject: str) -> bool:  # noqa: ARG001 - the rule's shape
    """Everybody sees by which plan is decided, and each opening of its sealed set.

    What an assessment comes to is in the entries of its review, and in none of its own but the
    count, which is nobody's to read.
    """
    return subject.startswith("PL-")
