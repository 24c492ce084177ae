"""Seeing, tracing and signalling others; getting more than one was given."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable

from .attempt import OWN_FOLDER, Attempts, Facts, GotThrough, NotHere, name_of, refused
from .calls import call

ATTEMPTS = Attempts("processes")
_ATTACH, _SEIZE, _TRACEME = 16, 0x4206, 0
_SECURE = {"NoNewPrivs": "1", "Seccomp": "2"}
_SETUID_FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0")


def _status() -> dict[str, str]:
    with open("/proc/self/status", encoding="latin-1") as file:
        return {k: v.strip() for k, _, v in (line.partition(":") for line in file)}


@ATTEMPTS("see the host's processes")
def _see(facts: Facts) -> str:
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if facts.token.encode() in file.read():
                raise GotThrough(f"process {pid} is the host's")
    return f"{len(pids)} processes are to be seen, all of the sandbox"


@ATTEMPTS("signal the engine, its other processes and their groups")
def _signal(facts: Facts) -> str:
    # Numbers that the own namespace has as well would be somebody else's.
    there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    calls = []
    for pid in {facts.engine, facts.decoy} - there:
        calls += [
            lambda p=pid: os.kill(p, signal.SIGKILL),
            lambda p=pid: os.killpg(p, signal.SIGKILL),
            lambda p=pid: os.pidfd_open(p),
        ]
    if not calls:
        raise NotHere("the engine's number is taken in the sandbox too")
    return refused(*calls)


@ATTEMPTS("signal its parent in the sandbox", "run", "build", "room")
def _init(_: Facts) -> str:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL, signal.SIGSTOP):
        with contextlib.suppress(PermissionError):
            os.kill(1, number)
    with open("/proc/1/stat", "rb") as file:
        if file.read().rpartition(b")")[2].split()[0] in b"TZX":
            raise GotThrough("process 1 was stopped")
    return "process 1 of a namespace is not reached from inside it"


@ATTEMPTS("trace its parent", "run", "build", "room")
def _trace(_: Facts) -> str:
    return refused(
        lambda: call("ptrace", 101, _ATTACH, 1, 0, 0),
        lambda: call("ptrace", 101, _SEIZE, 1, 0, 0),
        lambda: call("ptrace", 101, _ATTACH, os.getppid(), 0, 0),
    )


@ATTEMPTS("have itself traced by another")
def _traceme(_: Facts) -> str:
    return refused(lambda: call("ptrace", 101, _TRACEME, 0, 0, 0))


@ATTEMPTS("read and write its parent's memory", "run", "build", "room")
def _memory(_: Facts) -> str:
    room = ctypes.create_string_buffer(64)
    piece = (ctypes.c_ulong * 2)(ctypes.addressof(room), 8)
    return refused(
        lambda: call("process_vm_readv", 310, 1, piece, 1, piece, 1, 0),
        lambda: call("process_vm_writev", 311, 1, piece, 1, piece, 1, 0),
        lambda: os.open("/proc/1/mem", os.O_RDONLY),
        lambda: os.open("/proc/1/mem", os.O_RDWR),
    )


@ATTEMPTS("look into its parent (/proc/1)", "run", "build", "room")
def _look(_: Facts) -> str:
    def read(name: str) -> bytes:
        with open(f"/proc/1/{name}", "rb") as file:
            return file.read(1)

    def content(name: str) -> None:
        if not read(name):
            raise PermissionError(1, "empty")  # what the kernel gives to who may not

    return refused(
        lambda: content("environ"),
        lambda: content("maps"),
        lambda: content("auxv"),
        lambda: os.listdir("/proc/1/fd"),
        lambda: os.listdir("/proc/1/map_files"),
        lambda: os.listdir("/proc/1/root"),
        lambda: os.readlink("/proc/1/exe"),
        lambda: os.readlink("/proc/1/ns/mnt"),
    )


@ATTEMPTS("take over its parent's descriptors and namespaces", "run", "build", "room")
def _take(_: Facts) -> str:
    number = os.pidfd_open(1)
    try:
        return refused(
            lambda: call("pidfd_getfd", 438, number, 0, 0),
            lambda: call("setns", 308, number, 0x20000),
            lambda: os.open("/proc/1/ns/mnt", os.O_RDONLY),
            lambda: call("kcmp", 312, 1, os.getpid(), 0, 0, 0),
        )
    finally:
        os.close(number)


@ATTEMPTS("hold capabilities, or a way to new ones")
def _capabilities(_: Facts) -> str:
    status = _status()
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            raise GotThrough(f"{name} is {status[name]}")
    for name, value in _SECURE.items():
        if status[name] != value:
            raise GotThrough(f"{name} is {status[name]}")
    return "all sets are empty, no_new_privs is set"


@ATTEMPTS("become another user or group")
def _users(_: Facts) -> str:
    return refused(
        lambda: os.setuid(0),
        lambda: os.setgid(0),
        lambda: os.setresuid(0, 0, 0),
        lambda: os.setreuid(0, 0),
        lambda: os.setgroups([0]),
        lambda: call("setfsuid", 122, 0),
    )


@ATTEMPTS("run programs that are setuid root")
def _setuid(_: Facts) -> str:
    found = []
    for folder in _SETUID_FOLDERS:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
                        found.append(entry.path)
    if not found:
        raise NotHere("no setuid program is installed")
    for path in found:
        if not os.statvfs(path).f_flag & os.ST_NOSUID:
            raise GotThrough(f"{path} lies on a mount that respects setuid")
    mount = shutil.which("mount", path="/usr/bin:/bin")
    if mount is not None:
        done = subprocess.run([mount, "-t", "tmpfs", "none", "/mnt"], capture_output=True)
        if done.returncode == 0:
            raise GotThrough("mount has mounted")
    return f"nosuid on all {len(found)} of them, no_new_privs"


@ATTEMPTS("run a setuid program of its own making")
def _own_setuid(facts: Facts) -> str:
    path = OWN_FOLDER[facts.place] + "/own-id"
    shutil.copy("/usr/bin/id", path)
    os.chmod(path, 0o6755)  # noqa: S103 - what is tried
    try:
        done = subprocess.run([path, "-u"], capture_output=True, text=True)
    finally:
        os.unlink(path)
    if done.stdout.strip() != str(os.getuid()):
        raise GotThrough(f"it ran as {done.stdout.strip()}")
    return "it runs as the same user"


@ATTEMPTS("raise limits on processes, memory, files and time")
def _limits(_: Facts) -> str:
    calls = []
    for name in (
        "CORE",
        "NPROC",
        "NOFILE",
        "FSIZE",
        "MEMLOCK",
        "MSGQUEUE",
        "CPU",
        "RTPRIO",
        "NICE",
    ):
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY and kind != resource.RLIMIT_CORE:
            calls.append(lambda k=kind, h=hard: resource.setrlimit(k, (h, h + 1)))

    def check(one: Callable[[], object]) -> None:
        try:
            one()
        except ValueError as error:
            raise PermissionError(1, str(error)) from error

    return refused(*(lambda c=c: check(c) for c in calls))


@ATTEMPTS("get ahead of others (real-time, nice, locked memory)")
def _priority(_: Facts) -> str:
    return refused(
        lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
        lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
        lambda: call("ioprio_set", 251, 1, 0, 1 << 13),
        lambda: call("mlockall", 151, 3),
    )


@ATTEMPTS("leave a core file, or start the host's core handler")
def _core(facts: Facts) -> str:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = resource.getrlimit(resource.RLIMIT_CORE)[0]
    with open("/proc/sys/kernel/core_pattern") as file:
        handler = file.read().startswith("|")
    if limit != 1 and (limit or handler):
        raise GotThrough(f"the limit is {limit}")
    folder = OWN_FOLDER[facts.place]
    before = set(os.listdir(folder))
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.chdir(folder)
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WCOREDUMP(status) or set(os.listdir(folder)) - before:
        raise GotThrough("a core was written")
    return f"a limit of {limit}, which cannot be changed"


@ATTEMPTS("hide from the observer (undumpable)", "run", "build", "room")
def _hide(_: Facts) -> str:
    libc = ctypes.CDLL(None)
    libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    if libc.prctl(3, 0, 0, 0, 0) != 1:  # PR_GET_DUMPABLE
        raise GotThrough("it can no longer be looked into")
    return "the call is answered and not done"


@ATTEMPTS("start a process that the observer does not follow")
def _untraced(_: Facts) -> str:
    return refused(lambda: call("clone", 56, 0x00800000 | 17, 0, 0, 0, 0))


def _wide(number: int) -> str:
    """TIOCSTI with bits above those that the kernel looks at."""
    return refused(lambda: call("ioctl", 16, number, 0x5412 | 1 << 32, b"x"))


@ATTEMPTS("type into a terminal")
def _terminal(_: Facts) -> str:
    import fcntl

    seen: dict[str, None] = {}
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR)
        os.close(terminal)
        raise GotThrough("it has a controlling terminal")
    ends = [0, 1, 2]
    own = None
    with contextlib.suppress(OSError):
        own = os.openpty()
        ends += own
    for number in ends:
        for request in (0x5412, 0x541C):  # TIOCSTI, TIOCLINUX
            try:
                fcntl.ioctl(number, request, b"x")
            except OSError as error:
                seen[name_of(error)] = None
            else:
                raise GotThrough(f"descriptor {number} took it")
        seen[_wide(number)] = None
    for number in own or ():
        os.close(number)
    return ", ".join(seen) + ", no controlling terminal"
