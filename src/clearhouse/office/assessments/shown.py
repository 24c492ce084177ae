"""From what a viewer sees of an assessment to what its page shows; nothing is looked up here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from clearhouse.benchmark.report.plots import HEIGHT, ROW, nats
from clearhouse.office.assessments.models import Assessment
from clearhouse.office.assessments.queries import AssessmentView, Committed, Decided
from clearhouse.office.assessments.queries.view import verdict_in_words
from clearhouse.office.look.table import Column, Table
from clearhouse.protocol.assessment import AssessmentState

_STEPS: Final = ("Plan committed", "Attempts", "Told to the developer", "Determination")
_AT: Final = {
    AssessmentState.RUNNING: 2,
    AssessmentState.ASSESSED: 3,
    AssessmentState.DETERMINED: 5,
}
_MINUTE: Final = 60
_HOUR: Final = 3600


def state_text(row: Assessment, *, is_withdrawn: bool) -> str:
    """Where an assessment stands, in words."""
    if row.state == AssessmentState.RUNNING and is_withdrawn:
        return "It ended with the review, which was withdrawn."
    if row.state == AssessmentState.RUNNING:
        return "Attempts are being made."
    if row.state == AssessmentState.ABANDONED:
        return f"Given up: {row.abandoned_because}"
    return verdict_in_words(row.verdict, is_lower_bound=row.is_lower_bound)


def context_of(view: AssessmentView, *, now: datetime) -> dict[str, Any]:
    """What the template of an assessment is given."""
    row, live = view.row, view.live
    review = row.review
    return {
        "title": f"Assessment of {review.model}",
        "view": view,
        "row": row,
        "now": now,
        "is_running": view.state is AssessmentState.RUNNING and not view.is_withdrawn,
        "steps": _STEPS,
        "step": _AT.get(view.state, 0),
        "state_text": state_text(row, is_withdrawn=view.is_withdrawn),
        "progress": _progress(view),
        "endings": ", ".join(
            f"{count} {one.replace('-', ' ')}" for one, count in view.endings.items() if count
        ),
        "rule": tuple(view.plan.terms.items()),
        "live": live,
        "height": HEIGHT,
        "row_height": ROW,
        "evidence": nats(live.decision.evidence) if live else "",
        "missing": _missing(view),
        "attempts": _attempts(view),
        "breadcrumb": [
            ("Reviews", reverse("reviews:front")),
            (review.name, reverse("reviews:review", args=[review.name])),
            ("Assessments", reverse("assessments:of-review", args=[review.name])),
            (row.name, ""),
        ],
    }


def decided_table(decided: Sequence[Decided], plans: Sequence[Committed]) -> Table | None:
    """What was decided, by committed plan."""
    if not decided:
        return None
    names = {one.digest: one.name for one in plans}
    verdicts = [verdict for verdict, _ in decided[0].verdicts]
    columns = (
        Column("Plan"), Column("Quarters"), Column("Median, days", number=True),
        *(Column(one.replace("-", " ").capitalize(), number=True) for one in verdicts),
    )  # fmt: skip
    rows = tuple(
        (
            names.get(one.plan, one.plan[:19]),
            one.first if one.first == one.last else f"{one.first} to {one.last}",
            one.days,
            *(count for _, count in one.verdicts),
        )
        for one in decided
    )
    return Table("Determinations of reviews that are over", columns, rows)


def _progress(view: AssessmentView) -> Table:
    cost = view.cost
    rows = [
        ("Attempts", f"{view.attempts:,}", f"{view.most:,}"),
        ("Tokens", f"{cost.tokens:,}", _at_most(f"{cost.most_tokens:,}", cost.most_tokens)),
        (
            "Dollars",
            f"{cost.dollars:,.2f}",
            _at_most(f"{cost.most_dollars:,.2f}", cost.most_dollars),
        ),
        (
            "Time",
            _in_words(cost.seconds),
            _at_most(_in_words(cost.most_seconds), cost.most_seconds),
        ),
    ]
    columns = (Column(""), Column("So far", number=True), Column("At most", number=True))
    return Table("How far it is, and what it cost", columns, tuple(rows))


def _attempts(view: AssessmentView) -> Table | None:
    if view.live is None:
        return None
    columns = (
        Column("No.", number=True), Column("Item"), Column("Ending"),
        Column("Tokens", number=True), Column("Seconds", number=True),
    )  # fmt: skip
    rows = tuple(
        (one.number, one.item, one.ending.replace("-", " "), f"{one.tokens:,}", f"{one.seconds:,}")
        for one in view.live.attempts
    )
    return Table("Attempts, the latest first", columns, rows)


def _missing(view: AssessmentView) -> list[str]:
    missing = view.live.decision.missing if view.live else None
    if missing is None:
        return []
    said = []
    if missing.items:
        said.append(f"{missing.items} more items for the minima")
    said.append(f"covered: {missing.solutions} more average items, all solved")
    said.append(f"not covered: {missing.failures} more average items, none solved")
    return said


def _at_most(text: str, amount: float) -> str:
    return text if amount else "no limit"


def _in_words(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:,.0f} min"
    return f"{seconds / _HOUR:,.1f} h"
