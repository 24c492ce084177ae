"""How a transaction is committed when its loss would cost nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def forgettable() -> Iterator[None]:
    """A transaction that a power cut may undo, and that therefore waits for no disk.

    Giving out a job and renewing its lease are of this kind: undone, the job waits again, which
    is true.  A process killed at any moment undoes nothing.  Inside another transaction it is a
    part of that one.

    SQLite, "PRAGMA synchronous": in WAL mode NORMAL keeps the database consistent.  PostgreSQL,
    "Asynchronous Commit": synchronous_commit may be set for one transaction.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                with transaction.atomic():
                    yield
            finally:
                cursor.execute("PRAGMA synchronous=FULL")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
            yield
