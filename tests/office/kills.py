"""A whole office is killed at random while findings come in; afterwards all of it is counted.

1. ``clearhouse serve`` runs with two web processes and two workers.  2. Four clients hand in
reports and proofs over HTTP, one by one and in bulk; what is not answered they send again, and
some of what was answered as well.  3. Meanwhile processes of the office are killed with SIGKILL:
web processes, workers, those that look after them, and ``serve`` itself, which is then started
again.  4. When all is answered and every job has ended, :mod:`tests.office.kills_judged` says what
was lost and what is there twice.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.office.killed_bundles import bundle_of
from tests.office.orgs.running import free_port
from tests.office.postgresql import Server

ROOT: Final = Path(__file__).parents[2]
_CLIENTS: Final = 4
_LEASE: Final = 5.0
_BULK: Final = 20
_BETWEEN_KILLS: Final = (0.2, 2.2)
_ENDS_SECONDS: Final = 20.0
_REST_SECONDS: Final = 900.0


@dataclass(frozen=True)
class Parcel:
    """One request: what it hands in, by title."""

    path: str
    kind: str
    body: bytes
    titles: tuple[str, ...]


@dataclass
class Run:
    """What happened, and what the clients were told: the names that each title got."""

    told: dict[str, set[str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    handed_in: float = 0.0
    finished: float = 0.0


def parcels(count: int, bundles: int, chance: random.Random) -> list[Parcel]:
    """So many findings: proofs, a third of the reports one by one, the others in bulk."""
    proofs = [f"Proof {n}" for n in range(bundles)]
    reports = [f"Report {n}" for n in range(count - bundles)]
    single = reports[: len(reports) // 3]
    rest = reports[len(single) :]
    made = [Parcel("", "application/zip", bundle_of(one), (one,)) for one in proofs]
    made += [
        Parcel("/report", "application/json", json.dumps(_report(one)).encode(), (one,))
        for one in single
    ]
    for first in range(0, len(rest), _BULK):
        some = tuple(rest[first : first + _BULK])
        lines = "".join(f"{json.dumps(_report(one))}\n" for one in some)
        made.append(Parcel("/bulk", "application/x-ndjson", lines.encode(), some))
    made += chance.sample(made, len(made) // 20)  # what is there already is handed in again
    chance.shuffle(made)
    return made


def _report(title: str) -> dict[str, Any]:
    # Of a kind of package that no registry is asked about.
    return {"title": title, "target": "pkg:generic/example@1.0", "weaknesses": [79]}


class Office:
    """``clearhouse serve`` on a home of its own, with everything that it started."""

    def __init__(self, home: Path, database: str) -> None:
        home.mkdir(exist_ok=True)
        self.port = free_port()
        self.home = home
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
            "CLEARHOUSE_HOME": str(home),
            "CLEARHOUSE_DATABASE": database,
            "CLEARHOUSE_URL": f"http://localhost:{self.port}",
        }
        self.log = home / "served.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lease = _LEASE

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it is not served yet"
        return self._process

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a module of Python to its end."""
        return self._ended(["-m", *arguments], code)

    def python(self, program: str) -> str:
        """Run a program."""
        return self._ended(["-c", program], 0)

    def _ended(self, arguments: list[str], code: int) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Start it; the port may still be held by what was killed."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "clearhouse", "serve", "--address",
                 f"127.0.0.1:{self.port}", "--web", "2", "--workers", "2",
                 "--lease", str(self._lease)],
                env=self.environment, cwd=ROOT, stdout=out, stderr=out,
            )  # fmt: skip

    def stop(self) -> int:
        """Stop it as an operator does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def wait_until_it_answers(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            with suppress(OSError, HTTPException):
                try:
                    urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).close()
                except HTTPError:
                    return
                return
            time.sleep(0.1)
        raise AssertionError("the office does not answer")

    def lookers_after(self) -> list[int]:
        """The two that look after web processes and workers."""
        return children(self.process.pid)

    def descendants(self) -> list[int]:
        """All of them."""
        mine = self.lookers_after()
        return mine + [one for parent in mine for one in children(parent)]


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_web(pid: int) -> bool:
    try:
        return "granian" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def is_there(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Killer(threading.Thread):
    """Kills one process after the other, until told to end and enough were hit."""

    def __init__(
        self, office: Office, run: Run, kills: int, chance: random.Random, server: Server | None
    ) -> None:
        super().__init__(name="killer")
        self._office, self._run_of, self._least, self._chance = office, run, kills, chance
        self._server = server
        self.is_over = threading.Event()
        self.problem: str | None = None

    def run(self) -> None:
        """Kill."""
        try:
            while not self.is_over.is_set() or self._run_of.kills.total() < self._least:
                time.sleep(self._chance.uniform(*_BETWEEN_KILLS))
                self._one()
        except AssertionError as error:
            self.problem = str(error)

    def _one(self) -> None:
        kills = self._run_of.kills
        if self._server is not None and self._chance.random() < 0.03:
            self._server.restart()
            kills["database"] += 1
            return
        if self._chance.random() < 0.06:
            self._serve_itself()
            return
        lookers = self._office.lookers_after()
        all_of_them = self._office.descendants()
        # Those at work four times as often as those that look after them.
        chosen = [one for one in all_of_them for _ in range(1 if one in lookers else 4)]
        if not chosen:
            return
        victim = self._chance.choice(chosen)
        role = "web" if _is_web(victim) else "worker"
        what = f"{role} supervisor" if victim in lookers else role
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            kills[what] += 1

    def _serve_itself(self) -> None:
        """What it leaves behind ends, and frees port and database by itself."""
        left = self._office.descendants()
        self._office.process.kill()
        self._office.process.wait()
        self._run_of.kills["serve"] += 1
        self._office.start()
        until = time.monotonic() + _ENDS_SECONDS
        while any(map(is_there, left)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(map(is_there, left)), "serve was killed, and some of it lives on"
        self._office.wait_until_it_answers()


class Clients:
    """Hand parcels in until each has an answer."""

    def __init__(self, office: Office, key: str, run: Run, waiting: list[Parcel]) -> None:
        self._url = f"http://127.0.0.1:{office.port}/api/findings"
        self._key, self._run_of, self._waiting = key, run, waiting
        self._lock = threading.Lock()

    def work(self, seed: int, pause: float) -> None:
        """Be one of them."""
        chance = random.Random(seed)
        while True:
            with self._lock:
                if not self._waiting:
                    return
                parcel = self._waiting.pop()
            while (named := self._answered(parcel)) is None:
                time.sleep(chance.uniform(0.05, 0.4))
            with self._lock:
                for title, name in named.items():
                    self._run_of.told.setdefault(title, set()).add(name)
            time.sleep(chance.uniform(0, 2 * pause))

    def _answered(self, parcel: Parcel) -> Mapping[str, str] | None:
        """The names that a whole answer gives; None where it has to be sent again."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": parcel.kind}
        request = Request(self._url + parcel.path, parcel.body, headers, method="POST")
        try:
            with urlopen(request, timeout=30) as response:
                lines = response.read().decode().splitlines()
        except HTTPError as error:
            self._not_taken(parcel, error)
            return None
        except (OSError, HTTPException):
            self._count("no answer")
            return None
        found = [json.loads(line) for line in lines]
        if len(found) != len(parcel.titles) or any("name" not in one for one in found):
            with self._lock:
                self._run_of.wrong.append(f"answer of {parcel.path}: {lines[0][:300]}")
        return {title: one["name"] for title, one in zip(parcel.titles, found, strict=False)}

    def _not_taken(self, parcel: Parcel, error: HTTPError) -> None:
        self._count(str(error.code))
        if error.code == 429:
            time.sleep(float(error.headers.get("Retry-After", "1")))
        elif error.code not in (502, 503, 504):
            with self._lock:
                text = error.read()[:500].decode(errors="replace")
                self._run_of.wrong.append(f"{error.code} for {parcel.path or 'a bundle'}: {text}")
            time.sleep(1)

    def _count(self, what: str) -> None:
        with self._lock:
            self._run_of.unanswered[what] += 1


@contextmanager
def served(home: Path, database: str) -> Iterator[Office]:
    """An office that is served, and ended whatever happens."""
    office = Office(home, database)
    office.run("clearhouse", "office", "prepare")
    office.start()
    try:
        office.wait_until_it_answers()
        yield office
    finally:
        left = office.descendants()
        office.process.kill()
        office.process.wait()
        for one in left:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)


def run_kills(
    office: Office,
    *,
    count: int,
    bundles: int,
    kills: int,
    seed: int,
    server: Server | None,
    pause: float,
) -> Run:
    """Hand in ``count`` findings through at least ``kills`` kills, and let every job end.

    ``pause`` is what a client waits between two requests on average, so that kills fall between.
    """
    chance = random.Random(seed)
    run = Run()
    clients = Clients(
        office, office.run("tests.office.kept", "finder").strip(), run,
        parcels(count, bundles, chance),
    )  # fmt: skip
    began = time.monotonic()
    killer = Killer(office, run, kills, chance, server)
    killer.start()
    threads = [
        threading.Thread(target=clients.work, args=(seed + n, pause)) for n in range(_CLIENTS)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    run.handed_in = time.monotonic() - began
    killer.is_over.set()
    killer.join()
    assert killer.problem is None, killer.problem
    until = time.monotonic() + _REST_SECONDS
    while int(office.run("tests.office.kept", "open")) and time.monotonic() < until:
        time.sleep(0.5)
    run.finished = time.monotonic() - began
    return run
