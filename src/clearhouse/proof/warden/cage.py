"""A run's own world: fresh namespaces, a fresh root of the file system, limits, no privileges.

Every run starts with an empty working folder, an empty ``/tmp`` and a new canary; whatever an
earlier run left behind in memory, files or processes is gone with its namespaces.
"""

from __future__ import annotations

import contextlib
import os
import resource
from dataclasses import dataclass
from typing import Any

from . import kernel

UID = 1000
WORK, CANARY, HOME = "/work", "/canary", "/home/user"
_STAGE = "/run/stage"
_BOUND = ("/usr", "/target", "/runtime", "/build")
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


@dataclass(frozen=True)
class Limits:
    """What one run may use: seconds, bytes and counts."""

    cpu_s: float
    wall_s: float
    memory_bytes: int
    processes: int
    file_bytes: int
    output_bytes: int

    @classmethod
    def from_job(cls, raw: dict[str, Any]) -> Limits:
        return cls(**raw)


def map_identity(uid: int, gid: int) -> None:
    """Give this process's new user namespace one user and one group, itself (user_namespaces(7))."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def tmpfs(path: str, size: str, mode: str = "755") -> None:
    """Mount a fresh file system in memory."""
    kernel.mount(
        "tmpfs", path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"size={size},mode={mode}"
    )


def build_root(token: str, root_bytes: int) -> None:
    """Make a new root from read-only binds and empty writable folders, and move into it."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    tmpfs(_STAGE, str(root_bytes))
    for path in _BOUND:
        if os.path.isdir(path):
            os.makedirs(_STAGE + path)
            kernel.mount(path, _STAGE + path, None, kernel.MS_BIND | kernel.MS_REC)
    for path in _extra_binds():
        os.makedirs(_STAGE + path, exist_ok=True)
        kernel.mount(path, _STAGE + path, None, kernel.MS_BIND | kernel.MS_REC)
    for path in _LINKS:
        if os.path.islink(path):
            os.symlink(os.readlink(path), _STAGE + path)
        elif os.path.isdir(path):
            os.mkdir(_STAGE + path)
            kernel.mount(path, _STAGE + path, None, kernel.MS_BIND | kernel.MS_REC)
    for path in _WRITABLE:
        os.makedirs(_STAGE + path, mode=0o755, exist_ok=True)
    for name, text in _ETC.items():
        with open(f"{_STAGE}/etc/{name}", "w") as file:
            file.write(text)
    if os.path.exists("/etc/ld.so.cache"):
        with (
            open("/etc/ld.so.cache", "rb") as source,
            open(f"{_STAGE}/etc/ld.so.cache", "wb") as copy,
        ):
            copy.write(source.read())
    for path in ("/etc/alternatives", "/etc/ssl"):
        if os.path.isdir(path):
            os.makedirs(_STAGE + path)
            kernel.mount(path, _STAGE + path, None, kernel.MS_BIND | kernel.MS_REC)
    os.mkdir(_STAGE + CANARY)
    with open(f"{_STAGE}{CANARY}/token", "w") as file:
        file.write(token)
    os.chmod(f"{_STAGE}{CANARY}/token", 0o444)
    os.mkdir(_STAGE + "/dev")
    kernel.mount("/dev", _STAGE + "/dev", None, kernel.MS_BIND | kernel.MS_REC)
    tmpfs(_STAGE + "/dev/shm", "16m", "1777")
    os.mkdir(_STAGE + "/proc")
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", _STAGE + "/proc", "proc", flags)
    _enter(_STAGE)


def _extra_binds() -> list[str]:
    """Folders of the runtime outside ``/usr`` (an interpreter built from source, say)."""
    listed = os.environ.get("WARDEN_RUNTIME", "")
    return [path for path in listed.split(":") if path]


def _enter(stage: str) -> None:
    libc = kernel.libc()
    os.chdir(stage)
    if libc.pivot_root(b".", b".") != 0:
        raise OSError("pivot_root")
    if libc.umount2(b".", 2) != 0:  # MNT_DETACH
        raise OSError("umount2")
    os.chdir("/")


def confine(limits: Limits, *, address_space: bool) -> None:
    """Lower this process to what a run may have.  Nothing given up here can be had back."""
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_MEMLOCK, 65536),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_CPU, int(limits.cpu_s) + 2),
    ):
        resource.setrlimit(kind, (value, value))
    if address_space:
        backstop = limits.memory_bytes * 2 + (1 << 30)
        resource.setrlimit(resource.RLIMIT_DATA, (backstop, backstop))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    os.setsid()
    os.umask(0o022)


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor that the run must not hold."""
    highest = max(keep) if keep else 2
    for number in range(highest):
        if number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)
    os.closerange(highest + 1, 4096)
