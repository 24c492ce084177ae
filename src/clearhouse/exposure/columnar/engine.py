"""DuckDB as it is used here: in memory, over files that others may read at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from clearhouse.errors import Invalid, Unavailable
from clearhouse.exposure.columnar.layout import TABLES, incoming, literal
from clearhouse.exposure.columnar.rows import Row

MEMORY: Final = "1800MB"
"""What a query may use by default: 100 million rows are matched within it."""
_NUMBERS: Final[Mapping[str, type[np.signedinteger]]] = {
    "TINYINT": np.int8, "INTEGER": np.int32, "BIGINT": np.int64,
}  # fmt: skip
_numbered = count().__next__


def connect(memory: str, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory, of ``memory`` at most (``2GB``).

    What does not fit goes to ``spill``; where that is None nothing is ever written to a disk, and
    what does not fit fails.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": memory,
            "temp_directory": str(spill) if spill else "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        },
    )
    connection.execute("SET enable_progress_bar = false; SET GLOBAL parquet_metadata_cache = true")
    return connection


@contextmanager
def within_memory() -> Iterator[None]:
    """Say so where a query needs more memory than it may have."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Unavailable("the query needs more memory than it may have; allow it more") from None


def check_rows(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Raise Invalid where Parquet files are no rows of inventories, each with a holder."""
    try:
        (lacking,) = row(
            connection, f"SELECT count(*) FROM ({incoming(files)}) WHERE holder IS NULL"
        )
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise Invalid(f"are no rows of inventories: {reason}", where=_names(files)) from None
    if lacking:
        raise Invalid("have rows without a holder", where=_names(files))


def _names(files: Sequence[Path]) -> str:
    return ", ".join(one.name for one in files)


def make(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, str],
    rows: Sequence[Row],
) -> None:
    """A temporary table ``name`` of ``rows``; only keys (``version_key``) may be None in it."""
    if not rows:
        kinds = ", ".join(f"{one} {kind}" for one, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({kinds})")
        return
    listed = zip(*rows, strict=True)
    view = f"handed_{_numbered()}"
    connection.register(
        view,
        {
            one: _array(kind, values)
            for (one, kind), values in zip(columns.items(), listed, strict=True)
        },
    )
    # No key is empty; with None in it a column's type would be guessed from how it begins.
    chosen = ", ".join(
        f"NULLIF({one}, ''::BLOB) AS {one}" if one == "version_key" else one for one in columns
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {chosen} FROM {view}")
    connection.unregister(view)


def make_table(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, rows: Sequence[Row]
) -> None:
    """A temporary table ``name`` with the columns of ``table``."""
    make(connection, name, TABLES[table], rows)


def _array(kind: str, values: Sequence[object]) -> np.ndarray:
    if kind in _NUMBERS:
        return np.array(values, dtype=_NUMBERS[kind])
    found = np.empty(len(values), dtype=object)
    found[:] = values if kind == "VARCHAR" else [one or b"" for one in values]
    return found


def copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write the rows of ``query`` as a Parquet file, and say how many they are."""
    with within_memory():
        return row(connection, f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")[0]


def row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """The one row of numbers that ``query`` gives."""
    (found,) = connection.execute(query).fetchall()
    return found
