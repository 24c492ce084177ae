"""How many trivial jobs a second the office's queue does, next to django-tasks-db.

A rate is taken from the jobs' own times, first start to last end, so that the start of Python is
left out for both. Both run on the same settings: SQLite in WAL mode with synchronous=FULL,
PostgreSQL as it comes, both with every effect on the disk before a job is called done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.office.postgresql import Missing, running_server

ROOT = Path(__file__).resolve().parent.parent
_JOBS = 2_000
_PEER_JOBS = 600
_WORKERS = (1, 2, 4)
_KIND = "benchmark.trivial"
_PEER = ("django-tasks-db", "django-tasks", "django>=5.2,<5.3", "psycopg[binary]")

#: The whole of the peer's project; its database is handed in as ours is, with the same settings.
_PEER_PROJECT = """
import sys, time
from django.conf import settings
from clearhouse.office.config import current

settings.configure(
    DATABASES={"default": dict(current().database)}, USE_TZ=True, SECRET_KEY="-",
    INSTALLED_APPS=["django_tasks", "django_tasks_db"],
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
)
import django
django.setup()
from django.core.management import call_command
from django_tasks import task

@task()
def trivial():
    pass

if __name__ == "__main__":
    sys.modules["peer"] = sys.modules["__main__"]
    trivial.func.__module__ = "peer"
    from django_tasks_db.models import DBTaskResult
    if sys.argv[1] == "put":
        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        for _ in range(int(sys.argv[2])):
            trivial.enqueue()
        print(int(sys.argv[2]) / (time.perf_counter() - began))
    elif sys.argv[1] == "work":
        call_command("db_worker", batch=True, verbosity=0, startup_delay=False)
    else:
        done = DBTaskResult.objects.filter(status="SUCCESSFUL")
        began = done.order_by("started_at").first().started_at
        ended = done.order_by("-finished_at").first().finished_at
        print(done.count() / (ended - began).total_seconds())
"""


@dataclass(frozen=True)
class Contender:
    """A queue as commands: ``put COUNT`` and ``rate`` print a rate, ``work`` does all jobs."""

    name: str
    command: Sequence[str]
    jobs: int
    folder: Path

    def run(self, url: str, *arguments: str) -> float:
        """Run one command to its end."""
        process = self.start(url, *arguments)
        out, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{self.name} {arguments[0]}: {errors.strip()[-400:]}")
        return float(out or 0)

    def start(self, url: str, *arguments: str) -> subprocess.Popen[str]:
        """Start one command."""
        environment = {
            **os.environ,
            "CLEARHOUSE_DATABASE": url,
            "CLEARHOUSE_HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        }
        return subprocess.Popen(
            [*self.command, *arguments],
            env=environment,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def measure(self, url: str, workers: int) -> tuple[float, float]:
        """Jobs put in and jobs done, both in a second."""
        put = self.run(url, "put", str(self.jobs))
        processes = [self.start(url, "work") for _ in range(workers)]
        for process in processes:
            _, errors = process.communicate()
            if process.returncode:
                raise RuntimeError(f"{self.name}: {errors.strip()[-400:]}")
        return put, self.run(url, "rate")


def table() -> Iterator[str]:
    """Markdown lines."""
    yield "| queue | database | put in, one by one | 1 worker | 2 workers | 4 workers |"
    yield "| --- | --- | --- | --- | --- | --- |"
    notes = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        own = Contender("clearhouse", [sys.executable, "-m", "benchmarks.queue"], _JOBS, folder)
        contenders = [own]
        try:
            contenders.append(_peer(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            notes.append(f"{_PEER[0]}: not measured, it could not be installed ({error})")
        try:
            server = stack.enter_context(running_server())
        except Missing as missing:
            server = None
            notes.append(f"PostgreSQL: not measured, {missing}")
        for contender in contenders:
            for name in ("SQLite", "PostgreSQL") if server else ("SQLite",):
                puts, rates = [], []
                for workers in _WORKERS:
                    if name == "PostgreSQL" and server:
                        url = server.new_database()
                    else:
                        url = f"sqlite://{folder}/{contender.name}-{workers}.sqlite3"
                    put, rate = contender.measure(url, workers)
                    puts.append(put)
                    rates.append(rate)
                cells = " | ".join(f"{rate:.0f}/s" for rate in (max(puts), *rates))
                yield f"| {contender.name} | {name} | {cells} |"
    for note in notes:
        yield ""
        yield note


def _peer(folder: Path) -> Contender:
    """The peer in an environment of its own, removed with the folder."""
    venv = folder / "peer-venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    python = str(venv / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PEER],
        check=True,
        capture_output=True,
    )
    (folder / "peer.py").write_text(_PEER_PROJECT)
    return Contender(_PEER[0], [python, str(folder / "peer.py")], _PEER_JOBS, folder)


def _main(arguments: Sequence[str]) -> None:
    """The commands of our own queue."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
    django.setup()
    from django.core.management import call_command
    from django.db.models import Max, Min

    from clearhouse.office.queue import actions, handlers
    from clearhouse.office.queue.models import Job
    from clearhouse.office.queue.worker import Worker

    @handlers.handler(_KIND)
    class Trivial(handlers.Handler[None]):
        """Does nothing, as the peer's does."""

        def run(self, payload: handlers.Payload, progress: handlers.Progress) -> None:
            """Nothing."""

        def store(self, payload: handlers.Payload, result: None, now: datetime) -> None:
            """Nothing."""

    match arguments:
        case ["put", count]:
            call_command("migrate", verbosity=0)
            began = time.perf_counter()
            for number in range(int(count)):
                now = datetime.now(UTC)
                actions.enqueue(_KIND, {}, lane=f"lane-{number % 5}", key=f"k{number}", now=now)
            print(int(count) / (time.perf_counter() - began))
        case ["work"]:
            Worker(kinds=[_KIND]).drain()
        case ["rate"]:
            done = Job.objects.filter(kind=_KIND, state=Job.State.DONE)
            span = done.aggregate(began=Min("started_at"), ended=Max("ended_at"))
            print(done.count() / (span["ended"] - span["began"]).total_seconds())
        case _:
            for line in table():
                print(line, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
