"""A fleet matched once, from rows as they come, without a store.

Only rows of packages that a vulnerability names are looked at twice, and only they get numbers and
keys.  The join is the store's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from clearhouse.exposure.columnar import join, layout
from clearhouse.exposure.columnar.advisories import SAID, make_vulnerabilities
from clearhouse.exposure.columnar.engine import MEMORY, check_rows, connect, copy, make
from clearhouse.exposure.columnar.rows import Row, packages_of
from clearhouse.exposure.columnar.writing import make_candidates
from clearhouse.exposure.vulnerabilities import Vulnerability


def match_rows(
    files: Sequence[Path],
    vulnerabilities: Iterable[Vulnerability],
    into: Path,
    *,
    memory: str = MEMORY,
) -> int:
    """Write and count each holder and each flaw that touches it, once.

    ``files`` are Parquet files as for ``Store.put_rows``, and the folder ``into`` gets what
    ``Store.rematch`` writes.  Raises Invalid as ``Store.put_rows`` does.
    """
    into.mkdir(parents=True, exist_ok=True)
    with connect(memory, into / "spill") as sql:
        check_rows(sql, files)
        make_vulnerabilities(sql, vulnerabilities)
        _make_rows(sql, layout.incoming(files))
        sql.execute(
            "CREATE TEMP TABLE dimensions AS SELECT "
            "CAST(row_number() OVER () AS INTEGER) AS dimension, d.*, n.* FROM "
            "(SELECT DISTINCT spelling, version, lacks_epoch FROM named_rows) d "
            "JOIN named n USING (spelling)"
        )
        make_candidates(sql, "SELECT * FROM dimensions", "SELECT * FROM new_packages")
        said = {table: f"SELECT * FROM new_{table}" for table in ("candidates", *SAID)}
        sql.execute(f"CREATE TEMP TABLE new_hits AS {join.with_tables(join.HITS, said)}")
        flaws = "SELECT DISTINCT flaw, flaw_name FROM new_records WHERE flaw IS NOT NULL"
        copy(sql, flaws, into / "flaws.parquet")
        tables = {
            "hits": "SELECT * FROM new_hits",
            "records": "SELECT * FROM new_records",
            "facts": (
                "SELECT r.holder, d.dimension FROM named_rows r "
                "JOIN dimensions d USING (spelling, version, lacks_epoch)"
            ),
            "flaw_hits": join.FLAW_HITS,
        }
        return copy(sql, join.with_tables(join.PAIRS, tables), into / "pairs.parquet")


def _make_rows(sql: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Make ``named``, spellings of packages that are named, and ``named_rows``, the rows of these.

    One ecosystem after the other: files keep a column of few values as a dictionary, and over one
    column of names the engine does as well.
    """
    ecosystems = [
        one for (one,) in sql.execute(f"SELECT DISTINCT ecosystem FROM ({rows})").fetchall()
    ]
    of = {one: f"({rows}) WHERE ecosystem = {layout.literal(one)}" for one in ecosystems}
    spelt: list[Row] = []
    for ecosystem, source in of.items():
        names = sql.execute(f"SELECT DISTINCT name FROM {source}").fetchall()
        spelt += ((ecosystem, name, *packages_of(ecosystem, name)) for (name,) in names)
    make(sql, "spelt_names", layout.NAMES, spelt)
    sql.execute(
        "CREATE TEMP TABLE named AS SELECT CAST(row_number() OVER () AS INTEGER) AS spelling, n.* "
        "FROM spelt_names n WHERE EXISTS (FROM new_packages p "
        "WHERE p.package_name = n.package_name AND p.ecosystem IN (n.whole, n.base))"
    )
    sql.execute(
        "CREATE TEMP TABLE named_rows "
        "(holder BIGINT, spelling INTEGER, version VARCHAR, lacks_epoch TINYINT)"
    )
    for ecosystem, source in of.items():
        sql.execute(
            "INSERT INTO named_rows SELECT r.holder, n.spelling, r.version, r.lacks_epoch "
            f"FROM (FROM {source}) r JOIN (SELECT name, spelling FROM named "
            f"WHERE ecosystem = {layout.literal(ecosystem)}) n USING (name)"
        )
