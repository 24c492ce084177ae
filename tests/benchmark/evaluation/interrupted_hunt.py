"""A search for the test that ends one: ``interrupted_hunt.py PROJECT LOGS`` finds, and waits."""

from __future__ import annotations

import sys
from pathlib import Path

from clearhouse.benchmark.evaluation.hunting import hunt
from clearhouse.benchmark.hunt.quarry import quarry_of
from tests.benchmark.evaluation.attempts import shell
from tests.benchmark.evaluation.errands import FINDER, hand_in, put, settings, taking
from tests.benchmark.evaluation.overflow import overflow


def main() -> None:
    """Say what was judged as soon as it is."""
    quarry = quarry_of(sys.argv[1], finder=FINDER)
    with taking("searcher", [put(overflow()), hand_in(), shell("sleep 100")]) as model:
        hunt(
            quarry, model, settings(Path(sys.argv[2])), most=10,
            say=lambda one: print(one.grade, flush=True),
        )  # fmt: skip


main()
