"""Static files are not built where the API alone is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearhouse.office.api import gate
from clearhouse.office.api.limits import Counter


@pytest.fixture(autouse=True)
def _no_static_files(settings: object, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _fresh_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test's process took from a bucket that is rolled back counts no more."""
    monkeypatch.setattr(gate, "_counter", Counter())
