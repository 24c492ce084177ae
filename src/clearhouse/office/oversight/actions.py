"""Publishing the figures, each week once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.ledgerbook.queries import entries_of, first_entry_at, head
from clearhouse.office.oversight.figures import EVERY, digest_of, document_of
from clearhouse.office.oversight.models import Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.viewer import SYSTEM


def publish_figures(now: datetime) -> Publication | None:
    """Publish the figures of the weeks that are over; None where that is done already.

    The ledger's entry names their digest and how much of the ledger they were made from.
    """
    since = first_entry_at()
    until = EVERY.period(now)
    if since is None or Publication.objects.filter(until=until).exists():
        return None
    with transaction.atomic():
        size = head().size
        found = document_of(passages(entries_of(SYSTEM, KINDS, below=size)), since=since, until=now)
        digest = digest_of(found)
        record("oversight.published", until, {"size": size, "figures": digest}, now=now)
        return Publication.objects.create(
            until=until, at=now, size=size, document=found, digest=digest
        )
