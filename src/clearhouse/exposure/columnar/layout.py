"""The tables of a store, and the Parquet files that hold them.

A *dimension* is a component as inventories spell it, once; *facts* say which holder has which.  A
*candidate* is a dimension whose package some vulnerability names, with its key by that package's
order.  A *record* is one edition of a vulnerability; what it says stands in ``entries`` (one row
for each package entry), ``intervals``, ``listed`` and ``spellings``.  *Hits* are the join's answer.
A *segment* is one write of inventories: it stands over those before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

#: Columns and types, by table; types are names that DuckDB and Spark share, or have both.
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "dimensions": {
        "dimension": "INTEGER", "ecosystem": "VARCHAR", "name": "VARCHAR", "version": "VARCHAR",
        "lacks_epoch": "TINYINT", "whole": "VARCHAR", "base": "VARCHAR", "package_name": "VARCHAR",
    },
    "stored_facts": {"holder": "BIGINT", "dimension": "INTEGER", "segment": "INTEGER"},
    "replaced": {"holder": "BIGINT", "segment": "INTEGER"},
    "packages": {"package": "INTEGER", "ecosystem": "VARCHAR", "package_name": "VARCHAR"},
    "candidates": {
        "dimension": "INTEGER", "package": "INTEGER", "version": "VARCHAR", "version_key": "BLOB",
        "lacks_epoch": "TINYINT",
    },
    "records": {
        "record": "INTEGER", "id": "VARCHAR", "modified": "VARCHAR", "withdrawn": "TINYINT",
        "aliases": "VARCHAR", "flaw": "INTEGER", "flaw_name": "VARCHAR",
    },
    "entries": {
        "record": "INTEGER", "package": "INTEGER", "every": "TINYINT", "bounded": "TINYINT",
        "epochs": "TINYINT", "partial": "TINYINT",
    },
    "intervals": {
        "record": "INTEGER", "package": "INTEGER", "low": "BLOB", "high": "BLOB",
        "epochs": "TINYINT",
    },
    "listed": {
        "record": "INTEGER", "package": "INTEGER", "version_key": "BLOB", "epochs": "TINYINT",
    },
    "spellings": {
        "record": "INTEGER", "package": "INTEGER", "version": "VARCHAR", "epochs": "TINYINT",
    },
    "hits": {"dimension": "INTEGER", "record": "INTEGER", "answer": "TINYINT"},
}  # fmt: skip

#: What a whole set of vulnerabilities replaces.
OF_VULNERABILITIES: Final = (
    "packages", "records", "entries", "intervals", "listed", "spellings", "candidates", "hits",
)  # fmt: skip


#: Packages as inventories spell them, and as advisories do.
NAMES: Final[Mapping[str, str]] = {
    "ecosystem": "VARCHAR", "name": "VARCHAR",
    "whole": "VARCHAR", "base": "VARCHAR", "package_name": "VARCHAR",
}  # fmt: skip


def literal(text: str) -> str:
    """``text`` as SQL spells it."""
    return "'" + text.replace("'", "''") + "'"


def source(table: str, files: Sequence[Path]) -> str:
    """A query in DuckDB's words that reads ``files`` as ``table``; no files are an empty table."""
    if not files:
        columns = ", ".join(f"CAST(NULL AS {kind}) AS {one}" for one, kind in TABLES[table].items())
        return f"SELECT {columns} WHERE false"
    names = ", ".join(literal(str(one)) for one in files)
    return f"SELECT {', '.join(TABLES[table])} FROM read_parquet([{names}])"


def incoming(files: Sequence[Path]) -> str:
    """A query that reads rows of inventories: holder, ecosystem, name and version."""
    names = ", ".join(literal(str(one)) for one in files)
    return (
        "SELECT CAST(holder AS BIGINT) AS holder, "
        "coalesce(ecosystem, '') AS ecosystem, coalesce(name, '') AS name, "
        "coalesce(version, '') AS version, CAST(0 AS TINYINT) AS lacks_epoch "
        f"FROM read_parquet([{names}])"
    )
