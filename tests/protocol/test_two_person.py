"""Sealed things are opened by two different people, of named roles, close in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Refused
from clearhouse.protocol.two_person import OPENERS, WITHIN, Approval, WorkRole, must_be_two

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = Approval(1, WorkRole.VULNERABILITY_ANALYSIS, "", NOW)
OTHER = Approval(2, WorkRole.SECURITY_CONTROL_ASSESSMENT, "", NOW - timedelta(minutes=10))


def test_two_people_open_it() -> None:
    must_be_two([ONE, OTHER], now=NOW)


@pytest.mark.parametrize(
    "those",
    [
        [],
        [ONE],
        [ONE, ONE],
        [ONE, replace(OTHER, person=1)],
        [ONE, replace(OTHER, conflicts="worked there")],
        [ONE, replace(OTHER, role=WorkRole.LEGAL_ADVICE)],
        [ONE, replace(OTHER, at=NOW - WITHIN - timedelta(seconds=1))],
        [ONE, replace(OTHER, at=NOW + timedelta(seconds=1))],
    ],
    ids=["none", "one", "twice", "same", "conflict", "role", "late", "ahead"],
)
def test_anything_less_does_not(those: list[Approval]) -> None:
    with pytest.raises(Refused, match="two people"):
        must_be_two(those, now=NOW)


def test_where_no_role_is_named_nobody_opens_anything() -> None:
    with pytest.raises(Refused):
        must_be_two([ONE, OTHER], now=NOW, roles=())


_APPROVALS = st.builds(
    Approval,
    st.integers(1, 3),
    st.sampled_from(WorkRole),
    st.sampled_from(["", " ", "a conflict"]),
    st.integers(-60, 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)


@given(st.lists(_APPROVALS, max_size=6))
def test_it_opens_exactly_for_two_who_fit(those: list[Approval]) -> None:
    fit = {
        one.person
        for one in those
        if one.role in OPENERS and not one.conflicts.strip() and NOW - WITHIN <= one.at <= NOW
    }
    if len(fit) >= 2:
        must_be_two(those, now=NOW)
    else:
        with pytest.raises(Refused):
            must_be_two(those, now=NOW)


def test_each_role_has_its_identifier_and_its_name() -> None:
    assert len({one.label for one in WorkRole}) == len(WorkRole)
    assert all(one.value[2:7] == "-WRL-" for one in WorkRole)
