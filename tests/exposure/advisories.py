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
    """``IncludedInRanges`` of the OSV schema for one range, event by event.

    An introduction and a fix at one version cancel, which the schema leaves open.
    """

    def against(bound: str) -> int:
        return 1 if bound == "0" else compare(version, bound)

    def alike(left: str, right: str) -> bool:
        return left == right or ("0" not in (left, right) and compare(left, right) == 0)

    limits = [event["limit"] for event in events if "limit" in event]
    if limits and not any(one == "*" or compare(version, one) < 0 for one in limits):
        return False
    fixes = [event["fixed"] for event in events if "fixed" in event]
    starts = [event["introduced"] for event in events if "introduced" in event]
    rest = [
        event
        for event in events
        if "last_affected" in event
        or ("fixed" in event and not any(alike(event["fixed"], one) for one in starts))
        or ("introduced" in event and not any(alike(event["introduced"], one) for one in fixes))
    ]
    vulnerable = False
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

    def is_first(kind: str, version: str) -> bool:
        return version == "0" and kind != "last_affected"

    if is_first(kind, left) or is_first(other_kind, right):
        return is_first(kind, left) and not is_first(other_kind, right)
    found = compare(left, right)
    return found < 0 or (found == 0 and kind != "last_affected" and other_kind == "last_affected")
