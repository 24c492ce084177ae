"""A whole office killed at random: nothing that was accepted is lost, nothing is there twice.

The longer run of docs/reliability.md is ``python -m benchmarks.reliability``.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import cast

import pytest

from clearhouse.proof.sandbox.gate import require_checked_sandbox
from tests.office.kills import is_there, run_kills, served
from tests.office.kills_judged import problems
from tests.office.postgresql import Server, postgresql

__all__ = ["postgresql"]

pytestmark = pytest.mark.slow


@pytest.mark.sandbox
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_accepted_is_lost_and_nothing_is_there_twice(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require_checked_sandbox()
    server: Server | None = None
    if database == "postgresql":
        server = cast("Server", request.getfixturevalue("postgresql"))
    with served(tmp_path, server.new_database() if server else "") as office:
        run = run_kills(
            office, count=200, bundles=4, kills=12, seed=8600, server=server, pause=0.05
        )
        assert run.kills.total() >= 12
        assert office.stop() == 0
        kept = json.loads(office.run("tests.office.kept", "report"))
        assert problems(run, kept) == []
        assert len(kept["findings"]) == 200
        assert "everything fits" in office.run("clearhouse", "ledger", "verify")
        assert "Traceback" not in office.log.read_text()


def test_nothing_of_an_office_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    with served(tmp_path, "") as office:
        left = office.descendants()
        assert len(left) == 6, "two that look after two each"
        office.process.kill()
        office.process.wait()
        until = time.monotonic() + 30
        while any(map(is_there, left)) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(map(is_there, left))


def test_a_second_office_on_the_same_home_or_port_is_refused(tmp_path: Path) -> None:
    with served(tmp_path / "one", "") as office:
        address = f"127.0.0.1:{office.port}"
        office.run("clearhouse", "serve", "--address", "127.0.0.1:1", code=1)
        office.environment["CLEARHOUSE_HOME"] = str(tmp_path / "two")
        office.run("clearhouse", "serve", "--address", address, code=3)
        assert office.process.poll() is None


def test_a_process_that_has_the_number_of_one_that_served_is_left_alone(tmp_path: Path) -> None:
    with served(tmp_path, "") as office:
        assert office.stop() == 0
        (tmp_path / "serve.pid").write_text(str(os.getpid()))
        office.run("clearhouse", "serve", "--stop")  # told to stop, this test would end here
        office.start()
        office.wait_until_it_answers()
