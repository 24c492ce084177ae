"""Backups: the database as it is at one instant, and the keys without which it is not readable.

A backup is a folder: the database, the keys, and ``SHA256SUMS`` over both, which ``sha256sum -c``
checks as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from django.contrib.sessions.models import Session
from django.db import connection

from clearhouse.errors import ClearhouseError, Conflict, Invalid, Unavailable
from clearhouse.ledger.note import Note
from clearhouse.office.blobs import store
from clearhouse.office.config import Config, current
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.queries import latest_checkpoint

_SQLITE: Final = "database.sqlite3"
_DUMP: Final = "database.dump"
_SUMS: Final = "SHA256SUMS"
_KEYS: Final = ("secret-key", "ledger-key", "seal-key", "openpgp-key.asc")
#: Made with the home; without them nothing is readable, and no checkpoint can be signed.
_NEEDED: Final = ("ledger-key", "seal-key")
_BUSY_SECONDS: Final = 60


def back_up(folder: Path) -> Iterator[str]:
    """Copy everything into a folder that is not there yet.  Yields what was copied.

    1. The keys at hand have to be those of this database.  2. The database is copied as it is at
    one instant, beside writers.  3. The keys follow, never older than the rows they open.  4. The
    folder has its name only when all of it is on the disk.

    Raises :class:`Conflict` for a folder that exists, and :class:`Unavailable`.
    """
    config = current()
    missing = [name for name in _NEEDED if not (config.home / name).is_file()]
    if missing:
        raise Unavailable(f"{config.home} has no {missing[0]}: is CLEARHOUSE_HOME right?")
    if _is_sqlite(config) and not Path(config.database["NAME"]).is_file():
        raise Unavailable(f"there is no database at {config.database['NAME']}")
    check_keys()  # 1
    if folder.exists():
        raise Conflict(f"{folder} is there already; name a new folder")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        target = _database_into(unfinished, config)  # 2
        yield f"{target.name}: {target.stat().st_size} bytes"
        for name in _KEYS:  # 3
            if (config.home / name).is_file():
                _copy(config.home / name, unfinished / name)
                yield name
        _write_sums(unfinished)
        _sync(unfinished)
        unfinished.rename(folder)  # 4
        _sync(folder.absolute().parent)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}") from None


def restore(folder: Path) -> Iterator[str]:
    """Bring a backup back.  Yields what was brought back.

    1. Its files are those that were written.  2. Home and database have to be empty: nothing is
    ever written over.  3. The database and 4. the keys are put in place.  5. The keys have to fit
    the database.  6. Who was signed in then is signed out.

    Raises :class:`Invalid` for what is no whole backup of this kind of database,
    :class:`Conflict` where there is an office already, :class:`Unavailable`.
    """
    config = current()
    source = folder / (_SQLITE if _is_sqlite(config) else _DUMP)
    if not source.is_file():
        raise Invalid(f"holds no {source.name}: was the backup made of another kind of database?",
                      where=str(folder))  # fmt: skip
    _check_sums(folder)  # 1
    there = [name for name in _KEYS if (config.home / name).exists()]  # 2
    if there:
        raise Conflict(f"{config.home} has a {there[0]} already; restore into an empty home")
    try:
        config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _database_from(source, config)  # 3
        yield source.name
        for name in _KEYS:  # 4
            if (folder / name).is_file():
                _copy(folder / name, config.home / name)
                yield name
        _sync(config.home)
    except OSError as error:
        raise Unavailable(f"{config.home} cannot be written: {error.strerror}") from None
    check_keys()  # 5
    count, _ = Session.objects.all().delete()  # 6
    yield f"{count} session(s) ended: everybody signs in again"


def check_keys() -> None:
    """See that the keys at hand are those of the database.

    A file that is kept opens, and the last checkpoint bears the ledger's signature under the
    office's present address.  Raises :class:`Unavailable` saying which does not.
    """
    if not connection.introspection.table_names():
        return
    store.check_key()
    last = latest_checkpoint()
    if last is None:
        return
    key = signing_key().verifier
    try:
        Note.parse(last.note.encode()).signed_by((key,))
    except ClearhouseError:
        raise Unavailable(
            f"the last checkpoint, of {last.size} entries, was not signed with"
            f" {current().ledger_key_file} for {current().host}: another key, or another"
            " CLEARHOUSE_URL"
        ) from None


def _database_into(folder: Path, config: Config) -> Path:
    if not _is_sqlite(config):
        target = folder / _DUMP
        _run("pg_dump", "--format=custom", f"--file={target}", *_where(config.database))
        target.chmod(0o600)
        return target
    target = folder / _SQLITE
    address = f"file:{quote(config.database['NAME'])}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            # In one step, which holds up no writer in WAL mode; several would start over with
            # each change of the source (SQLite, "Online Backup API").
            source.backup(copy, pages=-1)
            [verdict] = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise Unavailable(f"the database cannot be copied: {error}") from None
    if verdict != "ok":
        raise Unavailable(f"the copy of the database is damaged: {verdict}")
    target.chmod(0o600)
    return target


def _database_from(source: Path, config: Config) -> None:
    if not _is_sqlite(config):
        if connection.introspection.table_names():
            raise Conflict("the database has tables already; restore into an empty one")
        _run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges",
             "--single-transaction", *_where(config.database), str(source))  # fmt: skip
        return
    target = Path(config.database["NAME"])
    if target.exists():
        raise Conflict(f"{target} is there already; restore beside it")
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, for the owner only; under its name only when all of it is on the disk."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as read, os.fdopen(handle, "wb") as write:
        shutil.copyfileobj(read, write)
        write.flush()
        os.fsync(write.fileno())
    unfinished.rename(target)


def _sync(folder: Path) -> None:
    """See that what lies in a folder is on the disk under its name."""
    for path in (*folder.iterdir(), folder):
        if path.is_file() or path == folder:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_sums(folder: Path) -> None:
    files = sorted(folder.iterdir())
    text = "".join(f"{_digest(path)}  {path.name}\n" for path in files)
    (folder / _SUMS).write_text(text)


def _check_sums(folder: Path) -> None:
    """Raise :class:`Invalid` where a file was altered or is missing since the backup."""
    try:
        lines = (folder / _SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise Invalid(f"holds no {_SUMS}: it is no whole backup", where=str(folder)) from None
    for line in lines:
        digest, _, name = line.partition("  ")
        found = ""
        with suppress(OSError):
            found = _digest(folder / name)
        if found != digest:
            raise Invalid(f"{name} is not as it was when the backup was made", where=str(folder))


def _is_sqlite(config: Config) -> bool:
    return bool(config.database["ENGINE"].endswith("sqlite3"))


def _where(database: Mapping[str, Any]) -> list[str]:
    found = [f"--dbname={database['NAME']}"]
    found += [f"--host={database['HOST']}"] if database["HOST"] else []
    found += [f"--port={database['PORT']}"] if database["PORT"] else []
    return found + ([f"--username={database['USER']}"] if database["USER"] else [])


def _run(*command: str) -> None:
    database = current().database
    environment = dict(os.environ)
    if database.get("PASSWORD"):
        environment["PGPASSWORD"] = database["PASSWORD"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed (Debian: postgresql-client)") from None
    if done.returncode:
        raise Unavailable(f"{command[0]} failed: {done.stderr.strip()[:500]}")
