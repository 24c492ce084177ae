"""By when: each rule's date, its reason, and what it waits for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.protocol.bod2604 import Facts
from clearhouse.protocol.directives.deadlines import (
    Bod2604Table,
    DaysFrom,
    Due,
    FixedDate,
    NextUpgrade,
    Rule,
    Start,
    due,
)
from tests.protocol.directives import strategies

ISSUED = datetime(2026, 6, 10, tzinfo=UTC)
FOUND = datetime(2026, 7, 1, 12, tzinfo=UTC)
LISTED = date(2026, 6, 20)
LISTED_AT = datetime(2026, 6, 20, tzinfo=UTC)
UPGRADE = datetime(2026, 9, 1, tzinfo=UTC)


def by(rule: Rule, facts: Facts, *upgrades: datetime) -> Due:
    return due(rule, facts, issued=ISSUED, in_force=ISSUED, upgrades=upgrades)


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("rule", "facts", "at", "why"),
    [
        (DaysFrom(Start.ISSUE, 7), Facts(FOUND), ISSUED + WEEK, "7 days from the directive"),
        (DaysFrom(Start.DETECTION, 7), Facts(FOUND), FOUND + WEEK, "from its detection"),
        (DaysFrom(Start.LISTING, 7), Facts(FOUND, LISTED), LISTED_AT + WEEK, "listing in KEV"),
        (DaysFrom(Start.LISTING, 7), Facts(FOUND), None, "has not happened"),
        (FixedDate(UPGRADE), Facts(FOUND), UPGRADE, "a date for everybody"),
        (NextUpgrade(), Facts(FOUND), UPGRADE, "at the next scheduled upgrade"),
        (Bod2604Table(), Facts(FOUND, LISTED, True, True, True),
         LISTED_AT + timedelta(days=3), "BOD 26-04: 3 days & forensic"),
        (Bod2604Table(), Facts(FOUND, None, False, False, False), UPGRADE, "scheduled upgrade"),
    ],
)  # fmt: skip
def test_each_rule_gives_its_date(rule: Rule, facts: Facts, at: datetime | None, why: str) -> None:
    found = by(rule, facts, UPGRADE)
    assert found.at == at
    assert why in found.because
    assert not found.unanswered


def test_what_is_not_known_is_told_and_the_shortest_counts() -> None:
    found = by(Bod2604Table(), Facts(FOUND, None, None, automatable=True, total_impact=True))
    assert found.at == FOUND + timedelta(days=3)
    assert found.unanswered == {"exposure"}
    assert "shortest" in found.because
    open_one = by(Bod2604Table(), Facts(FOUND, looked_up=False))
    assert open_one.forensic
    assert open_one.unanswered == {"in-kev", "exposure", "automatable", "technical-impact"}


def test_an_unknown_listing_counts_from_the_detection_and_an_unknown_upgrade_has_no_date() -> None:
    found = by(DaysFrom(Start.LISTING, 7), Facts(FOUND, looked_up=False))
    assert (found.at, *found.unanswered) == (FOUND + WEEK, "in-kev")
    assert by(NextUpgrade(), Facts(FOUND)).at is None


@pytest.mark.parametrize("rule", [NextUpgrade(), Bod2604Table()])
def test_an_upgrade_before_the_flaw_was_found_is_not_the_next_one(rule: Rule) -> None:
    calm = Facts(FOUND, None, False, False, False)
    assert by(rule, calm, FOUND).at is None
    assert "nobody has said" in by(rule, calm, FOUND - WEEK).because
    assert by(rule, calm, FOUND + WEEK).at == FOUND + WEEK
    assert by(rule, calm, FOUND, FOUND + WEEK, UPGRADE).at == FOUND + WEEK


@given(strategies.rules, strategies.times, strategies.days, strategies.days, st.booleans())
def test_nothing_starts_before_the_issue_or_is_due_before_it_is_in_force(
    rule: Rule, issued: datetime, wait: timedelta, age: timedelta, listed: bool
) -> None:
    found_at = issued - age
    upgrade = issued + age
    facts = Facts(found_at, found_at.date() if listed else None, looked_up=listed)
    found = due(rule, facts, issued=issued, in_force=issued + wait, upgrades=[upgrade])
    assert found.start >= issued
    assert found.at is None or found.at >= issued + wait


def test_before_it_is_in_force_nothing_is_due_and_the_reason_says_so() -> None:
    force = datetime(2026, 12, 7, tzinfo=UTC)
    facts = Facts(FOUND, LISTED, True, True, True)
    found = due(Bod2604Table(), facts, issued=ISSUED, in_force=force)
    assert found.at == force
    assert found.because.endswith("but not before it is in force")
    assert found.forensic


def test_a_time_without_zone_and_absurd_periods_are_invalid() -> None:
    naive = datetime(2026, 6, 10)  # noqa: DTZ001
    with pytest.raises(Invalid, match="detected: a time without a zone"):
        by(NextUpgrade(), Facts(naive))
    with pytest.raises(Invalid, match="at: a time without a zone"):
        FixedDate(naive)
    with pytest.raises(Invalid, match="at: expected a year from 2000 to 2100"):
        FixedDate(datetime(9999, 12, 31, tzinfo=UTC))
    for days in (0, -1, 10**9):
        with pytest.raises(Invalid, match="days"):
            DaysFrom(Start.ISSUE, days)
