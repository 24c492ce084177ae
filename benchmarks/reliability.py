"""Kills the office at random while findings come in, and counts: ``docs/reliability.md``.

``PYTHONPATH=. python -m benchmarks.reliability --submissions 2000 --kills 100`` prints a row for
SQLite and one for PostgreSQL, and says what was lost or is there twice; exit code 1 if anything.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.office.kills import run_kills, served
from tests.office.kills_judged import problems
from tests.office.postgresql import Missing, running_server

_DATABASES = ("SQLite", "PostgreSQL")


def measured(database: str, count: int, kills: int, seed: int) -> tuple[str, list[str]]:
    """One run: its row, and what is wrong."""
    with ExitStack() as stack:
        server = stack.enter_context(running_server()) if database == "PostgreSQL" else None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        address = server.new_database() if server is not None else ""
        office = stack.enter_context(served(home, address))
        run = run_kills(office, count=count, bundles=max(6, count // 100), kills=kills, seed=seed,
                        server=server, pause=0.2)  # fmt: skip
        wrong = [] if office.stop() == 0 else ["serve did not end with 0"]
        kept = json.loads(office.run("tests.office.kept", "report"))
        wrong += problems(run, kept)
        if "everything fits" not in office.run("clearhouse", "ledger", "verify"):
            wrong.append("clearhouse ledger verify says no")
        wrong += ["a traceback in the log"] if "Traceback" in office.log.read_text() else []
        starts = sum(fence for _, _, _, fence in kept["jobs"])
        killed = ", ".join(f"{count} {what}" for what, count in run.kills.most_common())
        row = (
            f"| {database} | {count} | {run.kills.total()} ({killed}) |"
            f" {run.unanswered.total()} | {len(kept['jobs'])} in {starts} starts |"
            f" {sum(count for _, _, count in kept['entries'])} | {len(wrong)} |"
            f" {run.handed_in:.0f} s, {run.finished:.0f} s |"
        )
        return row, wrong


def main() -> int:
    """Run on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--database", choices=_DATABASES)
    given = parser.parse_args()
    print(f"seed {given.seed}\n")
    print("| database | findings | kills | requests sent again | jobs | ledger entries | wrong |"
          " handed in, all done after |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    wrong: list[str] = []
    for database in (given.database,) if given.database else _DATABASES:
        try:
            row, found = measured(database, given.submissions, given.kills, given.seed)
        except Missing as missing:
            print(f"| {database} | not run: {missing} |")
            continue
        print(row, flush=True)
        wrong += found
    for one in wrong:
        print(one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
