"""A fleet matched once, from rows as they come, without a store.

Only rows of packages that a vulnerability names are looked at twice, and only they get numbers and
keys.  The join is the store's; pairs are put together in a way that only pays at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import duckdb

from clearhouse.exposure.columnar import join, layout
from clearhouse.exposure.columnar.advisories import SAID, make_vulnerabilities
from clearhouse.exposure.columnar.engine import MEMORY, check_rows, connect, copy, make, row
from clearhouse.exposure.columnar.rows import Row, packages_of
from clearhouse.exposure.columnar.writing import make_candidates
from clearhouse.exposure.vulnerabilities import Vulnerability

#: ``join.PAIRS``, by way of bundles.  One number stands for a holder and a bundle: grouping by one
#: takes two thirds of the time that grouping by two does.
_PAIRS: Final = """
WITH had AS (
    SELECT DISTINCT h.number * {bundles} + b.bundle AS pair
    FROM named_rows r JOIN bundled b USING (spelling, version, lacks_epoch)
    JOIN holders h USING (holder)
), told AS (
    SELECT pair // {bundles} AS number,
           pair % {bundles} AS bundle
    FROM had
), pairs AS (
    SELECT number, flaw, max(answer) AS answer FROM told JOIN taken_apart USING (bundle)
    GROUP BY number, flaw
)
SELECT holder, flaw, answer FROM pairs JOIN holders USING (number)"""


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
        many = _make_bundles(sql)
        flaws = "SELECT DISTINCT flaw, flaw_name FROM new_records WHERE flaw IS NOT NULL"
        copy(sql, flaws, into / "flaws.parquet")
        return copy(sql, _PAIRS.format(bundles=many), into / "pairs.parquet")


def _make_bundles(sql: duckdb.DuckDBPyConnection) -> int:
    """Make ``bundles``: what is said of versions, each once.  How many there are, at least one.

    Many versions are touched by the same flaws, and a holder has several of these: each bundle is
    told of each holder once before it is taken apart.  ``bundled`` says whose each is,
    ``taken_apart`` what is in it, and ``holders`` numbers the holders.
    """
    tables = {
        **{table: f"SELECT * FROM new_{table}" for table in ("candidates", *SAID)},
        "hits": join.HITS,
        "records": "SELECT * FROM new_records",
        "flaw_hits": join.FLAW_HITS,
    }
    told = "list({'flaw': flaw, 'answer': answer} ORDER BY flaw)"
    query = f"SELECT dimension, {told} AS said FROM flaw_hits GROUP BY dimension"
    sql.execute(f"CREATE TEMP TABLE said AS {join.with_tables(query, tables)}")
    sql.execute(
        "CREATE TEMP TABLE bundles AS SELECT row_number() OVER () - 1 AS bundle, said "
        "FROM (SELECT DISTINCT said FROM said)"
    )
    sql.execute(
        "CREATE TEMP TABLE taken_apart AS "
        "SELECT bundle, unnest(said, recursive := true) FROM bundles"
    )
    sql.execute(
        "CREATE TEMP TABLE bundled AS SELECT d.spelling, d.version, d.lacks_epoch, b.bundle "
        "FROM said JOIN bundles b USING (said) JOIN dimensions d USING (dimension)"
    )
    sql.execute(
        "CREATE TEMP TABLE holders AS SELECT row_number() OVER () - 1 AS number, holder "
        "FROM (SELECT DISTINCT holder FROM named_rows)"
    )
    (many,) = row(sql, "SELECT greatest(count(*), 1) FROM bundles")
    return many


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
