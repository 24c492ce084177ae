"""How fast findings come in over HTTP, with the memory of the server that takes them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from tests.office.postgresql import Missing, running_server

ROOT: Final = Path(__file__).resolve().parent.parent
_FINDINGS: Final = 10_000
_KEY: Final = """
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from clearhouse.office.orgs.actions.keys import make_api_key
from clearhouse.protocol.roles import Role, Scope
from tests.office.story import somebody
now = timezone.now()
who = somebody("finder", Role.FINDER)
print(make_api_key(who, who.acting_for(), name="a machine", scopes=tuple(Scope),
                   expires_at=now + timedelta(days=1), now=now).text)
"""


def table() -> Iterator[str]:
    """Markdown lines."""
    yield "| database | findings | wall | a second | server's CPU | server's peak memory |"
    yield "| --- | --- | --- | --- | --- | --- |"
    body = b"".join(_line(number) for number in range(_FINDINGS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        yield _row("SQLite", _measure(f"sqlite://{folder}/office.sqlite3", folder, body))
        try:
            server = stack.enter_context(running_server())
        except Missing as missing:
            yield f"| PostgreSQL | not measured: {missing} | | | | |"
            return
        yield _row("PostgreSQL", _measure(server.new_database(), folder, body))


def _line(number: int) -> bytes:
    """A report as a scanner writes it: 900 bytes."""
    report = {
        "title": f"Possible denial of service in decode_{number}",
        "description": f"The function decode_{number} does not check its input. " * 12,
        "target": f"pkg:pypi/library-{number % 600}@1.{number % 30}",
        "weaknesses": ["CWE-400"],
        "locations": [{"file": "library/decode.py", "function": f"decode_{number}", "line": 7}],
        "found_by": {"name": "Floodgate", "version": "3.1"},
    }
    return json.dumps(report).encode() + b"\n"


@dataclass(frozen=True)
class Taken:
    """Seconds from the first byte sent to the last answer, the server's seconds and KiB."""

    wall: float
    cpu: float
    peak: int


def _row(name: str, found: Taken) -> str:
    rate = f"{_FINDINGS / found.wall:,.0f}"
    return (
        f"| {name} | {_FINDINGS:,} | {found.wall:.1f} s | {rate} | {found.cpu:.1f} s"
        f" | {found.peak / 1024:.0f} MiB |"
    )


def _measure(database: str, home: Path, body: bytes) -> Taken:
    """A server of its own, and one request with everything."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    environment = {
        **os.environ,
        "CLEARHOUSE_DATABASE": database,
        "CLEARHOUSE_HOME": str(home),
        "CLEARHOUSE_URL": f"http://{address}",
        "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    clearhouse = [sys.executable, "-m", "clearhouse"]
    subprocess.run(
        [*clearhouse, "office", "prepare"], env=environment, check=True, capture_output=True
    )
    made = subprocess.run(
        [sys.executable, "-c", _KEY], env=environment, check=True, capture_output=True, text=True
    )
    server = subprocess.Popen(
        [*clearhouse, "serve", "--address", address, "--workers", "0"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    headers = {
        "Authorization": f"Bearer {made.stdout.split()[-1]}",
        "Content-Type": "application/x-ndjson",
    }
    try:
        _wait_for(f"http://{address}/api/openapi.json")
        before = _cpu(server.pid)
        began = time.perf_counter()
        answer = requests.post(
            f"http://{address}/api/findings/bulk", data=body, headers=headers, timeout=600
        )
        wall = time.perf_counter() - began
        answer.raise_for_status()
        taken = sum(json.loads(line)["status"] == "accepted" for line in answer.text.splitlines())
        if taken != _FINDINGS:
            raise RuntimeError(f"{taken} of {_FINDINGS} were accepted: {answer.text[:300]}")
        most = max(_peak(one) for one in _family(server.pid))
        return Taken(wall, _cpu(server.pid) - before, most)
    finally:
        server.terminate()
        server.wait(30)


def _family(pid: int) -> list[int]:
    """A process and all that came of it, started by whichever of its threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(one) for task in tasks for one in task.read_text().split()]
    return [pid, *(one for child in children for one in _family(child))]


def _cpu(pid: int) -> float:
    """Seconds that a process and all that came of it have computed."""
    found = 0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            if requests.get(url, timeout=20).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")
