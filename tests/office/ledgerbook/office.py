"""A ledger in an office, and copies of its database, for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from clearhouse.office.ledgerbook.actions import Decision, record_many, sign_checkpoint
from clearhouse.office.ledgerbook.models import (
    LedgerEntry,
    LedgerHead,
    LedgerTile,
    SignedCheckpoint,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def some(count: int) -> list[Decision]:
    return [Decision("finding.received", f"F-{at}", {"number": at}) for at in range(count)]


def signed_ledger(*sizes: int) -> SignedCheckpoint:
    """A ledger that grew by each size, signed each time; the last checkpoint."""

    def grown(size: int) -> SignedCheckpoint:
        record_many(some(size), now=NOW)
        return sign_checkpoint(now=NOW)

    return [grown(size) for size in sizes][-1]


def copy_of_database(folder: Path) -> Path:
    """The office's database as a file of its own."""
    if connection.vendor != "sqlite":
        pytest.skip("copies of the database are those of SQLite; this office runs on another")
    path = folder / "copy of ledger.sqlite3"
    # Row by row: the test's own transaction is still open, so the file cannot be copied as it is.
    with closing(sqlite3.connect(path)) as target, target, connection.cursor() as cursor:
        for model in (LedgerEntry, LedgerTile, LedgerHead, SignedCheckpoint):
            table = model._meta.db_table
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
            target.execute(cursor.fetchone()[0])
            cursor.execute(f'SELECT * FROM "{table}"')
            places = ", ".join("?" * len(cursor.description))
            target.executemany(f'INSERT INTO "{table}" VALUES ({places})', cursor.fetchall())
    return path
