"""What is counted of a review that is over, for the report on even-handedness."""

from __future__ import annotations

from datetime import datetime, timedelta

from clearhouse.ledger.entry import JSON
from clearhouse.office.ledgerbook.actions import Decision, record_many
from clearhouse.office.reviews.models import Review
from clearhouse.office.reviews.queries.figures import PARTY_OVER, REVIEW_OVER

_HOUR = timedelta(hours=1)


def count_it(review: Review, *, now: datetime) -> None:
    """Write what is counted: who asked, by sector and size, and whether it got it.

    In the caller's transaction.  Of a review that is withdrawn before it is over nothing is ever
    counted.
    """
    got = review.starts_at is not None
    begun = review.submitted_at or now
    decisions = [
        Decision(
            REVIEW_OVER, review.name,
            _facts(review.organisation.sector, review.size, begun, now, got=got),
        )
    ]  # fmt: skip
    for party in review.parties.select_related("organisation").order_by("pk"):
        joined = party.joined_at is not None and got
        sector = party.organisation.sector
        facts = _facts(sector, party.size, party.proposed_at, now, got=joined)
        decisions.append(Decision(PARTY_OVER, review.name, facts))
    record_many(decisions, now=now)


def _facts(sector: str, size: str, begun: datetime, now: datetime, *, got: bool) -> dict[str, JSON]:
    hours = max(0, (now - begun) // _HOUR)
    return {"sector": sector, "size": size, "got": got, "hours": hours}
