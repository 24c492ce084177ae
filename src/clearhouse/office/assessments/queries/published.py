"""Determinations that their developers made public."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clearhouse.office.assessments.models import Assessment
from clearhouse.protocol.review import ReviewState, is_seen_by_others


@dataclass(frozen=True, slots=True)
class Published:
    """What its developer lets everybody read; ``entry`` is the plan's place in the ledger."""

    name: str
    developer: str
    model: str
    verdict: str
    is_lower_bound: bool
    determined_at: datetime
    plan: str
    plan_digest: str
    entry: int
    determination: str
    reply: str


def published_determinations() -> list[Published]:
    """The newest first, for everybody; what was withdrawn since is not among them."""
    rows = Assessment.objects.select_related("review__organisation", "plan")
    found = []
    for row in rows.filter(published_at__isnull=False).order_by("-determined_at", "-pk"):
        if row.determined_at is None or not is_seen_by_others(ReviewState(row.review.state)):
            continue
        found.append(
            Published(
                name=row.name, developer=row.review.organisation.name, model=row.review.model,
                verdict=row.verdict, is_lower_bound=row.is_lower_bound,
                determined_at=row.determined_at, plan=row.plan.name,
                plan_digest=row.plan.digest, entry=row.plan.entry,
                determination=row.determination, reply=row.reply,
            )
        )  # fmt: skip
    return found
