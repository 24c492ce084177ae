"""Gateway processes are killed at any moment: no answer without its record, no budget overrun."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.gateway.killing import judge, run, settled_state
from tests.gateway.model import RunningModel, in_a_loop
from tests.gateway.offices import real_gateway


@pytest.mark.slow
@pytest.mark.parametrize(("requests", "budget"), [(600, 10**6), (600, 250)])
def test_what_was_answered_is_recorded_and_no_budget_is_overrun(
    tmp_path: Path, requests: int, budget: int
) -> None:
    with (
        real_gateway(tmp_path / "home") as gateway,
        in_a_loop(lambda _: RunningModel()) as model,
    ):
        _, token = gateway.issue(model.address, (budget, 10**9, 10**12))
        gateway.start(2)
        chance = random.Random(7)
        outcome = asyncio.run(run(gateway, model, token, requests, (0.3, 1.5), chance))
        state = settled_state(gateway)
    assert outcome.answered
    assert outcome.kills
    assert judge(outcome, state, model, budget) == []
