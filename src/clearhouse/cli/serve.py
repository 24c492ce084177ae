"""``clearhouse serve``: the office, with its workers."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import click

from clearhouse.cli.django_setup import set_up
from clearhouse.errors import Conflict, Invalid, Unavailable

_PID: Final = "serve.pid"
_LOG: Final = "serve.log"
_WAIT_SECONDS: Final = 60
_STOP_SECONDS: Final = 30
_FREE_SECONDS: Final = 5
#: What requests that are under way may still take when the office stops.
_LAST_REQUESTS_SECONDS: Final = 10
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
@click.option(
    "--lease",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds of silence after which another worker takes a job over.",
)
@click.option("--background", is_flag=True, help="Go to the background once it answers.")
@click.option("--stop", is_flag=True, help="Stop the one in the background.")
def serve(
    *, address: str, web: int, workers: int, lease: float, background: bool, stop: bool
) -> None:
    """Start the office: make its keys and tables where they are not there yet, and serve it.

    What is killed is started again; where this command itself is killed, all of it ends.
    """
    host, port = _parsed(address)
    from clearhouse.office.config import current

    home = current().home
    if stop:
        _stop(home)
        return
    if _running(home) is not None:
        raise Conflict(f"it runs already; 'clearhouse serve --stop' ends it ({home / _PID})")
    _must_be_free(host, port)
    _prepare()
    if background:
        arguments = ["serve", "--address", address, "--web", str(web), "--workers", str(workers)]
        _in_background(home, host, port, [*arguments, "--lease", str(lease)])
        return
    with _marked(home):
        click.echo(f"clearhouse: the office is at http://{_bracketed(host)}:{port}/", err=True)
        _keep_up(host, port, web, workers, lease)


def _keep_up(host: str, port: int, web: int, workers: int, lease: float) -> None:
    """Serve, and do jobs, in processes of their own until told to stop."""
    set_up()
    from django.db import connections

    from clearhouse.cli.worker import crew
    from clearhouse.office.queue.supervisor import Supervisor

    works: dict[str, Callable[[], None]] = {"web": partial(_serve, host, port, web)}
    if workers:
        works["the workers"] = crew(workers, lease=lease).run
    connections.close_all()  # what is forked takes no connection along
    Supervisor(works, say=lambda line: click.echo(f"clearhouse: {line}", err=True)).run()


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


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _must_be_free(host: str, port: int) -> None:
    """Web processes share their port with each other: without a look, with strangers as well."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        until = time.monotonic() + _FREE_SECONDS
        while True:
            try:
                probe.bind((host.strip("[]"), port))
            except OSError as error:
                # What served here before may be about to end.
                if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                    time.sleep(0.2)
                    continue
                reason = error.strerror or str(error)
                raise Unavailable(f"{host}:{port} cannot be listened at: {reason}") from None
            return


def _serve(host: str, port: int, web: int) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        "clearhouse.office.wsgi:application",
        address=host.strip("[]"),
        port=port,
        interface=Interfaces.WSGI,
        workers=web,
        blocking_threads=4,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=_LAST_REQUESTS_SECONDS,
    ).serve(target_loader=partial(_application, os.getpid()), wrap_loader=False)


def _application(parent: int) -> Callable[..., object]:
    """The application, in a web process that does not outlive its parent.

    It would hold on to the port otherwise.  What it was answering is undone, and asked again.
    """
    from clearhouse.office.queue.supervisor import end_with

    end_with(parent, signal.SIGKILL)
    from clearhouse.office.wsgi import application

    return application


def _in_background(home: Path, host: str, port: int, arguments: list[str]) -> None:
    log = home / _LOG
    with log.open("ab") as out:
        made = subprocess.Popen(
            [sys.executable, "-m", "clearhouse", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        if made.poll() is not None:
            break
        if _answers(host, port):
            return
        time.sleep(0.2)
    if made.poll() is None:
        made.terminate()
    raise Unavailable(f"it did not start; {log} says why")


def _answers(host: str, port: int) -> bool:
    try:
        with urlopen(f"http://{_bracketed(host)}:{port}/.well-known/security.txt", timeout=2):
            return True
    except URLError as error:
        # An answer of any status is an answer.
        return getattr(error, "code", None) is not None
    except OSError:
        return False


@contextmanager
def _marked(home: Path) -> Iterator[None]:
    """Note that this process serves the home, by a lock: the kernel lets go of it at its end.

    A process id alone may be another's by now.  Children do not inherit the lock (fcntl(2)).
    """
    with (home / _PID).open("a+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"it runs already ({home / _PID})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def _running(home: Path) -> int | None:
    """The process that serves the home."""
    try:
        with (home / _PID).open("r+") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return int(file.read())
    except (OSError, ValueError):
        pass
    return None


def _stop(home: Path) -> None:
    pid = _running(home)
    if pid is None:
        click.echo("clearhouse: nothing runs in the background", err=True)
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while _running(home) is not None:
        if time.monotonic() > until:
            raise Unavailable(f"process {pid} was told to stop, and has not ended yet")
        time.sleep(0.1)
