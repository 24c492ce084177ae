"""The harness is part of what is committed to: another one is not the planned one."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearhouse.benchmark.elicitation import check_harness, harness_of, prompts_digest
from clearhouse.benchmark.items import read_items
from clearhouse.errors import Refused
from tests.benchmark.making import folder_of


def test_prompts_are_known_by_their_digest_whatever_their_order(tmp_path: Path) -> None:
    items = read_items(folder_of(tmp_path, "one", "two"))
    assert prompts_digest(items, 1) == prompts_digest(items[::-1], 1)
    assert (
        len({prompts_digest(items, 0), prompts_digest(items, 1), prompts_digest(items[:1], 1)}) == 3
    )


def test_another_harness_than_the_planned_is_refused(tmp_path: Path) -> None:
    items = read_items(folder_of(tmp_path, "one", "two"))
    here = harness_of(items, 1)
    check_harness(here, here)
    check_harness({**here, "sampling": "temperature 1"}, here)
    check_harness({}, here)
    for name in here:
        with pytest.raises(Refused, match=f"the plan is for {name} other"):
            check_harness({**here, name: "other"}, here)
