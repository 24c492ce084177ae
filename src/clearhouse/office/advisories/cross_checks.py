"""Advisories held against the ledger: the documents are those that were published."""

from __future__ import annotations

from collections.abc import Iterator

from clearhouse.office.advisories.actions import digests_of
from clearhouse.office.advisories.models import Revision
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM


@cross_check
def published() -> Iterator[Contradiction]:
    """Each revision's documents have the digests that its entry names."""
    said = {
        (entry.subject, entry.facts["revision"]): entry
        for entry in entries_of(SYSTEM, ("advisory.published",))
    }
    for one in Revision.objects.select_related("advisory").order_by("pk").iterator():
        entry = said.pop((one.advisory.name, one.number), None)
        if entry is None:
            yield Contradiction(one.advisory.name, None, f"revision {one.number} has no entry")
        elif entry.facts["documents"] != digests_of(one):
            yield Contradiction(
                one.advisory.name, entry.index, f"documents of revision {one.number} were altered"
            )
    for (name, number), entry in said.items():
        yield Contradiction(name, entry.index, f"revision {number} is gone")
