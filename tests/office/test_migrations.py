"""The tables: made from nothing on both databases, and as the models say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from tests.office.postgresql import Server, postgresql

__all__ = ["postgresql"]

_SOURCE = Path(__file__).parents[2] / "src"
_FROM_NOTHING = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
assert connection.introspection.table_names() == []
call_command("migrate", interactive=False, verbosity=0)
call_command("migrate", check_unapplied=True, verbosity=0)
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=3)
print(connection.vendor, len(connection.introspection.table_names()))
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_make_what_the_models_say_from_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite://{tmp_path}/office.sqlite3"
    if kind == "postgresql":
        url = cast("Server", request.getfixturevalue("postgresql")).new_database()
    environment = os.environ | {
        "PYTHONPATH": str(_SOURCE),
        "CLEARHOUSE_HOME": str(tmp_path),
        "CLEARHOUSE_DATABASE": url,
    }
    done = subprocess.run(
        [sys.executable, "-c", _FROM_NOTHING],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    vendor, tables = done.stdout.split()[-2:]
    assert vendor == kind
    assert int(tables) > 40
