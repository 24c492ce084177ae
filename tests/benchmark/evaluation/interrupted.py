"""A run for the test that kills one: ``interrupted.py ITEMS LOGS`` says which item it judges."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from clearhouse.benchmark.evaluation.judging import Bench
from clearhouse.benchmark.evaluation.running import Settings, run_scripted
from clearhouse.benchmark.items import Item, read_items


class Saying(Bench):
    """A judge that says what it has judged, and takes its time over the second."""

    def judge(self, item: Item, handed_in: bytes) -> dict[str, Any]:
        """Judge, and say so."""
        verdict = super().judge(item, handed_in)
        sys.stdout.write(f"{item.name}\n")
        sys.stdout.flush()
        if len(sys.argv) > 3:
            time.sleep(float(sys.argv[3]))
        return verdict


def main() -> None:
    """Run the reference agent, one item after the other."""
    settings = Settings(log_dir=Path(sys.argv[2]), display="none", retries=0, at_a_time=1)
    run_scripted(read_items(Path(sys.argv[1])), "reference", settings, bench=Saying())


main()
