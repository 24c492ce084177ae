"""Inspect with the gateway as its model, by its own providers for both APIs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.gateway.conftest import TOKEN, House

#: In a process of its own: the import takes seconds, and leaves threads.
_PROGRAM = """
import asyncio, sys
from inspect_ai.model import GenerateConfig, get_model

async def main(url, token):
    config = GenerateConfig(max_retries=0, max_tokens=50)
    for name, address in (("openai/m", f"{url}/v1"), ("anthropic/m", url)):
        model = get_model(name, base_url=address, api_key=token, config=config)
        print((await model.generate("hi")).completion)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
def test_inspect_generates_through_the_gateway(house: House) -> None:
    house.grant()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, house.url, TOKEN],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["Hello!", "Hello!"]
    assert set(house.settled_uses(2)) == {"answered"}
