"""How long the server takes for each page of a full office, for each kind of viewer.

``CLEARHOUSE_BENCH_FINDINGS`` is how many findings the office has.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

FINDINGS: Final = int(os.environ.get("CLEARHOUSE_BENCH_FINDINGS", "100000"))
_RUNS: Final = 20
_VIEWERS: Final = ("office", "finder", "supplier", "deployer", "public")

#: Who looks at what; a name in braces is one of the seed's.
_PAGES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("/", ("office", "finder", "supplier", "deployer", "public")),
    ("/queue/", ("office",)),
    ("/cases/", ("office", "finder", "supplier", "deployer")),
    ("/cases/?q={package}", ("office", "supplier")),
    ("/cases/{big_case}/", ("office", "finder", "supplier", "deployer")),
    ("/findings/", ("office", "finder")),
    ("/findings/?state=proven", ("office", "finder")),
    ("/findings/?text={package}", ("office", "finder")),
    ("/findings/?text=no+such+words", ("office", "finder")),
    ("/findings/{finding}/", ("office", "finder", "supplier")),
    ("/advisories/", ("office", "public")),
    ("/advisories/?q=library-17", ("public",)),
    ("/oversight/", ("office", "public")),
    ("/ledger/", ("public",)),
    ("/api/findings", ("office", "finder")),
    ("/api/findings?q={package}", ("finder",)),
    ("/api/findings/counts", ("office", "finder")),
    ("/api/cases", ("office", "supplier")),
    ("/api/queue", ("office",)),
)


@dataclass(frozen=True)
class Timed:
    """What a page took: seconds, queries, bytes."""

    page: str
    viewer: str
    median: float
    p95: float
    queries: int
    size: int


def table() -> Iterator[str]:
    """Markdown lines, from a process with an office of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        environment = {
            **os.environ,
            "CLEARHOUSE_DATABASE": "",
            "CLEARHOUSE_HOME": folder,
            "CLEARHOUSE_SECOND_FACTOR": "optional",
        }
        command = [sys.executable, "-m", "benchmarks.office_pages"]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    yield from done.stdout.splitlines()


def main() -> None:
    """Fill the office that the environment names, and print what its pages take."""
    from clearhouse.cli.django_setup import migrate, set_up

    set_up()
    migrate()
    from benchmarks.office_seed import Seed
    from clearhouse.office.oversight.actions import follow

    names = Seed(findings=FINDINGS).fill()
    while follow(timezone.now()):
        pass
    print("| page | viewer | median | 95 % | queries | HTML |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in timings(names):
        print(
            f"| {one.page} | {one.viewer} | {one.median * 1000:.0f} ms | {one.p95 * 1000:.0f} ms"
            f" | {one.queries} | {one.size / 1000:.0f} kB |"
        )


def timings(names: Mapping[str, str], *, only: str = "") -> Iterator[Timed]:
    """Ask for each page as each viewer, twenty times after a first one."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    clients = {who: _client(who, names) for who in _VIEWERS}
    for pattern, viewers in _PAGES:
        page = pattern.format(**names)
        if only not in page:
            continue
        for viewer in viewers:
            client = clients[viewer]
            with CaptureQueriesContext(connection) as asked:
                first = client.get(page)
                queries = len(connection.queries) - asked.initial_queries
            if first.status_code != 200:
                raise RuntimeError(f"{page} answers {viewer} with {first.status_code}")
            taken = sorted(_time(client, page) for _ in range(_RUNS))
            yield Timed(
                pattern, viewer, statistics.median(taken), taken[-2], queries, len(first.content)
            )


def _client(who: str, names: Mapping[str, str]) -> Client:
    client = Client()
    if who != "public":
        mail = "cora@example.org" if who == "office" else f"ada@{names[who]}.example"
        client.force_login(
            get_user_model().objects.get(email=mail),
            "allauth.account.auth_backends.AuthenticationBackend",
        )
    return client


def _time(client: Client, page: str) -> float:
    began = time.perf_counter()
    client.get(page)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
