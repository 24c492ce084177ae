"""The join in SQL says what ``decide`` says, over every advisory given."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from clearhouse.exposure.columnar import join
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Component
from clearhouse.exposure.vulnerabilities import Vulnerability, read
from tests.exposure.advisories import records
from tests.exposure.columnar.fleets import Held, expected, record, told, touched

TAILS = {
    "pypi": ("", ".1", ".post1", ".dev0", "a1", "+local"),
    "go": ("", "-0"),
    "crates": ("", "-alpha"),
    "npm-legacy": ("", "-0"),
    "bitnami": ("", "-alpha", "-7"),
    "packagist": ("", ".1", "-dev", "-RC1"),
    "almalinux": ("", "~1"),
}
ODD = ("", "latest", "no version at all", "0", "999999")


#: Versions of one package at most: AlmaLinux names one kernel in hundreds of advisories.
MOST = {"almalinux": 100}


def beside(known: list[Vulnerability], tails: tuple[str, ...], most: int = 10_000) -> Held:
    """Two holders: one has versions at and beside all bounds, one has them without epochs."""
    versions: dict[tuple[str, str], set[str]] = {}
    for one in known:
        for entry in one.affected:
            spots = versions.setdefault((entry.ecosystem, entry.name), set(ODD))
            bounds = {
                event.version
                for span in entry.intervals
                for event in (span.opened, span.closed)
                if event is not None and event.version != "0"
            }
            spots |= {bound + tail for bound in bounds for tail in tails} | entry.spellings
    components = [
        Component(ecosystem, name, version)
        for (ecosystem, name), spots in versions.items()
        for version in sorted(spots)[:: -(-len(spots) // most)]
    ]
    bare = [
        Component(one.ecosystem, one.name, one.version.partition(":")[2], lacks_epoch=True)
        for one in components
        if ":" in one.version
    ]
    return {1: components, 2: bare}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        one if one in ("pypi", "npm-legacy") else pytest.param(one, marks=pytest.mark.exhaustive)
        for one in TAILS
    ],
)
def test_over_all_advisories_the_rows_are_those_of_matches(name: str, tmp_path: Path) -> None:
    known = [read(one, name) for one in records(name)]
    held = beside(known, TAILS[name], MOST.get(name, 10_000))
    store = Store(tmp_path / "store")
    store.load(known)
    store.put_all(held.items())
    rows = expected(known, held)
    assert told(store, held) == rows
    assert len(rows) > 1000
    for one in known[:: len(known) // 20]:
        names = {(entry.ecosystem, entry.name) for entry in one.affected}
        about = {
            holder: [
                component for component in listed if (component.ecosystem, component.name) in names
            ]
            for holder, listed in held.items()
        }
        alone = {row[:2] + row[3:] for row in expected([one], about)}
        assert touched(store, one) == alone


def test_each_clause_of_decide_is_in_the_join(tmp_path: Path) -> None:
    known = [
        record("X-1", events=[{"introduced": "0"}]),
        record("X-2", events=[{"introduced": "1"}, {"fixed": "2"}], versions=["trunk", "5.0"]),
        record("X-3", events=[{"introduced": "0"}, {"fixed": "no version"}], versions=["1.0"]),
        record("X-4", ecosystem="AlmaLinux:9", events=[{"introduced": "0"}, {"fixed": "1:2-1"}]),
        record(
            "X-5", ecosystem="AlmaLinux", events=[{"introduced": "0"}, {"last_affected": "2-1"}]
        ),
        record("X-6", withdrawn="2026-01-01T00:00:00Z"),
        record("X-7", versions=["1.5"], events=[]),
    ]
    held = {
        1: [Component("PyPI", "a", one) for one in ("0.5", "1", "2", "2.0.0", "5", "trunk", "")],
        2: [
            Component("AlmaLinux:9", "a", one, lacks_epoch=lacks)
            for one in ("1-1", "2-1", "1:1-1", "")
            for lacks in (True, False)
        ],
    }
    store = Store(tmp_path / "store")
    store.put_all(held.items())
    store.load(known)
    rows = expected(known, held)
    assert told(store, held) == rows
    assert {row[2] for row in rows} == {f"X-{number}" for number in (1, 2, 3, 4, 5, 7)}


def test_keys_as_hexadecimal_text_give_the_same_rows(tmp_path: Path) -> None:
    known = [record("X-1"), record("X-2", events=[{"introduced": "1.0.dev0"}], versions=["1.0"])]
    store = Store(tmp_path / "store")
    store.load(known)
    store.put(1, [Component("PyPI", "a", one) for one in ("0.9", "1.0rc1", "300", "2!1", "", "x")])
    with store.snapshot() as now:
        tables = {table: now.source(table) for table in join.COLUMNS}
        as_text = {table: join.hexed(table, source) for table, source in tables.items()}
        as_bytes = duckdb.execute(join.with_tables(join.HITS, tables)).fetchall()
        assert sorted(duckdb.execute(join.with_tables(join.HITS, as_text)).fetchall()) == sorted(
            as_bytes
        )
        assert len(as_bytes) == 9
