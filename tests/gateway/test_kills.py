"""Gateway processes are killed at any moment: no answer without its record, no budget overrun."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import openai
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


@pytest.mark.slow
def test_a_gateway_that_is_told_to_stop_leaves_nothing_to_be_taken_up(tmp_path: Path) -> None:
    with (
        real_gateway(tmp_path / "home") as gateway,
        in_a_loop(lambda _: RunningModel()) as model,
    ):
        _, token = gateway.issue(model.address, (100, 10**9, 10**12))
        gateway.start(2)
        with openai.OpenAI(api_key=token, base_url=f"{gateway.url}/v1", max_retries=0) as client:
            asked = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}]
            )
        gateway.stop()
        assert asked.choices[0].message.content == "Hello!"
        assert list((gateway.home / "gateway").glob("*.journal")) == []
        assert "Traceback" not in (gateway.home / "gateway.log").read_text()
        state = gateway.state()
    assert [outcome for _, outcome in state["uses"]] == ["answered"]
    assert (state["open"], state["loans"], state["contradictions"]) == (0, [], [])
