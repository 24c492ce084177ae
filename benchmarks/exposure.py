"""Exposure at scale: rows matched a second, one new advisory, and the same from a cold start.

``python -m benchmarks.exposure [ROWS...]`` (10 and 100 million unless told).  Every figure is from
a new process, so that its start, imports, reading of advisories and storing of pairs count where
the table says cold.  The peers loop over at most ``CLEARHOUSE_BENCH_PEER_ROWS`` rows (all of them
unless told), and the slow one over 400,000; times for more rows are scaled, and marked so.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import exposure_fleet as fleet
from clearhouse.exposure.columnar.once import match_rows
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.vulnerabilities import Vulnerability

_TRIES = 3
_QUESTIONS = 9
_SAMPLE = 400_000
_MILLION = 1_000_000


def table(sizes: tuple[int, ...] = (10 * _MILLION, 100 * _MILLION)) -> Iterator[str]:
    """The figures of fleets of ``sizes`` rows."""
    if fleet.ADVISORIES is None:
        yield "No advisories: set CLEARHOUSE_SHARED to the folder of shared test data."
        return
    with tempfile.TemporaryDirectory(prefix="clearhouse-bench-") as folder:
        for rows in sizes:
            yield from _fleet(Path(folder), rows)


def _fleet(folder: Path, rows: int) -> Iterator[str]:
    path = folder / f"{rows}.parquet"
    # In a process of its own as well: a child's peak memory begins with that of its parent.
    _run("benchmarks.exposure_fleet", rows, path)
    store = folder / f"store-{rows}"
    built = _step("build", path, store)
    rematch = _best("rematch", path, store)
    one = _step("one", path, store)
    cold = _best("once", path, store)
    most = int(os.environ.get("CLEARHOUSE_BENCH_PEER_ROWS", rows))
    loop = _peer("memoised", path, min(rows, most))
    sets = _peer("specifiers", path, min(rows, _SAMPLE))
    path.unlink()
    load = os.getloadavg()[0]
    yield f"{rows // _MILLION} million rows, load {load:.1f}"
    yield ""
    yield "| step | wall | processor | memory | |"
    yield "| --- | --- | --- | --- | --- |"
    yield _line("rows into a new store", built, f"{built['bytes'] >> 20} MiB on disk")
    yield _line("full rematch, pairs stored", rematch, f"{rematch['pairs']:,} pairs")
    for which in ("mid", "largest"):
        found = one[which]
        yield (
            f"| one new advisory, {which} "
            f"| {found['median']:.0f} ms, first {found['first']:.0f} ms "
            f"| | {one['memory']:.2f} GB | {found['rows']:,} rows |"
        )
    yield f"| one holder's exposure | {one['holder']:.0f} ms | | | |"
    yield _line("cold: from rows to stored pairs", cold, f"{cold['pairs']:,} pairs")
    for name, found in (("memoised loop", loop), ("`SpecifierSet` a component", sets)):
        scale = rows / found["rows"]
        scaled = f", scaled from {found['rows']:,} rows" if scale > 1 else ""
        factor = found["cpu"] * scale / cold["cpu"]
        yield (
            f"| cold: {name}{scaled} "
            f"| {found['wall'] * scale:.1f} s | {found['cpu'] * scale:.1f} s "
            f"| {found['memory']:.2f} GB | {factor:.1f} times our processor time |"
        )
    yield ""


def _line(name: str, found: dict[str, Any], more: str) -> str:
    return (
        f"| {name} | {found['wall']:.2f} s | {found['cpu']:.2f} s | {found['memory']:.2f} GB "
        f"| {more} |"
    )


def _best(step: str, path: Path, store: Path) -> dict[str, Any]:
    """The quickest of several: what else runs here only makes one slower."""
    return min((_step(step, path, store) for _ in range(_TRIES)), key=lambda one: one["cpu"])


def _step(step: str, path: Path, store: Path) -> dict[str, Any]:
    return _run("benchmarks.exposure", "--step", step, path, store)


def _peer(kind: str, path: Path, most: int) -> dict[str, Any]:
    return _run("benchmarks.exposure_peers", kind, fleet.ADVISORIES, path, most)


def _run(module: str, *arguments: object) -> dict[str, Any]:
    """A step in a process of its own: what it prints, and what it took from start to end."""
    began = time.perf_counter()
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        out = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    return {
        **json.loads(out),
        "wall": time.perf_counter() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1e6,
    }


def _build(path: Path, folder: Path) -> dict[str, Any]:
    store = Store(folder)
    store.load(fleet.advisories())
    store.put_rows([path])
    return {"bytes": sum(one.stat().st_size for one in folder.iterdir())}


def _rematch(_path: Path, folder: Path) -> dict[str, Any]:
    return {"pairs": Store(folder).rematch(folder.parent / "pairs")}


def _once(path: Path, folder: Path) -> dict[str, Any]:
    return {"pairs": match_rows([path], fleet.advisories(), folder.parent / "once")}


def _one(_path: Path, folder: Path) -> dict[str, Any]:
    """Each advisory is asked once as if new; then that of middle size and the largest, timed."""
    store = Store(folder)
    records = list(fleet.advisories())

    def rows_of(one: Vulnerability) -> int:
        with store.snapshot() as now:
            return len(now.holders_of(one))

    sized = sorted(((rows_of(one), one) for one in records[::10]), key=lambda pair: pair[0])
    sized = [pair for pair in sized if pair[0]]
    found: dict[str, Any] = {}
    for which, (many, one) in (("mid", sized[len(sized) // 2]), ("largest", sized[-1])):
        store = Store(folder)
        times = [_milliseconds(partial(rows_of, one)) for _ in range(_QUESTIONS)]
        found[which] = {"rows": many, "first": times[0], "median": statistics.median(times)}

    def holder() -> int:
        with store.snapshot() as now:
            return len(now.of_holder(fleet.HOLDERS // 2))

    found["holder"] = statistics.median(_milliseconds(holder) for _ in range(_QUESTIONS))
    return found


def _milliseconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


_STEPS = {"build": _build, "rematch": _rematch, "once": _once, "one": _one}


def main() -> None:
    """Print the tables, or do one step for them."""
    if sys.argv[1:2] == ["--step"]:
        _, _, step, path, folder = sys.argv
        print(json.dumps(_STEPS[step](Path(path), Path(folder))))
        return
    sizes = tuple(int(one) for one in sys.argv[1:])
    for line in table(*((sizes,) if sizes else ())):
        print(line, flush=True)


if __name__ == "__main__":
    main()
