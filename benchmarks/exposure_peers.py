"""What others do with the same rows: loops in Python, one row at a time.

``python -m benchmarks.exposure_peers memoised|specifiers ADVISORIES ROWS MOST`` prints seconds of
processor time, rows and pairs as JSON; in a process of its own, so that its start counts.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import duckdb
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_BATCH = 100_000


class Ranges:
    """One record about one package: OSV's events, parsed, and the versions it lists."""

    def __init__(self, number: int, entry: dict[str, Any]) -> None:
        self.number = number
        self.listed = frozenset(entry.get("versions", ()))
        self.equal: frozenset[Version] | None = None
        self.events = [
            sorted(_event(event) for event in one["events"])
            for one in entry.get("ranges", ())
            if one["type"] != "GIT" and all(_is_version(event) for event in one["events"])
        ]

    def hold(self, text: str, version: Version | None) -> bool:
        """OSV's evaluation of one version."""
        if text in self.listed:
            return True
        if version is None:
            return False
        for events in self.events:
            inside = False
            for at, last, opens in events:
                if version > at if last else version >= at:
                    inside = bool(opens)
            if inside:
                return True
        if self.equal is None:
            parsed = (_parsed(one) for one in self.listed)
            self.equal = frozenset(one for one in parsed if one is not None)
        return version in self.equal


def _event(event: dict[str, str]) -> tuple[Version, int, int]:
    ((kind, text),) = event.items()
    version = Version("0.dev0" if text == "0" else text)
    return version, int(kind == "last_affected"), int(kind == "introduced")


def _is_version(event: dict[str, str]) -> bool:
    return all(_parsed(one) is not None for one in event.values())


def _parsed(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def memoised(raw: list[dict[str, Any]], rows: Path, most: int) -> tuple[int, set[tuple[int, int]]]:
    """A loop over rows with ``packaging``: ranges parsed once, each version decided once."""
    ranges: dict[str, list[Ranges]] = defaultdict(list)
    for number, record in enumerate(raw):
        for entry in record["affected"] if "withdrawn" not in record else ():
            ranges[canonicalize_name(entry["package"]["name"])].append(Ranges(number, entry))
    normal: dict[str, str] = {}
    known: dict[tuple[str, str], tuple[int, ...]] = {}
    pairs: set[tuple[int, int]] = set()
    seen = 0
    for batch in _rows(rows, most):
        seen += len(batch)
        for holder, name, text in batch:
            touched = known.get((name, text))
            if touched is None:
                if name not in normal:
                    normal[name] = canonicalize_name(name)
                found = ranges.get(normal[name])
                touched = ()
                if found:
                    version = _parsed(text)
                    touched = tuple(one.number for one in found if one.hold(text, version))
                known[name, text] = touched
            for one in touched:
                pairs.add((holder, one))
    return seen, pairs


def specifiers(
    raw: list[dict[str, Any]], rows: Path, most: int
) -> tuple[int, set[tuple[int, int]]]:
    """As pip-audit does it: a ``SpecifierSet`` for each range, asked for each component."""
    sets: dict[str, list[tuple[int, list[SpecifierSet], frozenset[str]]]] = defaultdict(list)
    for number, record in enumerate(raw):
        for entry in record["affected"] if "withdrawn" not in record else ():
            drawn = [one for part in entry.get("ranges", ()) for one in _sets(part)]
            listed = frozenset(entry.get("versions", ()))
            sets[canonicalize_name(entry["package"]["name"])].append((number, drawn, listed))
    pairs: set[tuple[int, int]] = set()
    seen = 0
    for batch in _rows(rows, most):
        seen += len(batch)
        for holder, name, text in batch:
            version = _parsed(text)
            for number, drawn, listed in sets.get(canonicalize_name(name), ()):
                inside = version is not None and any(
                    one.contains(version, prereleases=True) for one in drawn
                )
                if inside or text in listed:
                    pairs.add((holder, number))
    return seen, pairs


def _sets(part: dict[str, Any]) -> Iterator[SpecifierSet]:
    if part["type"] == "GIT" or not all(_is_version(event) for event in part["events"]):
        return
    since = ""
    for event in sorted(part["events"], key=_event):
        ((kind, text),) = event.items()
        if kind == "introduced":
            since = ">=0.dev0" if text == "0" else f">={text}"
        elif since:
            yield SpecifierSet(f"{since},{'<' if kind == 'fixed' else '<='}{text}")
            since = ""
    if since:
        yield SpecifierSet(since)


def _rows(path: Path, most: int) -> Iterator[list[tuple[int, str, str]]]:
    """Rows as Python gets them soonest here: tuples, a tenth of a million at a time."""
    with duckdb.connect(config={"threads": 1}) as sql:
        query = f"SELECT holder, name, version FROM read_parquet('{path}') LIMIT {most}"
        found = sql.execute(query)
        while batch := found.fetchmany(_BATCH):
            yield batch


def main(kind: str, advisories: str, rows: str, most: str) -> None:
    """Run one loop and store its pairs beside the rows."""
    with gzip.open(advisories, "rt") as lines:
        raw = [json.loads(line) for line in lines]
    loop = {"memoised": memoised, "specifiers": specifiers}[kind]
    seen, pairs = loop(raw, Path(rows), int(most))
    with Path(f"{rows}.{kind}").open("w") as stored:
        stored.writelines(f"{holder},{number}\n" for holder, number in pairs)
    print(json.dumps({"cpu": process_time(), "rows": seen, "pairs": len(pairs)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
