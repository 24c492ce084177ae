"""Version orderings published by other projects' test suites, kept outside the repository."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

_SIGNS = {"<": -1, "=": 0, ">": 1}


@dataclass(frozen=True)
class Assertion:
    left: str
    sign: int
    right: str


def assertions(name: str, folder: Path | None = None) -> list[Assertion]:
    """Read ``versions/NAME.txt`` of the shared data, or skip the test where there is none."""
    path = (folder or _shared() / "data" / "versions") / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name}: set CLEARHOUSE_SHARED to the folder of shared test data")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith(("# ", "//")):
            continue
        parts = line.split(" ")
        if len(parts) != 3 or parts[1] not in _SIGNS:
            raise ValueError(line)
        found.append(Assertion(parts[0], _SIGNS[parts[1]], parts[2]))
    assert len(found) > 30
    return found


def _shared() -> Path:
    named = os.environ.get("CLEARHOUSE_SHARED")
    return Path(named) if named else Path(__file__).parents[2].parent / "shared"
