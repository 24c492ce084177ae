"""Two processes that append at once: one ledger, nothing lost, nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clearhouse.ledger.verify import verify
from clearhouse.office.config import Config
from clearhouse.office.ledgerbook.stores import open_database

EACH = 150
WRITER = """
import sys
from datetime import UTC, datetime
import django
django.setup()
from django.db import transaction
from clearhouse.office.ledgerbook.actions import record, sign_checkpoint
for number in range(int(sys.argv[1])):
    with transaction.atomic():
        record("finding.received", f"F-{number}", {"number": number}, now=datetime.now(UTC))
    if number % 10 == 0:
        sign_checkpoint(now=datetime.now(UTC))
"""
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from clearhouse.office.config import current
current().prepare()
call_command("migrate", "ledgerbook", verbosity=0)
"""
POSTGRESQL = os.environ.get("CLEARHOUSE_TEST_POSTGRESQL", "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_append_to_one_ledger(kind: str, tmp_path: Path) -> None:
    if kind == "postgresql" and not POSTGRESQL:
        pytest.skip("CLEARHOUSE_TEST_POSTGRESQL names no empty database")
    environment = {
        **os.environ,
        "CLEARHOUSE_HOME": str(tmp_path),
        "CLEARHOUSE_DATABASE": POSTGRESQL if kind == "postgresql" else "",
        "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
    }
    subprocess.run([sys.executable, "-c", PREPARE], env=environment, check=True)
    writing = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(EACH)], env=environment)
        for _ in range(2)
    ]
    assert [one.wait(timeout=120) for one in writing] == [0, 0]
    with open_database(Config.of(environment).database) as stored:
        result = verify(stored)
    assert result.problems == ()
    assert result.size == 2 * EACH
    assert result.checkpoints >= 2
