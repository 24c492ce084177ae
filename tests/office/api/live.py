"""A whole office on the loopback: its own process, its own database, keys for its guests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

_ROLES: Mapping[str, Sequence[str]] = {"hexfind": ["finder"], "otherlab": ["finder"]}
_GUESTS = """
import json, sys
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from clearhouse.office.orgs.actions.keys import make_api_key
from clearhouse.protocol.roles import Role, Scope
from tests.office.story import somebody
now = timezone.now()
keys = {}
for slug, roles in json.loads(sys.argv[1]).items():
    who = somebody(slug, *(Role(one) for one in roles))
    keys[slug] = make_api_key(who, who.acting_for(), name="a machine", scopes=tuple(Scope),
                              expires_at=now + timedelta(days=1), now=now).text
print(json.dumps(keys))
"""


@dataclass(frozen=True)
class Live:
    """Where the office is, and the keys by the short names of its guests.

    ``environment`` is what its commands are run with, ``process`` the key of its server's process.
    """

    url: str
    keys: dict[str, str]
    environment: Mapping[str, str]
    process: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``clearhouse`` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "clearhouse", *arguments],
            env=dict(self.environment), capture_output=True, text=True, check=False,
        )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def live_office(home: Path, roles: Mapping[str, Sequence[str]] = _ROLES) -> Iterator[Live]:
    """Start an office in ``home`` with guests by short name and roles, and end it."""
    port = _free_port()
    top = Path(__file__).parents[3]
    environment = {
        **os.environ,
        "CLEARHOUSE_HOME": str(home),
        "CLEARHOUSE_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
        "PYTHONPATH": os.pathsep.join([str(top / "src"), str(top)]),
    }
    environment.pop("CLEARHOUSE_DATABASE", None)
    prepare = [sys.executable, "-m", "clearhouse", "office", "prepare"]
    subprocess.run(prepare, env=environment, check=True, capture_output=True)
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _GUESTS, json.dumps(roles)],
        env=environment, cwd=top, check=True, capture_output=True, text=True,
    )  # fmt: skip
    address = f"127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "serve", "--address", address, "--workers", "0"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://{address}/api/openapi.json")
        yield Live(
            f"http://{address}", json.loads(made.stdout.splitlines()[-1]), environment, server.pid
        )
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            if requests.get(url, timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
