"""Offices for tests: a database for each worker, a home of its own, accounts to act with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# Before Django reads its settings: tests have a home and keys that nobody else uses.
os.environ.setdefault("CLEARHOUSE_HOME", tempfile.mkdtemp(prefix="clearhouse-tests-"))


@pytest.fixture(scope="session", autouse=True)
def _prepared_home() -> None:
    from clearhouse.office.config import current

    current().prepare()
    assert Path(os.environ["CLEARHOUSE_HOME"]).is_dir()
