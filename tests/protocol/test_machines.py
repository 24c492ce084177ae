"""Report, embargo and consent move as their tables say, and in no other way."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Refused
from clearhouse.protocol.case_state import CaseState, all_states
from clearhouse.protocol.embargo import (
    CONSENT,
    EMBARGO,
    Consent,
    ConsentEvent,
    EmbargoEvent,
    EmbargoState,
    End,
    Opening,
    must_end,
    opening,
)
from clearhouse.protocol.machine import Machine
from clearhouse.protocol.report_management import REPORT, ReportEvent, ReportState, may_send

MODEL = Path(__file__).resolve().parents[3] / "shared" / "data" / "vultron" / "cvd_model.json"
MACHINES: list[tuple[Machine[Any, Any], type[StrEnum], type[StrEnum]]] = [
    (REPORT, ReportState, ReportEvent),
    (EMBARGO, EmbargoState, EmbargoEvent),
    (CONSENT, Consent, ConsentEvent),
]


@pytest.mark.parametrize(
    ("machine", "key"),
    [(REPORT, "rm_transitions"), (EMBARGO, "em_transitions")],
    ids=["report", "embargo"],
)
def test_the_table_is_the_published_one(machine: Machine[Any, Any], key: str) -> None:
    if not MODEL.is_file():
        pytest.skip("the published model's tables are not on this machine")
    published = {tuple(row) for row in json.loads(MODEL.read_text())[key]}
    ours = {(s.name, e.value, after.name) for (s, e), after in machine.table.items()}
    assert ours == published


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES)
def test_every_state_and_event_either_moves_or_is_refused_with_what_is_possible(
    machine: Machine[Any, Any], states: type[StrEnum], events: type[StrEnum]
) -> None:
    for state, event in product(states, events):
        if event in machine.possible(state):
            assert machine.after(state, event) in states
        else:
            with pytest.raises(Refused, match="is not possible"):
                machine.after(state, event)


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES)
def test_every_state_can_be_reached(
    machine: Machine[Any, Any], states: type[StrEnum], events: type[StrEnum]
) -> None:
    reached, left = set(), [machine.start]
    while left:
        state = left.pop()
        if state not in reached:
            reached.add(state)
            left += [machine.after(state, event) for event in machine.possible(state)]
    assert reached == set(states)


def test_what_is_closed_or_exited_stays_so() -> None:
    assert [s for s in ReportState if REPORT.is_final(s)] == [ReportState.CLOSED]
    assert [s for s in EmbargoState if EMBARGO.is_final(s)] == [EmbargoState.EXITED]


def test_only_who_has_accepted_a_report_hands_it_on() -> None:
    assert [state for state in ReportState if may_send(state)] == [ReportState.ACCEPTED]


def test_an_embargo_under_revision_is_in_force() -> None:
    assert {s for s in EmbargoState if s.in_force} == {EmbargoState.ACTIVE, EmbargoState.REVISE}


def test_what_is_public_ends_an_embargo_and_attacks_should() -> None:
    for state in all_states():
        letters = str(state)
        expected = End.SHALL if {"P", "X"} & set(letters) else None
        if expected is None and "A" in letters:
            expected = End.SHOULD
        assert must_end(state) is expected
    assert must_end(CaseState()) is None


DAYS = st.one_of(st.none(), st.integers(0, 400).map(lambda days: timedelta(days=days)))


@given(DAYS, DAYS)
def test_the_shorter_embargo_is_in_force_and_the_longer_is_a_proposal(
    sender: timedelta | None, receiver: timedelta | None
) -> None:
    found = opening(sender, receiver)
    assert found == opening(receiver, sender)
    named = [one for one in (sender, receiver) if one is not None]
    if not named or min(named) == timedelta(0):
        assert found == Opening(None)
    else:
        assert found.active == min(named)
        assert found.proposed in (None, max(named))
        assert (found.proposed is None) == (min(named) == max(named))
