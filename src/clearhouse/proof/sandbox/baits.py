"""What the check of the sandbox lays out on the host for attempts to aim at."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

from clearhouse.proof.cache import cache_root
from clearhouse.proof.sandbox import bubblewrap

_SIOCGIFADDR = 0x8915
_VARIABLE = "CLEARHOUSE_SANDBOX_CHECK"
_FOLDER, _LOCK = "clearhouse-check-", "lock"
_NAMES_OF_A_FOLDER = 200
_FOLDERS = ("/root", "/home", "/var/lib", "/var/log", "/boot", "/opt", "/srv", "/mnt", "/media",
            "/tmp", "/etc")  # fmt: skip
# What a run finds in its own /etc (warden/cage.py).
_OWN = {
    "/etc": {"passwd", "group", "hosts", "nsswitch.conf", "resolv.conf", "hostname", "ld.so.cache",
             "alternatives", "ssl", "os-release"},
    "/home": {"user"},
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Something that can be seen from the host once all attempts have been made."""

    name: str
    stopped: bool
    by: str


class Baits:
    """Services, files and a process of the host.  Use as a context manager."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        try:
            self._lay_out()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _lay_out(self) -> None:
        _remove_abandoned()
        base = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix=_FOLDER)))
        _lock(self._stack.enter_context((base / _LOCK).open("wb")))
        self.shown, self._host = base / "shown", base / "host"
        self.shown.mkdir(mode=0o755)
        self._host.mkdir(mode=0o777)
        self._marker = self._host / "marker"
        self._marker.write_text(self.token)
        self._services: list[socket.socket] = []
        tcp4 = self._listen(socket.AF_INET, ("127.0.0.1", 0))
        tcp6 = self._listen(socket.AF_INET6, ("::1", 0))
        local = str(self._host / "socket")
        abstract = f"clearhouse-check-{self.token}"
        self._listen(socket.AF_UNIX, local)
        self._listen(socket.AF_UNIX, "\0" + abstract)
        self._udp = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._udp.bind(("127.0.0.1", 0))
        self._decoy = self._start_decoy()
        self._name = os.uname().nodename
        self._clock = time.time() - time.monotonic()
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = self.token
        self._stack.callback(_restore, before)
        facts: dict[str, Any] = {
            "token": self.token,
            "tcp4": tcp4,
            "tcp6": tcp6,
            "udp4": self._udp.getsockname()[1],
            "abstract": abstract,
            "local": local,
            "addresses": _addresses(),
            "marker": str(self._marker),
            "folders": _folders(self.shown),
            "passwd": Path("/etc/passwd").read_text(encoding="utf-8", errors="replace"),
            "variable": _VARIABLE,
            "engine": os.getpid(),
            "decoy": self._decoy.pid,
            "oom": int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii")),
        }
        (self.shown / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        for path in (base, self.shown, self._host):
            path.chmod(0o755)

    def _listen(self, family: int, address: Any) -> int:  # noqa: ANN401 - the socket module's own
        """Start a service; its port where it has one, 1 where the machine lacks the family."""
        service = self._stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        try:
            service.bind(address)
        except OSError:
            return 1
        service.listen()
        service.setblocking(False)  # noqa: FBT003 - its only argument
        self._services.append(service)
        name = service.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    def _start_decoy(self) -> subprocess.Popen[bytes]:
        """A process of the same user, which ends with us because its input does."""
        code = "import sys; sys.stdin.buffer.read()"
        decoy = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, self.token], stdin=subprocess.PIPE, cwd="/"
        )

        def end() -> None:
            decoy.kill()
            decoy.communicate()

        self._stack.callback(end)
        return decoy

    def left(self, *places: str) -> list[int]:
        """Processes on the host that carry the name of those that attempts leave behind there."""
        wanted = {f"left-{place[-1]}-{self.token[:8]}" for place in places}
        return [pid for pid, name in _names() if name in wanted]

    def reached(self) -> list[Seen]:
        """What became of the baits."""
        visits = sum(1 for service in self._services if _accepts(service))
        self._udp.setblocking(False)  # noqa: FBT003
        with contextlib.suppress(BlockingIOError):
            visits += len(self._udp.recv(64)) > 0
        names = sorted(path.name for path in self._host.iterdir())
        same = self._marker.read_text() == self.token and names == ["marker", "socket"]
        clock = abs(time.time() - time.monotonic() - self._clock) < 1
        left = self.left("run", "build", "room")
        return [
            Seen("a service of the host was reached", not visits, f"{visits} visits"),
            Seen("a file of the host was changed", same, "as it was" if same else "changed"),
            Seen(
                "a process of the host was harmed",
                self._decoy.poll() is None,
                "alive" if self._decoy.poll() is None else "gone",
            ),
            Seen("a process of the sandbox was left behind", not left, f"{len(left)} found"),
            Seen(
                "the host's name or clock was changed",
                clock and os.uname().nodename == self._name,
                "as they were" if clock else "the clock is another",
            ),
        ]


def _lock(file: IO[bytes]) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_abandoned() -> None:
    """Folders of earlier checks that were killed: the kernel has taken their locks off."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
            continue
        with contextlib.suppress(OSError), (folder / _LOCK).open("rb") as file:
            _lock(file)
            shutil.rmtree(folder, ignore_errors=True)


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = before


def _accepts(service: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        service.accept()[0].close()
        return True
    return False


def _addresses() -> list[str]:
    """The host's own addresses, those of its loopback left out."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                asked = struct.pack("256s", name.encode())
                answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, asked)
                found.append(socket.inet_ntoa(answer[20:24]))
    with contextlib.suppress(OSError):
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
        found += [socket.inet_ntop(socket.AF_INET6, bytes.fromhex(x.split()[0])) for x in lines]
    return [a for a in found if not a.startswith(("127.", "fe80:")) and a != "::1"]


def _folders(shown: Path) -> dict[str, list[str]]:
    """Folders of the host, with names that only the host has there."""
    bound = [*bubblewrap.interpreter_folders(), str(shown)]
    folders = dict.fromkeys([*_FOLDERS, str(Path.home()), str(Path.cwd()), str(cache_root())])
    folders.pop("/", None)  # its names are the same everywhere
    found = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            names = {path.name for path in islice(Path(folder).iterdir(), _NAMES_OF_A_FOLDER)}
            names -= _OWN.get(folder, set())
            names -= {n for n in names for b in bound if f"{b}/".startswith(f"{folder}/{n}/")}
            if names:
                found[folder] = sorted(names)
    return found


def _names() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                name = (entry / "comm").read_text(encoding="utf-8", errors="replace")
                yield int(entry.name), name.strip()
