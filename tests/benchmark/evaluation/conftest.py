"""Modules that import Inspect take seconds: they are not read where their tests are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

_SLOW = {
    "test_hostile_agents.py",
    "test_inspect_tools.py",
    "test_running.py",
    "test_self_check.py",
    "test_bench.py",
    "test_errands.py",
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what holds slow tests only, where those were not asked for."""
    asked = str(config.getoption("markexpr") or "")
    return True if "not slow" in asked and collection_path.name in _SLOW else None
