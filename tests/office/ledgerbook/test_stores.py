"""Databases opened by a verifier: as they are, read only, whatever somebody has put into them."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clearhouse.errors import Invalid, Unavailable
from clearhouse.ledger.verify import Result, verify
from clearhouse.office.ledgerbook import models
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.stores import open_database
from tests.office.ledgerbook.office import copy_of_database, signed_ledger

TABLES = {
    "ledgerbook_ledgerentry": models.LedgerEntry,
    "ledgerbook_ledgertile": models.LedgerTile,
    "ledgerbook_ledgerhead": models.LedgerHead,
    "ledgerbook_signedcheckpoint": models.SignedCheckpoint,
}
CELLS = [
    (table, column)
    for table, columns in {
        "ledgerbook_ledgerentry": ("index", "kind", "subject", "at", "leaf", "leaf_hash"),
        "ledgerbook_ledgertile": ("level", "place", "hashes", "root"),
        "ledgerbook_ledgerhead": ("size", "peaks", "last_at"),
        "ledgerbook_signedcheckpoint": ("size", "root", "note"),
    }.items()
    for column in columns
]


def verified(path: Path) -> Result:
    with open_database({"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}) as stored:
        return verify(stored, keys=[signing_key().verifier])


def change(path: Path, statement: str, *values: Any) -> int:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).rowcount


@pytest.fixture
def copied(db: None, tmp_path: Path) -> Path:
    signed_ledger(200, 156)
    return copy_of_database(tmp_path)


def test_the_tables_are_those_of_the_models() -> None:
    for table, model in TABLES.items():
        assert model._meta.db_table == table


def test_a_copy_of_the_database_is_found_whole(copied: Path) -> None:
    result = verified(copied)
    assert result.problems == ()
    assert (result.size, result.checkpoints, result.last_signed) == (356, 2, 356)


@pytest.mark.parametrize(("table", "column"), CELLS)
@pytest.mark.parametrize("value", [b"x", "x", -7, 1.5, "\ud7ff\x00", b"\xff\xfe"])
def test_any_other_value_in_any_cell_is_found(
    copied: Path, table: str, column: str, value: Any
) -> None:
    where = f'rowid = (SELECT max(rowid) FROM "{table}")'
    try:
        changed = change(copied, f'UPDATE "{table}" SET "{column}" = ? WHERE {where}', value)
    except sqlite3.IntegrityError:
        return  # the database itself does not take it
    assert changed == 1
    assert not verified(copied).holds


@pytest.mark.parametrize("table", TABLES)
def test_any_removed_row_but_a_checkpoint_is_found(copied: Path, table: str) -> None:
    change(copied, f'DELETE FROM "{table}" WHERE rowid = (SELECT max(rowid) FROM "{table}")')
    result = verified(copied)
    if table == "ledgerbook_signedcheckpoint":
        assert result.last_signed == 200  # what is told to whoever verifies
    else:
        assert not result.holds


def test_verifying_changes_nothing_and_needs_no_right_to_write(copied: Path) -> None:
    change(copied, "PRAGMA journal_mode=WAL")
    before = copied.read_bytes()
    copied.chmod(stat.S_IREAD)
    copied.parent.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        assert verified(copied).holds
    finally:
        copied.parent.chmod(stat.S_IRWXU)
    assert copied.read_bytes() == before


def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no such file"):
        verified(tmp_path / "nothing.sqlite3")
    empty = tmp_path / "empty.sqlite3"
    change(empty, "CREATE TABLE other (a)")
    with pytest.raises(Unavailable, match="cannot be read as a ledger"):
        verified(empty)
    empty.write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match="cannot be read as a ledger"):
        verified(empty)
