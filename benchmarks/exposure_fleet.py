"""Synthetic fleets: which holder has which package, in a Parquet file.

10,000 holders, 20,000 names by Zipf's law with exponent 1, 664 of them those of the advisories,
with the versions that these name and versions beside them; the others are invented.  619,020
distinct pairs of name and version.  Seeded: every run makes the same rows.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np

from clearhouse.exposure.vulnerabilities import Vulnerability, read

HOLDERS = 10_000
_NAMES, _PAIRS, _SEED = 20_000, 619_020, 7
_SHARED = Path(os.environ.get("CLEARHOUSE_SHARED") or Path(__file__).parents[2] / "shared")
_FILE = _SHARED / "data" / "advisories" / "pypi.ndjson.gz"
ADVISORIES = _FILE if _FILE.is_file() else None
"""The advisories for PyPI of the shared test data; None where they are missing."""
_CHUNK = 10_000_000


def advisories() -> Iterator[Vulnerability]:
    """The advisories, read one after the other."""
    assert ADVISORIES is not None
    with gzip.open(ADVISORIES, "rt") as lines:
        for line in lines:
            yield read(json.loads(line), "pypi")


def versions_of(records: list[Vulnerability]) -> dict[str, list[str]]:
    """Real and near-real versions of each package that an advisory names."""
    found: dict[str, set[str]] = {}
    for record in records:
        for entry in record.affected:
            listed = found.setdefault(entry.name, {"0.0.1"})
            bounds = {
                event.version
                for span in entry.intervals
                for event in (span.opened, span.closed)
                if event is not None and event.version != "0"
            }
            listed |= entry.spellings | bounds | {f"{bound}.1" for bound in bounds}
    return {name: sorted(found[name]) for name in sorted(found)}


def make(records: list[Vulnerability], rows: int, path: Path) -> None:
    """Write ``rows`` rows: holder, ecosystem, name, version."""
    rng = np.random.default_rng(_SEED)
    versions = versions_of(records)
    invented = _NAMES - len(versions)
    left = _PAIRS - sum(map(len, versions.values()))
    for number in range(invented):
        many = left // invented + (number < left % invented)
        versions[f"invented-{number:05}"] = [
            f"{one // 10}.{one % 10}.{number % 7}" for one in range(many)
        ]
    names = _by_rank(list(versions), rng)
    starts = np.cumsum([0, *(len(versions[name]) for name in names)])
    weights = 1 / np.arange(1, len(names) + 1)
    edges = np.cumsum(weights / weights.sum())
    with duckdb.connect() as sql:
        pairs = [(name, version) for name in names for version in versions[name]]
        arrays = {"pair": np.arange(len(pairs))}
        for place, column in enumerate(("name", "version")):
            arrays[column] = np.array([pair[place] for pair in pairs], dtype=object)
        sql.register("handed", arrays)
        sql.execute("CREATE TABLE pairs AS FROM handed")
        sql.execute("CREATE TABLE rows (holder INTEGER, pair INTEGER)")
        for chunk in _chunks(rows):
            name = np.minimum(np.searchsorted(edges, rng.random(chunk)), len(names) - 1)
            pair = starts[name] + (rng.random(chunk) * np.diff(starts)[name]).astype(np.int64)
            holder = rng.integers(1, HOLDERS + 1, chunk)
            sql.register("chunk", {"h": holder.astype(np.int32), "p": pair.astype(np.int32)})
            sql.execute("INSERT INTO rows SELECT h, p FROM chunk")
        sql.execute(
            "COPY (SELECT CAST(holder AS BIGINT) AS holder, 'PyPI' AS ecosystem, name, version "
            f"FROM rows JOIN pairs USING (pair)) TO '{path}' (FORMAT parquet)"
        )


def _by_rank(names: list[str], rng: np.random.Generator) -> list[str]:
    """Names by how common they are: of the first 2,700 every fourth is real, from the tenth on.

    That makes about an eighth of the rows components that an advisory touches.
    """
    rng.shuffle(names)
    real = [name for name in names if not name.startswith("invented-")]
    invented = [name for name in names if name.startswith("invented-")]
    for place, name in enumerate(real):
        invented.insert(9 + 4 * place, name)
    return invented


def _chunks(rows: int) -> Iterator[int]:
    while rows > 0:
        yield min(rows, _CHUNK)
        rows -= _CHUNK


if __name__ == "__main__":
    make(list(advisories()), int(sys.argv[1]), Path(sys.argv[2]))
    print("{}")
