"""``clearhouse serve``: the office, with its workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import click

from clearhouse.errors import Conflict, Invalid, Unavailable

_PID: Final = "serve.pid"
_LOG: Final = "serve.log"
_WAIT_SECONDS: Final = 60
_STOP_SECONDS: Final = 30
_LAST_PORT: Final = 65_535


@click.command("serve")
@click.option(
    "--address",
    default="127.0.0.1:8600",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; a proxy that does TLS stands before anything but this machine.",
)
@click.option(
    "--web", type=click.IntRange(1, 64), default=1, show_default=True, help="Web processes."
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    default=1,
    show_default=True,
    help="Processes that do jobs; 0 where other machines do them.",
)
@click.option("--background", is_flag=True, help="Go to the background once it answers.")
@click.option("--stop", is_flag=True, help="Stop the one in the background.")
def serve(*, address: str, web: int, workers: int, background: bool, stop: bool) -> None:
    """Start the office: make its keys and tables where they are not there yet, and serve it."""
    host, port = _parsed(address)
    from clearhouse.office.config import current

    home = current().home
    if stop:
        _stop(home)
        return
    if _running(home) is not None:
        raise Conflict(f"it runs already; 'clearhouse serve --stop' ends it ({home / _PID})")
    _prepare()
    if background:
        _in_background(home, host, port, web, workers)
        return
    (home / _PID).write_text(str(os.getpid()))
    others = [_started(["worker", "--count", str(workers), "--quiet"])] if workers else []
    try:
        click.echo(f"clearhouse: the office is at http://{host}:{port}/", err=True)
        _serve(host, port, web)
    finally:
        (home / _PID).unlink(missing_ok=True)
        for one in others:
            one.terminate()
            with suppress(subprocess.TimeoutExpired):
                one.wait(_STOP_SECONDS)


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise Invalid("expected a host and a port, such as 127.0.0.1:8600", key="--address")
    return host, int(port)


def _prepare() -> None:
    """Keys, tables and collected files, by a process of its own.

    This one stays without Django's settings: web processes are forked from it, and have to find
    what was collected just now.
    """
    command = [sys.executable, "-m", "clearhouse", "office", "prepare"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise Unavailable("the office could not be prepared; the line before this one says why")


def _serve(host: str, port: int, web: int) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        "clearhouse.office.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=web,
        blocking_threads=4,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
    ).serve()


def _started(arguments: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "clearhouse", *arguments]
    if log is None:
        return subprocess.Popen(command)
    with log.open("ab") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def _in_background(home: Path, host: str, port: int, web: int, workers: int) -> None:
    log = home / _LOG
    arguments = ["serve", "--address", f"{host}:{port}", "--web", str(web)]
    made = _started([*arguments, "--workers", str(workers)], log)
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        if made.poll() is not None:
            break
        if _answers(host, port):
            return
        time.sleep(0.2)
    raise Unavailable(f"it did not start; {log} says why")


def _answers(host: str, port: int) -> bool:
    try:
        with urlopen(f"http://{host}:{port}/.well-known/security.txt", timeout=2):
            return True
    except URLError as error:
        # An answer of any status is an answer.
        return getattr(error, "code", None) is not None
    except OSError:
        return False


def _running(home: Path) -> int | None:
    try:
        pid = int((home / _PID).read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _stop(home: Path) -> None:
    pid = _running(home)
    if pid is None:
        click.echo("clearhouse: nothing runs in the background", err=True)
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while _running(home) is not None and time.monotonic() < until:
        time.sleep(0.1)
