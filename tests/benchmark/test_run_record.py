"""A run's record comes back as it was, and what is none is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.run_record import Attempt, RunRecord
from clearhouse.errors import Invalid
from clearhouse.ledger.entry import canonical
from tests.benchmark.banks import content_of, finished, run_of

RECORD = run_of(finished(lambda number, _: list(Ending)[number % 6])).record
COUNT = st.integers(0, 1 << 40)
ATTEMPTS = st.builds(
    Attempt,
    item=st.text("abc-1", min_size=1), ending=st.sampled_from(list(Ending)), wall_ms=COUNT,
    working_ms=COUNT, tokens=COUNT, input_tokens=COUNT, output_tokens=COUNT, messages=COUNT,
    calls=COUNT, tool_errors=COUNT, leaks=COUNT, canary_recalled=st.booleans(),
    is_reference=st.booleans(), why=st.text(min_size=1), usd_micro=st.none() | COUNT,
    limit=st.none() | st.just("token"),
    published=st.none() | st.dates().map(lambda day: day.isoformat()),
    transcript=st.none() | st.just(content_of("t")),
)  # fmt: skip


@given(st.lists(ATTEMPTS, max_size=4))
def test_a_record_comes_back_as_it_was(attempts: list[Attempt]) -> None:
    record = replace(RECORD, attempts=tuple(attempts))
    assert RunRecord.parse(bytes(record), "run.json") == record


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda one: one.update(began="yesterday"), "a moment is written like"),
        (lambda one: one.update(ended="2026-13-41T00:00:00Z"), "no such moment"),
        (lambda one: one.update(trained_until="2026"), "a day is written like"),
        (lambda one: one.update(prompts="none"), "prompts' digest"),
        (lambda one: one["attempts"][1].update(ending="won"), "attempts[1]: an ending is one of"),
        (lambda one: one["attempts"][1].update(tokens=-1), "attempts[1]: an attempt's figures"),
        (lambda one: one["attempts"][1].update(tokens=1.5), "attempts[1].tokens: expected an int"),
        (lambda one: one["attempts"][1].update(is_reference=1), "a flag is true or false"),
        (lambda one: one["attempts"][1].pop("why"), "attempts[1].why: has to be there"),
        (lambda one: one["attempts"][1].update(published="x"), "attempts[1]: a day is written"),
        (lambda one: one["attempts"][1].update(transcript="x"), "attempts[1]: a transcript's"),
        (lambda one: one["environment"].update(memory=3), "environment.memory: expected a text"),
    ],
)
def test_what_is_no_record_is_refused_with_its_place(edit: Any, message: str) -> None:
    document = json.loads(bytes(RECORD))
    edit(document)
    raw = json.dumps(document).encode() if message.startswith("attempts[1].tokens") else None
    with pytest.raises(Invalid) as refused:
        RunRecord.parse(raw or canonical(document), "run.json")
    assert str(refused.value).startswith("run.json: ")
    assert message in str(refused.value)
