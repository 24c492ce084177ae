"""Backups: the database as it is at one instant, and the keys without which it is not readable."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from clearhouse.errors import Conflict, Invalid, Unavailable
from clearhouse.office.config import Config, current

_SQLITE: Final = "database.sqlite3"
_DUMP: Final = "database.dump"
_KEYS: Final = ("secret-key", "ledger-key", "seal-key", "openpgp-key.asc")


def back_up(folder: Path) -> Iterator[str]:
    """Copy everything into a folder that is not there yet.  Yields what was copied.

    SQLite copies page by page beside writers (its backup interface), PostgreSQL by pg_dump in one
    snapshot.  Raises :class:`Conflict` for a folder that exists, :class:`Unavailable`.
    """
    config = current()
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise Conflict(f"{folder} is there already; name a new folder") from None
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error.strerror}") from None
    if _is_sqlite(config):
        target = folder / _SQLITE
        with (
            closing(sqlite3.connect(config.database["NAME"])) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy, pages=4096)
    else:
        target = folder / _DUMP
        _run("pg_dump", "--format=custom", f"--file={target}", *_where(config.database))
    target.chmod(0o600)
    yield f"{target.name}: {target.stat().st_size} bytes"
    for name in _KEYS:
        source_file = config.home / name
        if source_file.is_file():
            shutil.copyfile(source_file, folder / name)
            (folder / name).chmod(0o600)
            yield name


def restore(folder: Path) -> Iterator[str]:
    """Bring a backup back.  Yields what was brought back.

    Raises :class:`Conflict` where there is an office already: nothing is ever written over.
    """
    config = current()
    is_sqlite = _is_sqlite(config)
    source = folder / (_SQLITE if is_sqlite else _DUMP)
    if not source.is_file():
        raise Invalid(f"holds no {source.name}: was the backup made of another kind of database?",
                      where=str(folder))  # fmt: skip
    there = [name for name in _KEYS if (config.home / name).exists()]
    if there:
        raise Conflict(f"{config.home} has a {there[0]} already; restore into an empty home")
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if is_sqlite:
        target = Path(config.database["NAME"])
        if target.exists():
            raise Conflict(f"{target} is there already; restore beside it")
        shutil.copyfile(source, target)
        target.chmod(0o600)
    else:
        _run("pg_restore", "--exit-on-error", "--no-owner", "--single-transaction",
             *_where(config.database), str(source))  # fmt: skip
    yield source.name
    for name in _KEYS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, config.home / name)
            (config.home / name).chmod(0o600)
            yield name


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
