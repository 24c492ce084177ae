"""``make bench``: prints the tables of docs/benchmarks.md, measured now."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    ability,
    evaluation,
    execution,
    exposure,
    gateway,
    ledger,
    office_exposure,
    office_intake,
    office_pages,
    queue,
    rate,
)

ROOT = Path(__file__).resolve().parent.parent
_HISTORIES = ("CVE-2022-21797", "CVE-2025-66471", "CVE-2019-19588", "CVE-2019-14853")


def history() -> Iterator[str]:
    """History over real packages with a warm download cache, run results not remembered."""
    yield "| bundle | package | releases | run | runs of the harness | wall |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in _HISTORIES:
        bundle = str(ROOT / "samples" / "proofs" / name)
        command = [sys.executable, "-m", "clearhouse", "history", "--json", bundle]
        subprocess.run(command, check=True, capture_output=True)  # downloads
        began = time.perf_counter()
        done = subprocess.run([*command, "--afresh"], check=True, capture_output=True, text=True)
        wall = time.perf_counter() - began
        found = json.loads(done.stdout)
        run = sum(version["run"] for version in found["versions"])
        yield (
            f"| {name} | {found['package']} | {len(found['versions'])} | {run} "
            f"| {found['runs']} | {wall:.1f} s |"
        )


def main() -> None:
    """Print every table."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    print(
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}.\n"
    )
    for title, lines in (
        ("Full proofs", rate.rates()),
        ("Memory of the engine", rate.memory()),
        ("One execution", execution.table()),
        ("Against a new environment for each run", rate.fresh_environments()),
        ("History", history()),
        ("The office's queue", queue.table()),
        ("The office's ledger", ledger.table()),
        ("The office's intake", office_intake.table()),
        ("Pages of a full office", office_pages.table()),
        ("Exposure in the office", office_exposure.table()),
        ("An agent's sandbox", evaluation.sandbox()),
        ("The sequential decision", ability.table()),
        ("The gateway", gateway.table()),
        ("Exposure at scale", exposure.table()),
    ):
        print(f"## {title}\n", flush=True)
        for line in lines:
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
