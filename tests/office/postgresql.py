"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, for a while.

``python -m tests.office.postgresql COMMAND...`` runs a command with ``CLEARHOUSE_DATABASE`` set to
a new database on such a server; it exits with 77, as skipped, where PostgreSQL is missing.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

_SKIPPED = 77
#: Names under which a system keeps an account that may own a server when root may not.
_ACCOUNTS = ("postgres", "nobody")


class Missing(Exception):
    """There is no PostgreSQL server to start on this machine."""


@dataclass(frozen=True)
class Server:
    """A running server, whose socket lies in ``folder``."""

    binaries: Path
    folder: Path
    account: str | None

    def url(self, name: str) -> str:
        """The address of a database on it, as ``CLEARHOUSE_DATABASE`` takes it."""
        user = quote(self.account or pwd.getpwuid(os.geteuid()).pw_name)
        return f"postgresql://{user}@/{name}?host={quote(str(self.folder))}"

    def new_database(self) -> str:
        """The address of an empty database."""
        name = f"office_{secrets.token_hex(4)}"
        self.run("createdb", "-h", str(self.folder), name)
        return self.url(name)

    def restart(self) -> None:
        """Stop at once, as in a crash, and start again."""
        self._control("-m", "immediate", "restart")

    def start_again(self) -> None:
        """Start it after a stop."""
        self._control("start")

    def start(self) -> None:
        """Start a server in the folder."""
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._control("start")

    def stop(self) -> None:
        """Stop without waiting for those connected."""
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60",
                 "-l", str(self.folder / "log"), "-o", options, *arguments)  # fmt: skip

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the account that owns the server."""
        prefix = ["runuser", "-u", self.account, "--"] if self.account else []
        done = subprocess.run(
            [*prefix, str(self.binaries / program), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server, removed at the end.  Raises :class:`Missing`."""
    binaries = _binaries()
    account = _account()
    # A socket's path has 107 characters at most: no folder of pytest's, they are long.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if account:
            shutil.chown(folder, account)
        server = Server(binaries, folder, account)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for the tests of one process; skips where PostgreSQL is missing."""
    try:
        with running_server() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))


def _binaries() -> Path:
    """The folder with ``initdb``: from pg_config's path, the search path, or Debian's place."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        raise Missing("PostgreSQL's initdb is not on this machine (Debian: apt install postgresql)")
    return newest.parent


def _account() -> str | None:
    """Who owns the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    for name in _ACCOUNTS:
        if name in names and shutil.which("runuser"):
            return name
    raise Missing("PostgreSQL does not run as root, and there is no other account to run it as")


def main(command: Sequence[str]) -> int:
    """Run a command with a database of its own."""
    try:
        with running_server() as server:
            environment = {**os.environ, "CLEARHOUSE_DATABASE": server.new_database()}
            return subprocess.run(list(command), env=environment, check=False).returncode
    except Missing as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return _SKIPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
