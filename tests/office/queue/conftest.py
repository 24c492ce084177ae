"""Offices of other processes: a database of each kind, and ``clearhouse`` run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.office.postgresql import Server, postgresql

__all__ = ["postgresql"]

_ROOT = Path(__file__).parents[3]


@dataclass
class Office:
    """A database and the processes that work on it."""

    environment: dict[str, str]
    server: Server | None
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of ``tests.office.queue.effects``."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.office.queue.effects", *arguments],
            env=self.environment,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Run one to its end."""
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return out

    def put(self, count: int, **payload: Any) -> None:
        self.run("put", str(count), json.dumps(payload))

    def report(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.run("report")))


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    server: Server | None = None
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path}/office.sqlite3"
    else:
        server = cast("Server", request.getfixturevalue("postgresql"))
        url = server.new_database()
    environment = {**os.environ, "CLEARHOUSE_DATABASE": url, "CLEARHOUSE_HOME": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
    made = Office(environment, server)
    yield made
    for process in made.processes:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()
