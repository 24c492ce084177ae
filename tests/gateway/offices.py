"""A real office with a real gateway in front of a real endpoint, each in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]

#: Organisations, an endpoint, and a grant; the numbers come on the command line.
_ISSUE = """
import json, sys
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from clearhouse.office.access import actions
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.protocol.grants import Amounts, Call, Rates
from clearhouse.protocol.prices import Price
asked = json.loads(sys.argv[1])
now = timezone.now()
lab, _ = Organisation.objects.get_or_create(slug="lab", defaults={"name": "Lab"})
Organisation.objects.get_or_create(slug="tester", defaults={"name": "Tester"})
ada = User.objects.filter(email="ada@lab.example").first()
if ada is None:
    ada = User.objects.create_user("ada@lab.example", name="Ada")
    Membership.objects.create(user=ada, organisation=lab, is_manager=True)
developer = viewer_of(ada, lab.pk)
terms = actions.Terms(asked["address"], "sk-developers-own-0123456789",
                      {"m": Price(1_000_000, 2_000_000, 1000)})
endpoint = actions.open_endpoint(developer, lab.pk, terms, now=now)
made = actions.issue(
    developer, endpoint.name, party="tester", window="W-1", start=now, end=now + timedelta(days=1),
    models=["m"], calls=list(Call), budget=Amounts(*asked["budget"]),
    rates=Rates(10**9, 10**12, 10**6), networks=["127.0.0.0/8"], now=now)
print(json.dumps([made.grant.name, made.token]))
"""
_REVOKE = """
import sys, time
import django
django.setup()
from django.utils import timezone
from clearhouse.office.access import actions
from clearhouse.office.viewer import SYSTEM
sys.stdin.readline()
actions.revoke(SYSTEM, sys.argv[1], now=timezone.now())
print("revoked", time.time(), flush=True)
"""
_STATE = """
import json
import django
django.setup()
from clearhouse.office.access.models import AccessGrant, AccessUse, GatewayJournal, Loan
from clearhouse.office.ledgerbook.cross_checks import contradictions
print(json.dumps({
    "uses": list(AccessUse.objects.values_list("request_digest", "outcome")),
    "spent": list(AccessGrant.objects.values_list("spent_requests", "spent_tokens")),
    "open": GatewayJournal.objects.filter(closed_at=None).count(),
    "loans": list(Loan.objects.values_list("requests", "journal__closed_at")),
    "contradictions": [str(one) for one in contradictions()],
}, default=str))
"""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RealGateway:
    """``clearhouse gateway serve`` on a home of its own."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
            "CLEARHOUSE_HOME": str(self.home),
        }

    def python(self, program: str, *arguments: str) -> str:
        """Run a program in the office."""
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, processes: int) -> None:
        """Serve, and wait until it answers."""
        command = ["-m", "clearhouse", "gateway", "serve", "--address", f"127.0.0.1:{self.port}"]
        with (self.home / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "--processes", str(processes)],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            assert self.process.poll() is None, (self.home / "gateway.log").read_text()
            try:
                with urlopen(f"{self.url}/health", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        while len(self.pids()) < processes:
            time.sleep(0.1)

    def pids(self) -> list[int]:
        """The gateway processes."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(one) for one in children.read_text().split()]

    def issue(self, address: str, budget: tuple[int, int, int]) -> tuple[str, str]:
        """An endpoint and a grant on it: its name and its token."""
        asked = json.dumps({"address": address, "budget": budget})
        name, token = json.loads(self.python(_ISSUE, asked))
        return name, token

    def revoking(self, grant: str) -> subprocess.Popen[str]:
        """A process that revokes a grant when it is sent a line."""
        return subprocess.Popen(
            [sys.executable, "-c", _REVOKE, grant],
            env=self.environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """What the office has."""
        found: dict[str, Any] = json.loads(self.python(_STATE))
        return found

    def stop(self) -> None:
        """Stop as whoever runs it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


@contextmanager
def real_gateway(home: Path) -> Iterator[RealGateway]:
    """An office with tables and without a gateway yet."""
    home.mkdir(parents=True, exist_ok=True)
    made = RealGateway(home)
    done = subprocess.run(
        [sys.executable, "-m", "clearhouse", "office", "manage", "migrate", "-v", "0"],
        env=made.environment, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    try:
        yield made
    finally:
        made.stop()
