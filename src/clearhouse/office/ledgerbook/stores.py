"""A ledger in a database, opened for reading only: the office's own, or a copy of it.

Not by the models: a verifier takes rows as they are, also such as no model would read, and needs
neither the office's settings nor its keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from clearhouse.errors import Invalid, Unavailable
from clearhouse.ledger.verify import StoredCheckpoint, StoredEntry, StoredHead, StoredTile

_ENTRIES: Final = (
    'SELECT "index", kind, subject, at, leaf, leaf_hash FROM ledgerbook_ledgerentry'
    ' ORDER BY "index"'
)
_TILES: Final = "SELECT level, place, hashes, root FROM ledgerbook_ledgertile"
_IN_ORDER: Final = f"{_TILES} ORDER BY level, place"
_ONE_TILE: Final = f"{_TILES} WHERE level = %s AND place = %s"
_HEADS: Final = "SELECT size, peaks, last_at FROM ledgerbook_ledgerhead"
_CHECKPOINTS: Final = "SELECT size, root, note FROM ledgerbook_signedcheckpoint ORDER BY size"
_AT_ONCE: Final = 2000

Rows = Callable[[str, Sequence[int]], Iterator[Sequence[Any]]]
"""Runs a query and yields its rows without holding them all."""


class Database:
    """The tables of a ledger; rows come through a function, so any database will do."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def heads(self) -> Sequence[StoredHead]:
        """The rows of the head."""
        rows = self._rows(_HEADS, ())
        return [
            StoredHead(_number(size), _raw(peaks), _time(last_at)) for size, peaks, last_at in rows
        ]

    def entries(self) -> Iterator[StoredEntry]:
        """By index."""
        for index, kind, subject, at, leaf, hashed in self._rows(_ENTRIES, ()):
            yield StoredEntry(
                _number(index), str(kind), str(subject), _time(at), _raw(leaf), _raw(hashed)
            )

    def tiles(self) -> Iterator[StoredTile]:
        """By level and place."""
        return map(_tile, self._rows(_IN_ORDER, ()))

    def tile(self, level: int, place: int) -> StoredTile | None:
        """One tile."""
        return next(map(_tile, self._rows(_ONE_TILE, (level, place))), None)

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """By size."""
        for size, root, note in self._rows(_CHECKPOINTS, ()):
            yield StoredCheckpoint(_number(size), _raw(root), str(note))


def open_database(database: Mapping[str, Any]) -> AbstractContextManager[Database]:
    """A database as the configuration names it (:attr:`Config.database`), as of this moment.

    Raises :class:`Unavailable` where it cannot be read, or holds no ledger.
    """
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite(Path(database["NAME"]))
    return _postgresql(database)


@contextmanager
def _sqlite(path: Path) -> Iterator[Database]:
    if not path.is_file():
        raise Invalid("there is no such file", where=str(path))
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = _sqlite_connection(address)
        with closing(connection):
            connection.execute("BEGIN")  # one moment for all queries

            def rows(query: str, values: Sequence[int]) -> Iterator[Sequence[Any]]:
                yield from connection.execute(query.replace("%s", "?"), values)

            yield Database(rows)
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be read as a ledger: {error}") from error


def _sqlite_connection(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True)
    # Text may be anything in a file that was tampered with.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        connection.execute("SELECT size FROM ledgerbook_ledgerhead")
    except sqlite3.OperationalError:
        # A copy of a database in WAL mode where nothing can be written beside it: nobody else
        # writes there either, so it can be taken as it is (SQLite, "Write-Ahead Logging", 5).
        connection.close()
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True)
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        connection.execute("SELECT size FROM ledgerbook_ledgerhead")
    return connection


@contextmanager
def _postgresql(database: Mapping[str, Any]) -> Iterator[Database]:
    try:
        import psycopg
    except ImportError as error:
        raise Unavailable(
            "PostgreSQL needs psycopg: pip install 'clearhouse[postgresql]'"
        ) from error
    names = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    given = {name: database[key] for name, key in names.items() if database.get(key)}
    try:
        with psycopg.connect(**given, options="-c TimeZone=UTC") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            count = iter(range(2**62))

            def rows(query: str, values: Sequence[int]) -> Iterator[Sequence[Any]]:
                if values:
                    yield from connection.execute(query.encode(), values)
                    return
                with connection.cursor(f"ledger_{next(count)}") as cursor:
                    cursor.itersize = _AT_ONCE
                    yield from cursor.execute(query.encode())

            yield Database(rows)
    except psycopg.Error as error:
        raise Unavailable(f"the database cannot be read as a ledger: {error}") from error


def _tile(row: Sequence[Any]) -> StoredTile:
    level, place, hashes, root = row
    return StoredTile(_number(level), _number(place), _raw(hashes), _raw(root))


def _raw(value: object) -> bytes:
    """The bytes of a column; none for what is no bytes, which no hash fits."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _time(value: object) -> datetime | None:
    """A time: SQLite keeps it as text in UTC, without its zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else None
