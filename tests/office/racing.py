"""Two that do something at once, on the database where they can: each has a connection of its own.

SQLite lets one write after the other, so that there is nothing to race for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
_WAITING = """SELECT count(*) FROM pg_locks
WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"""


@dataclass
class Second:
    """What the second one did: the error that it ended with, or None."""

    errors: list[Exception] = field(default_factory=list)

    @property
    def error(self) -> Exception | None:
        """It, of one at most."""
        return next(iter(self.errors), None)


@contextmanager
def overtaken_by(deed: Callable[[], object]) -> Iterator[Callable[[], Second]]:
    """A transaction in which something is done, and the call that lets ``deed`` start meanwhile.

    The call returns once ``deed`` waits for this transaction, or is over; the block's end commits,
    and waits for the rest of it.
    """
    second = Second()

    def do() -> None:
        try:
            with transaction.atomic():
                deed()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            second.errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=do)

    def start() -> Second:
        thread.start()
        until = time.monotonic() + 5
        while thread.is_alive() and time.monotonic() < until and not _is_waiting():
            time.sleep(0.01)
        return second

    try:
        with transaction.atomic():
            yield start
    finally:
        if thread.ident is not None:
            thread.join(timeout=20)
            assert not thread.is_alive()


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone()[0])
