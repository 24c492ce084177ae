"""The case state model agrees with the published one, state by state and history by history."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.case_state import CaseEvent, CaseState, all_states, histories

MODEL = Path(__file__).resolve().parents[3] / "shared" / "data" / "vultron" / "cvd_model.json"
STATES = [str(state) for state in all_states()]


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    if not MODEL.is_file():
        pytest.skip("the published model's tables are not on this machine")
    found: dict[str, Any] = json.loads(MODEL.read_text())
    return found


def test_there_are_32_states_and_70_histories_that_end_with_everything() -> None:
    assert len(set(STATES)) == 32
    found = dict(histories())
    assert len(found) == 70
    assert all(sorted(history) == sorted("VFDPXA") for history in found)
    assert sum(found.values()) == pytest.approx(1)


def test_the_states_are_the_published_ones(model: dict[str, Any]) -> None:
    assert set(STATES) == set(model["cs_states"])


def test_every_state_and_event_goes_where_the_published_table_says(model: dict[str, Any]) -> None:
    table = {(before, event): after for before, event, after in model["cs_transitions"]}
    for state, event in product(all_states(), CaseEvent):
        expected = table.get((str(state), event.value))
        if expected is None:
            with pytest.raises(Refused):
                state.after(event)
        else:
            assert str(state.after(event)) == expected


def test_histories_are_as_likely_as_published(model: dict[str, Any]) -> None:
    published = {one["h"]: one["p"] for one in model["cs_histories"]}
    assert dict(histories()) == pytest.approx(published)


@given(st.lists(st.sampled_from(CaseEvent), max_size=12))
def test_whatever_is_tried_nothing_unhappens_and_no_state_is_outside_the_model(
    tried: list[CaseEvent],
) -> None:
    state = CaseState()
    for event in tried:
        before = state
        if event in state.possible:
            state = state.after(event)
            assert state.happened == before.happened | {event}
        else:
            with pytest.raises(Refused):
                state.after(event)
        assert str(state) in STATES
        assert CaseState.parse(str(state)) == state


@pytest.mark.parametrize(
    "letters", ["vFdpxa", "VfDpxa", "VFDPX", "VFDPXAA", "abcdef", "", "FVDPXA"]
)
def test_what_is_no_state_is_refused(letters: str) -> None:
    with pytest.raises(Invalid):
        CaseState.parse(letters)


def test_a_refusal_says_what_has_to_come_first() -> None:
    with pytest.raises(Refused, match="before a fix is ready, record that the vendor is aware"):
        CaseState().after(CaseEvent.FIX_READY)
    with pytest.raises(Refused, match="recorded already"):
        CaseState.parse("Vfdpxa").after(CaseEvent.VENDOR_AWARE)


@pytest.mark.parametrize(
    ("letters", "may"),
    [("vfdpxa", True), ("VFdpxa", True), ("VFDpxa", False), ("vfdPxa", False), ("vfdpxA", False)],
)
def test_an_embargo_begins_only_while_the_world_knows_nothing(letters: str, may: bool) -> None:
    assert CaseState.parse(letters).may_begin_embargo is may
