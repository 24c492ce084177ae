"""Several processes of one office at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office.orgs.running import PASSWORD, Office, office

pytestmark = pytest.mark.slow

_OPEN = f"""
import time
from datetime import UTC, datetime
from pathlib import Path
from clearhouse.errors import NotFound
from clearhouse.office.orgs.actions import create_first_coordinator
while not Path("GO").exists():
    time.sleep(0.001)
try:
    create_first_coordinator(
        organisation="Office NUMBER", name="Ada", email="aNUMBER@example.org",
        password={PASSWORD!r}, now=datetime.now(UTC),
    )
    print("opened")
except NotFound:
    print("not found")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return office(tmp_path_factory.mktemp("home"))


def test_of_those_who_open_the_office_at_once_one_does(running: Office, tmp_path: Path) -> None:
    go = tmp_path / "go"
    program = _OPEN.replace("GO", str(go))
    processes = [running.start(program.replace("NUMBER", str(n))) for n in range(5)]
    go.touch()
    answers = [process.communicate(timeout=120)[0].strip() for process in processes]
    assert sorted(answers) == ["not found"] * 4 + ["opened"]
    count = "from clearhouse.office.orgs.models import *\nprint(User.objects.count())"
    assert running.run(count) == "1"


def test_what_one_process_counts_all_of_them_know(running: Office) -> None:
    running.run(
        "from django.core.cache import cache\ncache.set('failures', 3, 60)\ncache.add('lock', 1)"
    )
    seen = running.run(
        "from django.core.cache import cache\nprint(cache.get('failures'), cache.add('lock', 1))"
    )
    assert seen == "3 False"
