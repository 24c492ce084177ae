"""The first process of a sandbox for building: has commands run, hands files in and out.

Everything writable is one ``tmpfs`` of limited size and number of files at :data:`SITE`, so that no
build can fill a disk and nothing of it is left when the sandbox ends.  Each batch of commands runs
in process, mount and IPC namespaces of its own, as a user without capabilities, under a seccomp
filter and resource limits, and is killed as a whole at its end.

Speaks frames of a length and JSON on standard input and output, files following as plain bytes.
Believes nothing about what commands leave behind: files are opened without following any link, and
only regular ones of limited size are handed out.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import stat
import struct
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import cage, filter, kernel, usage

SITE = "/build"
_TICK_S = 0.05
_SYS_OPENAT2 = 437
_BENEATH_WITHOUT_LINKS = 0x08 | 0x04 | 0x01  # RESOLVE_BENEATH, _NO_SYMLINKS, _NO_XDEV
_LISTED = 50_000
_SOCKETS = 1024  # each can hold hundreds of kilobytes that no process is charged for


def main() -> None:
    """Serve until standard input ends."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    cage.close_all_but({0, 1, 2})  # bubblewrap leaves the namespace's descriptor open
    cage.no_core()
    setup = _read_frame()
    if setup is None:
        return
    # bubblewrap's mounts may belong to a user namespace above ours: only a copy of them is ours.
    if kernel.libc().unshare(kernel.CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    os.mkdir(SITE)
    data = f"size={setup['bytes']},nr_inodes={setup['files']},mode=755"
    kernel.mount("tmpfs", SITE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, data)
    os.chown(SITE, cage.UID, cage.UID)
    for place in ("/", "/dev"):  # bubblewrap's own, of unlimited size, and writable to its owner
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("none", place, None, flags | kernel.MS_RDONLY)
    _write_frame({"ready": True})
    while (order := _read_frame()) is not None:
        _ORDERS[order["op"]](order)


def _read_frame() -> dict[str, Any] | None:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    frame: dict[str, Any] = json.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    return frame


def _write_frame(message: dict[str, Any]) -> None:
    raw = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(raw)) + raw)
    sys.stdout.buffer.flush()


# -- files -----------------------------------------------------------------------------------------


def _open_below(path: str, flags: int, mode: int = 0) -> int:
    """Open a name below the site; no part of it may be a link.  Raises ``OSError``."""
    root = os.open(SITE, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags |= os.O_CLOEXEC | os.O_NONBLOCK
        how = struct.pack("<QQQ", flags, mode, _BENEATH_WITHOUT_LINKS)
        buffer = ctypes.create_string_buffer(how, len(how))
        number = kernel.libc().syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(root),
            ctypes.c_char_p(path.encode("utf-8", "surrogateescape")),
            buffer,
            ctypes.c_size_t(len(how)),
        )
        if number < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return int(number)
    finally:
        os.close(root)


def _put(order: dict[str, Any]) -> None:
    data = sys.stdin.buffer.read(order["size"])
    path = order["path"]
    parent = f"{SITE}/{path}".rpartition("/")[0]
    os.makedirs(parent, exist_ok=True)
    number = _open_below(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(number, "wb") as file:
        file.write(data)
    _write_frame({})


def _get(order: dict[str, Any]) -> None:
    try:
        number = _open_below(order["path"], os.O_RDONLY)
    except OSError as error:
        _write_frame({"why": error.strerror})
        return
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        _write_frame({"why": "it is no regular file"})
        return
    with os.fdopen(number, "rb") as file:
        if status.st_size > order["limit"]:
            _write_frame({"why": f"it is larger than {order['limit']} bytes"})
            return
        data = file.read(status.st_size)
    _write_frame({"size": len(data), "executable": bool(status.st_mode & 0o111)})
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _list(order: dict[str, Any]) -> None:
    start = f"{SITE}/{order['path']}".rstrip("/")
    found: list[list[Any]] = []
    left_out = 0
    for folder, folders, files in os.walk(start):
        folders.sort()
        for name in sorted(files):
            path = f"{folder}/{name}"
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and len(found) < _LISTED:
                    inside = path.removeprefix(f"{SITE}/")
                    found.append([inside, status.st_size, bool(status.st_mode & 0o111)])
                    continue
            left_out += 1
    _write_frame({"files": found, "left_out": left_out})


# -- commands --------------------------------------------------------------------------------------


class _Limits(NamedTuple):
    cpu_s: float
    wall_s: float
    memory_bytes: int
    processes: int
    file_bytes: int
    output_bytes: int


class _Command:
    def __init__(self, index: int, outputs: Sequence[int]) -> None:
        self.index = index
        self.outputs = {number: bytearray() for number in outputs}  # standard output and error
        self.open = set(outputs)  # the kernel reuses the numbers of closed ones


def _run(order: dict[str, Any]) -> None:
    limits = _Limits(**order["limits"])
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = kernel.clone(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC)
    if child == 0:
        os.close(read_end)
        _oversee(order, limits, write_end)
    os.close(write_end)
    answer = bytearray()
    deadline = time.monotonic() + limits.wall_s + 10
    with selectors.DefaultSelector() as selector:
        selector.register(read_end, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(read_end, 1 << 20)
            if not part:
                break
            answer += part
    os.close(read_end)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
    try:
        message: dict[str, Any] = json.loads(answer)
    except ValueError:
        message = {"results": [], "killed": "the commands' overseer ended"}
    _write_frame(message)


def _oversee(order: dict[str, Any], limits: _Limits, answer: int) -> None:
    """Process 1 of a batch: gives up everything, runs the commands, reports, never returns."""
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which does not reach a process 1
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        cage.own_proc("/proc")
        kernel.drop_bounding_set()
        if os.getuid() != cage.UID:
            os.setgroups([])
            os.setresgid(cage.UID, cage.UID, cage.UID)
            os.setresuid(cage.UID, cage.UID, cage.UID)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.drop_capabilities()
        kernel.install_filter(filter.build_filter())
        os.umask(0o022)
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1):
            os.dup2(null, number)
        message = _Batch(order, limits).run()
    except BaseException as error:
        message = {"results": [], "killed": f"{type(error).__name__}: {error}"[:500]}
    raw = memoryview(json.dumps(message).encode())
    with contextlib.suppress(OSError):
        while raw:
            raw = raw[os.write(answer, raw) :]
    os._exit(0)


class _Batch:
    """Commands run side by side, a few at a time."""

    def __init__(self, order: dict[str, Any], limits: _Limits) -> None:
        self._waiting = list(enumerate(order["commands"]))
        self._parallel = order["parallel"]
        self._keep = order["keep"]
        self._limits = limits
        self._running: dict[int, _Command] = {}
        self._results: list[dict[str, Any] | None] = [None] * len(self._waiting)
        self._selector = selectors.DefaultSelector()
        self._output = 0

    def run(self) -> dict[str, Any]:
        deadline = time.monotonic() + self._limits.wall_s
        next_look = 0.0
        killed = None
        while (self._waiting or self._running) and killed is None:
            while self._waiting and len(self._running) < self._parallel:
                self._start(*self._waiting.pop(0))
            for key, _ in self._selector.select(_TICK_S):
                self._drain(key.fd, key.data)
            self._reap()
            now = time.monotonic()
            if now > next_look:
                next_look = now + _TICK_S
                if _memory_of_all() > self._limits.memory_bytes:
                    killed = "memory"
                elif usage.sockets() > _SOCKETS:
                    killed = "sockets"
            if now > deadline:
                killed = "wall"
            elif self._output > self._limits.output_bytes:
                killed = "output"
        # Whatever a command left running goes too; process 1 itself is spared by the kernel.
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        return {"results": self._results, "killed": killed}

    def _start(self, index: int, command: dict[str, Any]) -> None:
        out, err = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            _become(command, self._limits, out[1], err[1])
        os.close(out[1])
        os.close(err[1])
        running = _Command(index, (out[0], err[0]))
        self._running[pid] = running
        for number in running.outputs:
            os.set_blocking(number, False)
            self._selector.register(number, selectors.EVENT_READ, running)

    def _drain(self, number: int, command: _Command) -> bool:
        """Read what there is; false at the end of the output."""
        try:
            data = os.read(number, 1 << 16)
        except BlockingIOError:
            return True
        self._output += len(data)
        kept = command.outputs[number]
        kept += data[: max(0, self._keep - len(kept))]
        if not data:
            self._close(number, command)
        return bool(data)

    def _close(self, number: int, command: _Command) -> None:
        command.open.remove(number)
        self._selector.unregister(number)
        os.close(number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            command = self._running.pop(pid, None)
            if command is None:
                continue  # an orphan of some command
            for number in tuple(command.open):
                # Its own children may hold the other end open: what is there now is all we take.
                while number in command.open and self._there(number, command):
                    pass
            texts = [bytes(kept).decode("utf-8", "replace") for kept in command.outputs.values()]
            code = os.waitstatus_to_exitcode(status)
            self._results[command.index] = {"code": code, "out": texts[0], "err": texts[1]}

    def _there(self, number: int, command: _Command) -> bool:
        before = self._output
        if self._drain(number, command) and self._output > before:
            return True
        if number in command.open:
            self._close(number, command)
        return False


def _become(command: dict[str, Any], limits: _Limits, out: int, err: int) -> None:
    """Turn into a command, in the forked child; never returns."""
    try:
        import resource

        os.setsid()
        os.dup2(out, 1)
        os.dup2(err, 2)
        for kind, value in (
            (resource.RLIMIT_NPROC, limits.processes),
            (resource.RLIMIT_NOFILE, 1024),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_MEMLOCK, 65536),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_CPU, int(limits.cpu_s) + 1),
        ):
            resource.setrlimit(kind, (value, value))
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        os.chdir(command["cwd"])
        os.execve(command["argv"][0], command["argv"], command["environment"])
    except OSError as error:
        os.write(2, f"{command['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(126 if os.path.exists(command["argv"][0]) else 127)


def _memory_of_all() -> int:
    return sum(usage.held([int(name)]) for name in os.listdir("/proc") if name.isdigit())


_ORDERS = {"run": _run, "put": _put, "get": _get, "list": _list}
