"""A run's own world: fresh namespaces, a fresh root of the file system, limits, no privileges.

Every run starts with an empty working folder, an empty ``/tmp`` and a new canary; whatever an
earlier run left behind in memory, files or processes is gone with its namespaces.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import kernel

UID = 1000
WORK, CANARY, HOME = "/work", "/canary", "/home/user"
#: Inside a folder that nobody without privileges can enter.
SHUT = "/run/shut/proc"
_STAGE = "/run/stage"
_BOUND = ("/usr", "/target", "/runtime", "/build", "/etc/alternatives", "/etc/ssl")
_LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_WRITABLE = ("/work", "/tmp", "/home", "/home/user", "/var", "/var/tmp", "/srv", "/opt", "/mnt",
             "/root", "/run", "/etc")  # fmt: skip
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
    "group": "root:x:0:\nuser:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "resolv.conf": "nameserver 192.0.2.1\noptions timeout:1 attempts:1\n",  # RFC 5737: nowhere
    "hostname": "sandbox\n",
}
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "USER": "user",
    "LOGNAME": "user",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_SHM_BYTES = 16 << 20
# A file of no size costs the kernel about a kilobyte: one for each 8 KiB of room, and some.
_BYTES_PER_FILE, _LEAST_FILES = 8192, 1024
_PENDING_SIGNALS = 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class Limits(NamedTuple):
    """What one run may use: seconds, bytes and counts."""

    cpu_s: float
    wall_s: float
    idle_s: float
    memory_bytes: int
    processes: int
    file_bytes: int
    output_bytes: int

    @classmethod
    def from_job(cls, raw: dict[str, Any]) -> Limits:
        """The limits as a job states them."""
        return cls(**raw)


class Plan(NamedTuple):
    """What every root of a sandbox consists of, gathered once: names are relative to the root."""

    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # where it points, name
    binds: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]


def plan(places: Sequence[str] = ()) -> Plan:
    """Look once at what there is to bind; ``places`` are further folders of bubblewrap's root."""
    extra = os.environ.get("WARDEN_RUNTIME", "").split(":")  # an interpreter built from source, say
    links, binds = [], [p for p in (*_BOUND, *extra, *places) if p and os.path.isdir(p)]
    for path in _LINKS:
        if os.path.islink(path):
            links.append((os.readlink(path), path[1:]))
        elif os.path.isdir(path):
            binds.append(path)
    folders = dict.fromkeys(_WRITABLE)
    for path in (*binds, CANARY, "/dev", "/proc"):
        for end in [i for i, c in enumerate(path) if c == "/"][1:]:
            folders[path[:end]] = None
        folders[path] = None
    files = [(f"etc/{name}", text.encode()) for name, text in _ETC.items()]
    with contextlib.suppress(OSError), open("/etc/ld.so.cache", "rb") as cache:
        files.append(("etc/ld.so.cache", cache.read()))
    names = tuple(f[1:] for f in folders)
    return Plan(names, tuple(links), tuple(dict.fromkeys(b[1:] for b in binds)), tuple(files))


def map_identity(uid: int, gid: int) -> None:
    """Give this process's new user namespace one user and group, itself (user_namespaces(7))."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        write(f"/proc/self/{name}", text.encode(), os.O_WRONLY)


def write(path: str, data: bytes, flags: int = _NEW, mode: int = 0o644) -> None:
    """Write a small file in one go; the standard library's files cost several calls more."""
    number = os.open(path, flags, mode)
    try:
        os.write(number, data)
    finally:
        os.close(number)


def tmpfs(path: str, size: int, mode: str = "755") -> None:
    """Mount a fresh file system in memory, of a limited size and number of files."""
    files = max(_LEAST_FILES, size // _BYTES_PER_FILE)
    kernel.mount(
        "tmpfs",
        path,
        "tmpfs",
        kernel.MS_NOSUID | kernel.MS_NODEV,
        f"size={size},nr_inodes={files},mode={mode}",
    )


def close_root() -> None:
    """Make bubblewrap's own file systems read-only: they are of unlimited size."""
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_NODEV
    for place in ("/", "/dev"):
        kernel.mount("none", place, None, flags | kernel.MS_RDONLY)


def build_root(made: Plan, token: str, root_bytes: int) -> None:
    """Make a new root from read-only binds and empty writable folders, and move into it."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    tmpfs(_STAGE, root_bytes)
    os.chdir(_STAGE)
    for name in made.folders:
        os.mkdir(name, 0o755)
    for target, name in made.links:
        os.symlink(target, name)
    for name in made.binds:
        kernel.mount(f"/{name}", name, None, kernel.MS_BIND | kernel.MS_REC)
    for name, data in made.files:
        write(name, data)
    write(f"{CANARY[1:]}/token", token.encode(), mode=0o444)
    kernel.mount("/dev", "dev", None, kernel.MS_BIND | kernel.MS_REC)
    tmpfs("dev/shm", _SHM_BYTES, "1777")
    # Read-only: nothing a harness needs is written there, and a process's own memory can be.
    own_proc("proc", kernel.MS_RDONLY)
    _enter()


def own_proc(place: str, flags: int = 0) -> None:
    """Mount ``/proc`` of this process's namespaces, without the names of the host user's keys."""
    flags |= kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", place, "proc", flags)
    with contextlib.suppress(FileNotFoundError):  # a kernel without them
        kernel.mount("/dev/null", f"{place}/keys", None, kernel.MS_BIND)


def _enter() -> None:
    libc = kernel.libc()
    if libc.pivot_root(b".", b".") != 0:
        raise OSError("pivot_root")
    if libc.umount2(b".", 2) != 0:  # MNT_DETACH
        raise OSError("umount2")
    os.chdir("/")


def limit(values: dict[int, int]) -> None:
    """Set limits of this process that cannot be raised again (setrlimit(2))."""
    for kind, value in values.items():
        resource.setrlimit(kind, (value, value))


def no_core() -> None:
    """Have no core written and no core handler started, by this process and all after it.

    A limit of 1 does both; at 0 the kernel still starts a handler that is a program (core(5)).
    """
    with contextlib.suppress(ValueError):  # where it is 0 already and cannot be raised
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def confine(limits: Limits, *, address_space: bool) -> None:
    """Lower this process and its children to what a run may have; nothing can be had back."""
    limit(
        {
            resource.RLIMIT_NPROC: limits.processes,
            resource.RLIMIT_NOFILE: 256,
            resource.RLIMIT_FSIZE: limits.file_bytes,
            resource.RLIMIT_MEMLOCK: 65536,
            resource.RLIMIT_MSGQUEUE: 0,
            resource.RLIMIT_SIGPENDING: _PENDING_SIGNALS,
            resource.RLIMIT_CPU: int(limits.cpu_s) + 2,
        }
    )
    if address_space:
        limit({resource.RLIMIT_DATA: limits.memory_bytes * 2 + (1 << 30)})
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor that the run must not hold."""
    first = 0
    for number in sorted(keep):
        if first < number:  # for CPython an empty range that begins at 0 is all there is
            os.closerange(first, number)
        first = number + 1
    os.closerange(first, 1 << 20)
