"""Vulnerabilities into a draft: the whole set, or one that was added, changed or withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from clearhouse.exposure.collecting import without_collecting
from clearhouse.exposure.columnar import rows as to_rows
from clearhouse.exposure.columnar.engine import make_table
from clearhouse.exposure.columnar.layout import OF_VULNERABILITIES
from clearhouse.exposure.columnar.rows import PackageName, Row
from clearhouse.exposure.columnar.writing import Draft, hits, make_candidates
from clearhouse.exposure.vulnerabilities import Vulnerability

SAID: Final = ("entries", "intervals", "listed", "spellings")
_PACKAGES: Final = "SELECT * FROM new_packages"


@dataclass(frozen=True, slots=True)
class _Known:
    """A record of the store, without what it says."""

    record: int
    id: str
    modified: str
    withdrawn: bool
    aliases: tuple[str, ...]


def replace(draft: Draft, vulnerabilities: Iterable[Vulnerability]) -> None:
    """Put ``vulnerabilities`` in place of all that were there; keys and hits are made anew."""
    for table in OF_VULNERABILITIES:
        draft.clear(table)
    draft.start_over("record", "package")
    draft.keep_editions()
    records, packages = make_vulnerabilities(draft.sql, vulnerabilities)
    draft.use("record", records)
    draft.use("package", packages)
    for table in ("packages", "records", *SAID):
        draft.add(table, f"SELECT * FROM new_{table}")
    make_candidates(draft.sql, draft.source("dimensions"), _PACKAGES)
    draft.add("candidates", "SELECT * FROM new_candidates ORDER BY dimension")
    rematch(draft)


def make_vulnerabilities(
    connection: duckdb.DuckDBPyConnection, vulnerabilities: Iterable[Vulnerability]
) -> tuple[int, int]:
    """Make ``new_packages``, ``new_records``, ``new_entries``...; how many records and packages."""
    with without_collecting():
        newest = to_rows.newest(vulnerabilities)
        packages = _numbered(newest, {}, 0)
        make_table(connection, "new_packages", "packages", _package_rows(packages))
        _make_said(connection, 0, newest, packages)
        _make_records(connection, [_known(number, one) for number, one in enumerate(newest)])
        return len(newest), len(packages)


def rematch(draft: Draft) -> None:
    """Make all hits anew."""
    tables = draft.sources("candidates", *SAID)
    draft.replace("hits", hits(tables))


def update(draft: Draft, one: Vulnerability) -> None:
    """Take in one vulnerability that was added, changed or withdrawn.

    An edition older than the one that is known changes nothing.
    """
    known = _read_records(draft)
    before = known.get(to_rows.spelt(one.id))
    if before is not None and before.modified > one.modified:
        return
    draft.keep_editions()
    record = draft.use("record", 1)
    known[to_rows.spelt(one.id)] = _known(record, one)
    _make_records(draft.sql, [known[identifier] for identifier in sorted(known)])
    draft.replace("records", "SELECT * FROM new_records")
    numbered = _read_packages(draft, one)
    added = _numbered([one], numbered, draft.number("package"))
    draft.use("package", len(added))
    make_table(draft.sql, "new_packages", "packages", _package_rows(added))
    _make_said(draft.sql, record, [one], {**numbered, **added})
    draft.add("packages", _PACKAGES)
    for table in SAID:
        draft.add(table, f"SELECT * FROM new_{table}")
    make_candidates(draft.sql, draft.source("dimensions"), _PACKAGES)
    draft.add("candidates", "SELECT * FROM new_candidates ORDER BY dimension")
    about = "SELECT package FROM new_entries"
    candidates = f"SELECT * FROM ({draft.source('candidates')}) WHERE package IN ({about})"
    draft.add(
        "hits",
        hits({"candidates": candidates, **{one: f"SELECT * FROM new_{one}" for one in SAID}}),
    )


def _numbered(
    vulnerabilities: Iterable[Vulnerability], known: Mapping[PackageName, int], first: int
) -> dict[PackageName, int]:
    """Numbers from ``first`` on for the packages named that are not in ``known``."""
    named = {
        (entry.ecosystem, entry.name)
        for one in vulnerabilities
        if one.withdrawn is None
        for entry in to_rows.named(one)
    }
    return {name: first + number for number, name in enumerate(sorted(named - known.keys()))}


def _package_rows(numbers: Mapping[PackageName, int]) -> list[Row]:
    return [(number, ecosystem, name) for (ecosystem, name), number in numbers.items()]


def _make_said(
    connection: duckdb.DuckDBPyConnection,
    first: int,
    vulnerabilities: Sequence[Vulnerability],
    packages: Mapping[PackageName, int],
) -> None:
    """Make ``new_entries``, ``new_intervals``, ``new_listed`` and ``new_spellings``."""
    said: to_rows.Rows = {table: [] for table in SAID}
    for number, one in enumerate(vulnerabilities):
        if one.withdrawn is None:
            for table, found in to_rows.of_vulnerability(first + number, one, packages).items():
                said[table] += found
    for table, found in said.items():
        make_table(connection, f"new_{table}", table, found)


def _known(record: int, one: Vulnerability) -> _Known:
    identifier, modified, *aliases = map(to_rows.spelt, (one.id, one.modified, *one.aliases))
    return _Known(record, identifier, modified, one.withdrawn is not None, tuple(aliases))


def _make_records(connection: duckdb.DuckDBPyConnection, known: Sequence[_Known]) -> None:
    """Make ``new_records``, with the flaw that each is about; ``known`` is in order of names."""
    live = [one for one in known if not one.withdrawn]
    names = to_rows.flaws((one.id, one.aliases) for one in live)
    numbers = {name: number for number, name in enumerate(sorted(set(names.values())))}
    rows: list[Row] = []
    for one in known:
        name = "" if one.withdrawn else names[one.id]
        flaw = numbers.get(name, -1)
        aliases = json.dumps(one.aliases)
        rows.append((one.record, one.id, one.modified, int(one.withdrawn), aliases, flaw, name))
    make_table(connection, "all_records", "records", rows)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE new_records AS "
        "SELECT * REPLACE (NULLIF(flaw, -1) AS flaw) FROM all_records"
    )


def _read_records(draft: Draft) -> dict[str, _Known]:
    query = "SELECT record, id, modified, withdrawn, aliases"
    found = draft.sql.execute(f"{query} FROM ({draft.source('records')})").fetchall()
    return {
        identifier: _Known(record, identifier, modified, bool(gone), tuple(json.loads(aliases)))
        for record, identifier, modified, gone, aliases in found
    }


def _read_packages(draft: Draft, one: Vulnerability) -> dict[PackageName, int]:
    """The numbers of those packages that ``one`` names and that have a number."""
    names = {(entry.ecosystem, entry.name) for entry in to_rows.named(one)}
    query = f"SELECT ecosystem, package_name, package FROM ({draft.source('packages')})"
    found = draft.sql.execute(query).fetchall()
    return {(base, name): package for base, name, package in found if (base, name) in names}
