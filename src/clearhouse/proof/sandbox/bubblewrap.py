"""Starting bubblewrap with everything unshared.

Started by root, the code in the sandbox runs as a host user that owns nothing; started by anybody
else, as that user, without capabilities, seeing nothing of the host.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from clearhouse.errors import Unavailable
from clearhouse.proof.sandbox.gate import require_checked_sandbox

UID = 1000
# Far above what useradd and subordinate ranges give out (login.defs ends at 600,100,000).
_NOBODY_OWNS = 1_879_048_192
# bubblewrap itself starts as 0; the warden goes on as 65533 (warden.py), all others are 1000.
_USERS = f"0 0 1\n{UID} {_NOBODY_OWNS} 1\n65533 {_NOBODY_OWNS + 1} 1\n"
_WARDEN = Path(__file__).resolve().parent.parent / "warden"
_START = "import sys; sys.path.insert(0, '/runtime/clearhouse'); from warden.{} import main; main()"
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl")


#: Folders that are shown empty, each with those in it that stay.
Masked = Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Bind:
    """A read-only folder of the host shown at a place in the sandbox."""

    source: Path
    place: str


class _Namespace:
    """A user namespace with two users, made once: bubblewrap itself can only map one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor: int | None = None

    def descriptor(self) -> int:
        with self._lock:
            if self._descriptor is None:
                self._descriptor = self._make()
            return self._descriptor

    def _make(self) -> int:
        unshare = shutil.which("unshare")
        if unshare is None:
            raise Unavailable("the sandbox needs unshare (Debian package util-linux)")
        holder = subprocess.Popen(
            [unshare, "--user", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        try:
            own = os.readlink("/proc/self/ns/user")
            deadline = time.monotonic() + 5
            while os.readlink(f"/proc/{holder.pid}/ns/user") == own:
                if holder.poll() is not None or time.monotonic() > deadline:
                    raise Unavailable("this machine does not let root make a user namespace")
                time.sleep(0.002)
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{holder.pid}/{name}").write_text(_USERS)
            return os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            holder.communicate(b"")


_namespace = _Namespace()


def interpreter_folders() -> list[str]:
    """Folders of the running interpreter that lie outside ``/usr``."""
    found = {os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)}
    return sorted(f for f in found if f != "/usr" and not f.startswith("/usr/"))


@cache
def _warden() -> Path:
    """The folder that the sandbox starts from, compiled once so that no start compiles it again."""
    compileall.compile_dir(str(_WARDEN), quiet=2, maxlevels=1)
    return _WARDEN


def interpreter() -> str:
    """The interpreter as seen from the sandbox."""
    return os.path.realpath(sys.executable)


def command(
    binds: Sequence[Bind],
    runtime_folders: Sequence[str],
    *,
    first: str = "warden",
    masked: Masked = (),
) -> tuple[list[str], list[int]]:
    """The command that starts a sandbox, and the descriptors it must inherit.

    ``first`` is the module of ``clearhouse.proof.warden`` that is its first process, ``masked`` are
    folders of the runtime that are shown empty, each but for what stays.  Every sandbox starts with
    this, so here is where it has to have been checked.  Raises :class:`Unavailable`
    where bubblewrap is missing, or the sandbox does not hold on this machine.
    """
    require_checked_sandbox()
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise Unavailable("the sandbox needs bubblewrap: apt-get install bubblewrap")
    descriptors: list[int] = []
    if os.geteuid() == 0:
        descriptors = [_namespace.descriptor()]
        user = ["--userns", str(descriptors[0])]
    else:
        user = ["--unshare-user", "--uid", str(UID), "--gid", str(UID)]
    folders = [*interpreter_folders(), *runtime_folders]
    args = [
        bwrap, *user, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--cap-add", "ALL", "--die-with-parent", "--new-session",
        "--clearenv", "--setenv", "WARDEN_RUNTIME", ":".join(folders),
        "--setenv", "LANG", "C.UTF-8", "--setenv", "PATH", "/usr/bin:/bin",
        "--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--hostname", "sandbox",
        "--dir", "/tmp", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev",
        # Reads as zeros do, but cannot be mapped: such a mapping is memory that nobody counts.
        "--dev-bind", "/dev/full", "/dev/zero",
        "--perms", "0755", "--dir", "/run", "--perms", "0755", "--dir", "/run/stage",
        "--perms", "0000", "--dir", "/run/shut", "--dir", "/run/shut/proc",  # cage.SHUT
        "--perms", "0755", "--dir", "/runtime", "--perms", "0755", "--dir", "/runtime/clearhouse",
        "--ro-bind", str(_warden()), "/runtime/clearhouse/warden",
    ]  # fmt: skip
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            args += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            args += ["--ro-bind", str(path), str(path)]
    for folder in folders:
        args += _shown(folder, folder)
    for name in _ETC:
        if os.path.exists(name):
            args += ["--perms", "0755", "--dir", "/etc"]
            args += ["--ro-bind", name, name]
    args += _emptied(masked)
    for bind in binds:
        args += _shown(str(bind.source), bind.place)
    return [*args, interpreter(), "-I", "-S", "-c", _START.format(first)], descriptors


def _shown(source: str, place: str) -> list[str]:
    """Arguments that bind a folder; those it lies in can be entered by everybody."""
    args = []
    for parent in reversed(Path(place).parents[:-1]):
        args += ["--perms", "0755", "--dir", str(parent)]
    return [*args, "--ro-bind", source, place]


def _emptied(masked: Masked) -> list[str]:
    """Arguments that show folders empty, but for what stays in them."""
    args = []
    for folder, staying in masked:
        args += ["--perms", "0755", "--tmpfs", folder]
        for name in staying:
            args += ["--ro-bind", name, name]
        args += ["--remount-ro", folder]
    return args


class _Starter:
    """The thread that all sandboxes are started from.

    A process that is to die with its parent dies with the very thread that started it (prctl(2),
    PR_SET_PDEATHSIG); this one lives as long as the process does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._pool: ThreadPoolExecutor | None = None

    def run(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._pool is None or self._owner != os.getpid():  # a fork takes no threads along
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="sandbox-starter")
                self._owner = os.getpid()
            pool = self._pool
        return pool.submit(start).result()


_starter = _Starter()


def start(
    binds: Sequence[Bind],
    runtime_folders: Sequence[str] = (),
    *,
    errors: IO[bytes],
    first: str = "warden",
    masked: Masked = (),
) -> subprocess.Popen[bytes]:
    """Start a sandbox; it reads frames from its standard input and ends when that ends.

    Nothing of this process's environment, folder or descriptors goes along.  Raises as
    :func:`command` does.
    """
    args, descriptors = command(binds, runtime_folders, first=first, masked=masked)
    return _starter.run(
        lambda: subprocess.Popen(
            args,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            pass_fds=descriptors,
            cwd="/",
            env={},
        )
    )
