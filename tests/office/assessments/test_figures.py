"""What everybody reads of decisions: from the ledger alone, and nothing that shows few."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.ledger.entry import JSON, Entry
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import deciding
from clearhouse.office.assessments.kinds import COUNTED
from clearhouse.office.assessments.queries.figures import tallied
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.reviews.actions import lending, windows
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.deficit import LEAST
from tests.office.assessments import made
from tests.office.reviews.made import at, cast

_VERDICTS = ("covered", "not-covered", "indeterminate")
_PLAN = "sha256:" + "a" * 64


def entry(number: int, month: int, verdict: str) -> Entry:
    when = datetime(2026, month, 1, tzinfo=UTC)
    facts: dict[str, JSON] = {"plan": _PLAN, "verdict": verdict, "hours": 48}
    return Entry(number, COUNTED, f"A-{number}", when, facts, bytes(32))


decisions = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(_VERDICTS)), max_size=60).map(
    lambda some: [entry(n, *one) for n, one in enumerate(sorted(some))]
)


@given(decisions)
def test_no_count_points_at_few_and_none_is_shown_twice(some: list[Entry]) -> None:
    blocks = tallied(some, until=datetime(2027, 1, 1, tzinfo=UTC))
    assert sum(one.count for one in blocks) <= len(some)
    for block in blocks:
        assert all(count == 0 or count >= LEAST for _, count in block.verdicts)


@given(decisions, st.integers(1, 12))
def test_later_figures_add_blocks_and_change_none(some: list[Entry], month: int) -> None:
    early = tallied(some, until=datetime(2026, month, 15, tzinfo=UTC))
    late = tallied(some, until=datetime(2027, 1, 1, tzinfo=UTC))
    assert set(early) <= set(late)


@pytest.mark.django_db
def test_a_determination_is_counted_once_its_review_is_finished() -> None:
    who = cast()
    found = made.determined(who)
    assert deciding.count_those_over(at(5)) == 0
    windows.end_window(who.developer, found.review.name, now=at(6))
    lending.finish(who.office, found.review.name, now=at(7))
    assert deciding.count_those_over(at(8)) == 1
    assert deciding.count_those_over(at(9)) == 0
    [counted] = entries_of(SYSTEM, (COUNTED,))
    assert counted.facts["verdict"] == "covered"
    assert queries.decided_by_plan(now=at(400)) == [], "one alone is never shown"
