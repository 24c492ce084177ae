"""A whole office in processes of its own: a home, a database in a file, a server on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "correct horse battery staple"
_SERVER = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from clearhouse.office.wsgi import application
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
make_server("127.0.0.1", int(sys.argv[1]), application, Server, WSGIRequestHandler).serve_forever()
"""


@dataclass(frozen=True)
class Office:
    """``url`` names the loopback as passkeys need it: by a name."""

    environment: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, program: str) -> subprocess.Popen[str]:
        """Run Python with Django set up."""
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", f"import django; django.setup()\n{program}"],
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str) -> str:
        """What it prints."""
        process = self.start(program)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out.strip()

    @contextmanager
    def served(self) -> Iterator[Path]:
        """Serve it; gives the file of what the server says."""
        log = Path(self.environment["CLEARHOUSE_HOME"]) / "server.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _SERVER, str(self.port)],
                env=dict(self.environment),
                stdout=out,
                stderr=out,
            )
            try:
                _wait(self.port, process)
                yield log
            finally:
                process.terminate()
                process.wait()


def office(home: Path, **given: str) -> Office:
    """An office with its tables, and nobody in it; ``given`` are variables of its environment."""
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    made = Office(
        {
            **kept,
            "DJANGO_SETTINGS_MODULE": "clearhouse.office.settings",
            "CLEARHOUSE_HOME": str(home),
            "CLEARHOUSE_URL": f"http://localhost:{port}",
            **{f"CLEARHOUSE_{name}": value for name, value in given.items()},
        },
        port,
    )
    made.run(
        "from clearhouse.office.config import current\n"
        "current().prepare()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)"
    )
    return made


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")
