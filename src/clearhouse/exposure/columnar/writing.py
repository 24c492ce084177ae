"""A state in the making: new files beside those that stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from clearhouse.exposure.columnar import join, layout
from clearhouse.exposure.columnar.engine import copy, make_table, row
from clearhouse.exposure.columnar.manifest import File, Folder, Manifest
from clearhouse.exposure.columnar.rows import EDITIONS, Row, keyed


class Draft:
    """What a store will be once its manifest is swapped; nobody sees it before."""

    def __init__(
        self, folder: Folder, before: Manifest, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._folder = folder
        self._before = before
        self.sql = connection
        self._files = {table: list(files) for table, files in before.files.items()}
        self._counters = dict(before.counters)
        self._editions = before.editions
        self._written = 0

    def files(self, table: str) -> Sequence[File]:
        """The files of ``table`` as they stand now."""
        return self._files.get(table, [])

    def source(self, table: str) -> str:
        """A query that reads ``table`` as it stands now."""
        return self.source_of(table, self.files(table))

    def source_of(self, table: str, files: Sequence[File]) -> str:
        """A query that reads some files of ``table``."""
        return layout.source(table, [self._folder.path / one.name for one in files])

    def sources(self, *tables: str) -> dict[str, str]:
        """Queries that read ``tables``, by their names."""
        return {table: self.source(table) for table in tables}

    def add(self, table: str, query: str) -> None:
        """Write the rows of ``query`` as a further file of ``table``."""
        written = self._write(table, query)
        if written is not None:
            self._files.setdefault(table, []).append(written)

    def replace(self, table: str, query: str) -> None:
        """Write the rows of ``query`` as all that ``table`` has."""
        written = self._write(table, query)
        self._files[table] = [written] if written is not None else []

    def replace_since(self, table: str, kept: int, query: str) -> None:
        """Keep the first files of ``table``, and write ``query`` in place of the others."""
        written = self._write(table, query)
        self._files[table] = [*self.files(table)[:kept], *([written] if written else [])]

    def clear(self, table: str) -> None:
        """Leave ``table`` empty."""
        self._files[table] = []

    def _write(self, table: str, query: str) -> File | None:
        name = f"{table}-{self._before.generation + 1}-{self._written}.parquet"
        self._written += 1
        path = self._folder.path / name
        rows = copy(self.sql, query, path)
        if not rows:
            path.unlink()
            return None
        if "dimension" not in layout.TABLES[table]:
            return File(name, rows)
        written = layout.source(table, [path])
        low, high = row(self.sql, f"SELECT min(dimension), max(dimension) FROM ({written})")
        return File(name, rows, low, high)

    def number(self, kind: str) -> int:
        """The first free number of ``dimension``, ``record``, ``package`` or ``segment``."""
        return self._counters.get(kind, 0)

    def use(self, kind: str, many: int) -> int:
        """Take ``many`` numbers, and give the first."""
        first = self.number(kind)
        self._counters[kind] = first + many
        return first

    def start_over(self, *kinds: str) -> None:
        """Number these from 0 again: all that had numbers is replaced."""
        for kind in kinds:
            self._counters[kind] = 0

    @property
    def is_stale(self) -> bool:
        """Whether stored keys are by other editions of the orders; none may be added to them."""
        return bool(self.files("records")) and dict(self._editions) != dict(EDITIONS)

    def keep_editions(self) -> None:
        """Note that all keys are by the orders as they are now."""
        self._editions = EDITIONS

    def manifest(self) -> Manifest:
        """The new state."""
        files = {table: tuple(files) for table, files in self._files.items()}
        return Manifest(self._before.generation + 1, self._editions, files, self._counters)


def make_candidates(connection: duckdb.DuckDBPyConnection, dimensions: str, packages: str) -> None:
    """Make the temporary table ``new_candidates``: ``dimensions`` whose package is in ``packages``.

    Both are queries.  Only these versions get keys: most components are of packages that no
    vulnerability names.
    """
    columns = "d.dimension, p.package, p.ecosystem, d.version, d.lacks_epoch"
    found = connection.execute(
        f"WITH d AS ({dimensions}), p AS ({packages}) "
        f"SELECT {columns} FROM d JOIN p "
        "ON p.package_name = d.package_name AND p.ecosystem = d.whole "
        f"UNION ALL SELECT {columns} FROM d JOIN p "
        "ON p.package_name = d.package_name AND p.ecosystem = d.base WHERE d.whole <> d.base"
    ).fetchall()
    rows: list[Row] = [
        (dimension, package, *keyed(ecosystem, version), lacks_epoch)
        for dimension, package, ecosystem, version, lacks_epoch in found
    ]
    make_table(connection, "new_candidates", "candidates", rows)


def hits(tables: Mapping[str, str]) -> str:
    """The query of hits, with its tables defined by queries."""
    return join.with_tables(join.HITS, tables)
