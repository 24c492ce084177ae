"""Requests from several clients while gateway processes are killed; what is left is counted."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.gateway.model import Model
from tests.gateway.offices import RealGateway

_CLIENTS = 8
_KILLS = 3


@dataclass
class Outcome:
    """What clients and the endpoint saw."""

    answered: list[str] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    kills: int = 0


async def run(
    gateway: RealGateway, model: Model, token: str, requests: int, between: tuple[float, float],
    chance: random.Random,
) -> Outcome:  # fmt: skip
    """Send so many requests, each once, and kill until the last is over.

    On a fast machine more are sent: until processes were killed ``_KILLS`` times at least.
    """
    outcome = Outcome()
    numbers = itertools.takewhile(
        lambda number: number < requests or outcome.kills < _KILLS, itertools.count()
    )
    over = asyncio.Event()
    killer = asyncio.create_task(_kill(gateway, between, chance, over, outcome))
    clients = [_client(gateway.url, token, numbers, outcome) for _ in range(_CLIENTS)]
    await asyncio.gather(*clients)
    over.set()
    await killer
    return outcome


async def _client(url: str, token: str, numbers: Any, outcome: Outcome) -> None:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for number in numbers:
            streams = number % 4 == 0
            said = {"role": "user", "content": str(number)}
            asked = {"model": "m", "max_tokens": 5, "stream": streams, "messages": [said]}
            body = json.dumps(asked).encode()
            try:
                async with session.post(
                    f"{url}/v1/chat/completions",
                    data=body,
                    headers={"Authorization": f"Bearer {token}"},
                ) as answer:
                    got = await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                outcome.unanswered += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status == 200 and (not streams or b"[DONE]" in got):
                outcome.answered.append(hashlib.sha256(body).hexdigest())
            elif answer.status == 200:
                outcome.unanswered += 1
            else:
                outcome.refused += 1


async def _kill(
    gateway: RealGateway, between: tuple[float, float], chance: random.Random,
    over: asyncio.Event, outcome: Outcome,
) -> None:  # fmt: skip
    while not over.is_set():
        try:
            await asyncio.wait_for(over.wait(), chance.uniform(*between))
        except TimeoutError:
            pids = gateway.pids()
            if pids:
                os.kill(chance.choice(pids), signal.SIGKILL)
                outcome.kills += 1


def settled_state(gateway: RealGateway) -> dict[str, Any]:
    """What the office has once every journal is taken to its end."""
    gateway.stop()
    folder = gateway.home / "gateway"
    if list(folder.glob("*.journal")):
        gateway.start(1)
        until = time.monotonic() + 60
        while len(list(folder.glob("*.journal"))) > 1 and time.monotonic() < until:
            time.sleep(0.2)
        gateway.stop()
    return gateway.state()


def judge(outcome: Outcome, state: dict[str, Any], model: Model, budget: int) -> list[str]:
    """What is wrong: answers without a record, a budget that was overrun, an altered chain."""
    wrong = []
    recorded = {digest for digest, _ in state["uses"]}
    lost = [one for one in outcome.answered if one not in recorded]
    if lost:
        wrong.append(f"{len(lost)} answered requests have no record")
    if len(model.seen) > budget + outcome.kills:
        wrong.append(f"{len(model.seen)} requests reached the model, {budget} were allowed")
    [[spent, _]] = state["spent"]
    if spent > budget:
        wrong.append(f"{spent} of {budget} requests were spent")
    if len(recorded) != len(state["uses"]):
        wrong.append("a use is recorded twice")
    if len(model.seen) > len(recorded):
        wrong.append(f"{len(model.seen)} reached the model, {len(recorded)} are recorded")
    if state["open"]:
        wrong.append(f"{state['open']} journals were not taken to their end")
    return [*wrong, *state["contradictions"]]
