"""What is publicly known, held still while somebody looks at it, or while it changes.

Whoever matches a system sees neither the packages that another transaction installs nor the records
that it takes in: two that overlap would each miss the other's half.  So either many match, or one
takes in.  It comes before the organisation, the system and the ledger.  SQLite has one writer, and
needs none of it.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

_KEY: Final = 0x66656564
"""The number of PostgreSQL's advisory lock: no other is used here."""


def hold_still() -> None:
    """Let nothing be taken in until the transaction ends; others may look as well."""
    _hold("pg_advisory_xact_lock_shared")


def hold_alone() -> None:
    """Let nobody match, or take something in, until the transaction ends."""
    _hold("pg_advisory_xact_lock")


def _hold(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_KEY])
