"""The documents that OASIS publishes beside the standard, where this machine has them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "csaf" / "csaf_2.0"


@cache
def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def official(name: str) -> Any:
    """One of the published files; skips the test where they are missing."""
    if not FOLDER.is_dir():
        pytest.skip("the documents that OASIS publishes are not on this machine")
    return _read(FOLDER / name)


def cvss_schemas() -> dict[str, Any]:
    """The schemas that the document schema refers to, by the address it names them with."""
    names = ("cvss-v2.0.json", "cvss-v3.0.json", "cvss-v3.1.json")
    return {f"https://www.first.org/cvss/{name}": official(f"schema/{name}") for name in names}
