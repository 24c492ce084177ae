"""Advisories of the shared data, and OSV's evaluation written out."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("CLEARHOUSE_SHARED") or Path(__file__).parents[2].parent / "shared")

Compare = Callable[[str, str], int]


def records(name: str) -> Iterator[dict[str, Any]]:
    """The records of ``advisories/NAME.ndjson.gz``; the test is skipped where there is none."""
    path = SHARED / "data" / "advisories" / f"{name}.ndjson.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name}: set CLEARHOUSE_SHARED to the folder of shared test data")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def included(version: str, events: Sequence[dict[str, str]], compare: Compare) -> bool:
    """``IncludedInRanges`` of the OSV schema for one range, step by step.

    Where events share a version, a fix there is looked at before an introduction, and the last
    affected version after it.
    """

    def against(bound: str) -> int:
        return 1 if bound == "0" else compare(version, bound)

    limits = [event["limit"] for event in events if "limit" in event]
    if limits and not any(one == "*" or compare(version, one) < 0 for one in limits):
        return False
    vulnerable = False
    rest = [event for event in events if "limit" not in event]
    while rest:
        first = rest[0]
        for event in rest[1:]:
            if before(event, first, compare):
                first = event
        rest.remove(first)
        if "introduced" in first and against(first["introduced"]) >= 0:
            vulnerable = True
        if "fixed" in first and against(first["fixed"]) >= 0:
            vulnerable = False
        if "last_affected" in first and compare(version, first["last_affected"]) > 0:
            vulnerable = False
    return vulnerable


def before(one: dict[str, str], other: dict[str, str], compare: Compare) -> bool:
    (kind, left), (other_kind, right) = *one.items(), *other.items()
    if left == right == "0":
        found = 0
    elif "0" in (left, right):
        found = -1 if left == "0" else 1
    else:
        found = compare(left, right)
    turns = ["fixed", "introduced", "last_affected"]
    return found < 0 or (found == 0 and turns.index(kind) < turns.index(other_kind))
