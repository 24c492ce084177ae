"""Inspect's own conformance tests for sandboxes, against ``bwrap``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.anyio]

from inspect_ai.util._sandbox.self_check import *  # noqa: E402, F403

from clearhouse.benchmark.evaluation.sandbox import BubblewrapSandbox  # noqa: E402

#: The sandbox has one user, without root: programs that would add others do not get it.
_NOT_HERE = {"test_exec_as_user"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sandbox_env(request: pytest.FixtureRequest) -> AsyncIterator[BubblewrapSandbox]:
    if request.node.originalname in _NOT_HERE:
        request.applymarker(
            pytest.mark.xfail(strict=True, reason="the sandbox has one user, without root")
        )
    environments = await BubblewrapSandbox.sample_init("self-check", None, {})
    yield environments["default"].as_type(BubblewrapSandbox)
    await BubblewrapSandbox.sample_cleanup("self-check", None, environments, interrupted=False)
