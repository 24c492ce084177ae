"""How fast decisions are written to the ledger, and a whole ledger is verified.

``CLEARHOUSE_BENCH_POSTGRESQL`` names an empty database to measure on as well;
``CLEARHOUSE_BENCH_PYMERKLE`` a Python that has pymerkle, a tree in memory without transactions,
entries or tiles, to compare with.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

ENTRIES: Final = int(os.environ.get("CLEARHOUSE_BENCH_ENTRIES", "1000000"))
SINGLE: Final = 5_000
_ELSEWHERE: Final = 100_000
_AT_ONCE: Final = 5_000
_PEER: Final = """
import sys, time
from pymerkle import InmemoryTree
leaves = [b'{"number":%d,"filler":"' % at + b"x" * 180 + b'"}' for at in range(int(sys.argv[1]))]
tree = InmemoryTree(algorithm="sha256")
began = time.perf_counter()
for leaf in leaves:
    tree.append_entry(leaf)
tree.get_state()
print(time.perf_counter() - began)
"""


def table() -> Iterator[str]:
    """Markdown lines."""
    yield "| what | where | entries | wall | a second | memory |"
    yield "| --- | --- | --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield from _lines(f"sqlite://{folder}/ledger.sqlite3", "SQLite", ENTRIES, folder)
        postgresql = os.environ.get("CLEARHOUSE_BENCH_POSTGRESQL")
        if postgresql:
            yield from _lines(postgresql, "PostgreSQL", min(ENTRIES, _ELSEWHERE), folder)
    peer = os.environ.get("CLEARHOUSE_BENCH_PYMERKLE")
    if peer:
        done = subprocess.run(
            [peer, "-c", _PEER, str(ENTRIES)], check=True, capture_output=True, text=True
        )
        yield _line("pymerkle: appended", "in memory", ENTRIES, float(done.stdout), None)


def _lines(database: str, name: str, entries: int, home: str) -> Iterator[str]:
    environment = {
        **os.environ,
        "CLEARHOUSE_DATABASE": database,
        "CLEARHOUSE_HOME": home,
        "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
    }
    for what, task, count in (
        ("recorded, a transaction each", "single", SINGLE),
        (f"recorded, {_AT_ONCE:,} in a transaction", "bulk", entries - SINGLE),
        ("verified", "verify", entries),
    ):
        command = [sys.executable, "-m", "benchmarks.ledger", task, str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        found = json.loads(done.stdout)
        yield _line(what, name, count, found["seconds"], found["peak_kib"])


def _line(what: str, where: str, entries: int, seconds: float, peak_kib: int | None) -> str:
    rate = f"{entries / seconds:,.0f}"
    memory = f"{peak_kib / 1024:.0f} MiB" if peak_kib else ""
    return f"| {what} | {where} | {entries:,} | {seconds:.1f} s | {rate} | {memory} |"


def _run(task: str, count: int) -> dict[str, Any]:
    import django

    django.setup()
    if task == "single":
        _prepare()
    began = time.perf_counter()
    {"single": _single, "bulk": _bulk, "verify": _verify}[task](count)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _prepare() -> None:
    from django.core.management import call_command

    from clearhouse.office.config import current

    current().prepare()
    call_command("migrate", verbosity=0)


def _facts(number: int) -> dict[str, Any]:
    return {"number": number, "digest": "ab" * 32, "state": "received"}


def _single(count: int) -> None:
    from django.db import transaction

    from clearhouse.office.ledgerbook.actions import record

    for number in range(count):
        with transaction.atomic():
            record("finding.received", f"F-{number}", _facts(number), now=datetime.now(UTC))


def _bulk(count: int) -> None:
    from django.db import transaction

    from clearhouse.office.ledgerbook.actions import Decision, record_many

    for begin in range(0, count, _AT_ONCE):
        some = (
            Decision("finding.received", f"F-{number}", _facts(number))
            for number in range(begin, min(begin + _AT_ONCE, count))
        )
        with transaction.atomic():
            record_many(some, now=datetime.now(UTC))


def _verify(count: int) -> None:
    from clearhouse.ledger.verify import verify
    from clearhouse.office.config import current
    from clearhouse.office.ledgerbook.actions import sign_checkpoint
    from clearhouse.office.ledgerbook.keys import signing_key
    from clearhouse.office.ledgerbook.stores import open_database

    sign_checkpoint(now=datetime.now(UTC))
    with open_database(current().database) as stored:
        result = verify(stored, keys=[signing_key().verifier])
    assert result.holds, result.problems
    assert result.size == count


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_run(sys.argv[1], int(sys.argv[2]))))
    else:
        for line in table():
            print(line, flush=True)
