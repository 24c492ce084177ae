"""CISA BOD 26-04: by when, from which day, and what is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.protocol.bod2604 import DAYS, Facts, timeline
from clearhouse.protocol.ssvc.points import IN_KEV, PUBLICLY_EXPOSED, REMEDIATION_TIMELINES

FOUND = datetime(2026, 12, 10, 15, 30, tzinfo=UTC)
LISTED = date(2026, 12, 8)

#: The directive's table: KEV, exposed, automatable; then partial and total impact.
TABLE = """
    no  no  no   FSU FSU
    no  no  yes  60D 60D
    no  yes no   60D 14D
    no  yes yes  14D 3D
    yes no  no   14D 14D
    yes no  yes  14D 3DF
    yes yes no   14D 3DF
    yes yes yes  3D  3DF
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
@pytest.mark.parametrize("total", [False, True])
def test_each_row_of_the_table_gives_its_days(row: list[str], *, total: bool) -> None:
    kev, exposed, automatable = (one == "yes" for one in row[:3])
    found = timeline(Facts(FOUND, LISTED if kev else None, exposed, automatable, total))
    expected = row[4 if total else 3]
    assert (found.possible, found.is_certain, found.changes) == ((expected,), True, ())
    assert found.forensic == (expected == "3DF")
    if expected == "FSU":
        assert found.due is None
    else:
        assert found.due == found.start + timedelta(days=DAYS[expected])


@pytest.mark.parametrize(
    ("listed", "start"),
    [
        (None, FOUND),
        (date(2026, 12, 8), datetime(2026, 12, 8, tzinfo=UTC)),
        (date(2026, 12, 10), datetime(2026, 12, 10, tzinfo=UTC)),
        (date(2026, 12, 20), FOUND),
    ],
)
def test_the_clock_starts_at_the_earlier_of_listing_and_detection(
    listed: date | None, start: datetime
) -> None:
    assert timeline(Facts(FOUND, listed)).start == start


def test_what_is_not_known_is_told_whole_and_planned_for_at_its_worst() -> None:
    found = timeline(Facts(FOUND, None, None, automatable=True, total_impact=True))
    assert found.possible == ("60D", "3D")
    assert (found.outcome, found.due) == ("3D", FOUND + timedelta(days=3))
    assert [(one.point, one.value, one.possible) for one in found.changes] == [
        (PUBLICLY_EXPOSED, "N", ("60D",)),
        (PUBLICLY_EXPOSED, "Y", ("3D",)),
    ]


def test_without_a_catalogue_a_listing_is_not_known_and_planned_for() -> None:
    facts = Facts(FOUND, None, exposed=True, automatable=False, total_impact=True, looked_up=False)
    found = timeline(facts)
    assert (found.possible, found.start, found.forensic) == (("14D", "3DF"), FOUND, True)
    assert [one.point for one in found.changes] == [IN_KEV, IN_KEV]
    listed = Facts(FOUND, LISTED, exposed=True, automatable=False, looked_up=False)
    assert listed.answers()["KEV"] == "Y"


unknown = st.none() | st.booleans()


@given(st.booleans(), unknown, unknown, unknown)
def test_an_answer_never_makes_possible_what_was_not(
    kev: bool, exposed: bool | None, automatable: bool | None, total: bool | None
) -> None:
    listed = LISTED if kev else None
    open_ones = timeline(Facts(FOUND, listed, exposed, automatable, total))
    choices = [
        (one,) if one is not None else (False, True) for one in (exposed, automatable, total)
    ]
    closed = {timeline(Facts(FOUND, listed, *each)).outcome for each in product(*choices)}
    assert set(open_ones.possible) == closed
    assert REMEDIATION_TIMELINES.in_order(closed) == open_ones.possible
    for change in open_ones.changes:
        assert set(change.possible) < closed
