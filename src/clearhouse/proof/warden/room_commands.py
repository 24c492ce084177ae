"""Commands of a room: started, fed, listened to, and ended with everything that they started.

A command that ends leaves its background processes running: a server started by one call is there
for the next.  One that is stopped takes along all that descends from it or shares its session.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from . import filter, kernel, usage

_PIECE = 1 << 16
_LISTENED = 256  # outputs of left-behind processes that are still read, so that none of them blocks
_ROUNDS = 5
_NICE = 5  # whoever judges or serves beside it goes first


class Limits(NamedTuple):
    """What a room may use: everything together, but for the size of a file."""

    cpu_s: float
    wall_s: float
    memory_bytes: int
    processes: int
    file_bytes: int


class Command:
    """A command that runs: what was kept of its outputs, what is still to be fed to it."""

    def __init__(self, key: int, pid: int, order: dict[str, Any], data: bytes) -> None:
        self.key, self.pid = key, pid
        self.outputs = {"out": bytearray(), "err": bytearray()}
        self.limit = int(order["limit"])
        self.deadline = time.monotonic() + order["timeout"] if order["timeout"] else None
        self.rest = memoryview(data)
        self.killed: str | None = None
        self.over = False


class NotStarted(Exception):
    """A command could not become what it should: the error's number and what it was about."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, what)
        self.number, self.what = number, what


class Commands:
    """All commands of a room."""

    def __init__(self, selector: selectors.BaseSelector, limits: Limits) -> None:
        self._selector = selector
        self._limits = limits
        self.running: dict[int, Command] = {}  # by process
        self._left: list[int] = []

    def start(self, key: int, order: dict[str, Any], data: bytes) -> None:
        """Start one.  Raises :class:`NotStarted`, ``OSError`` where there is no room for it."""
        with contextlib.ExitStack() as undo:
            ends: list[tuple[int, int]] = []
            for _ in range(4):  # input, output, error, and how becoming it went
                ends.append(os.pipe2(os.O_CLOEXEC))
                undo.callback(_close, ends[-1])
            pid = os.fork()
            if pid == 0:
                _become(order, self._limits, ends)
            os.close(ends[3][1])
            told = os.read(ends[3][0], 16)  # ends when the command has become another program
            os.close(ends[3][0])
            if told:
                os.waitpid(pid, 0)
                code, _, what = told.decode().partition(" ")
                raise NotStarted(int(code), what)
            undo.pop_all()
        for number in (ends[0][0], ends[1][1], ends[2][1]):
            os.close(number)
        command = Command(key, pid, order, data)
        self.running[pid] = command
        for number, name in ((ends[1][0], "out"), (ends[2][0], "err")):
            os.set_blocking(number, False)
            self._selector.register(number, selectors.EVENT_READ, (command, name))
        if data:
            os.set_blocking(ends[0][1], False)
            self._selector.register(ends[0][1], selectors.EVENT_WRITE, (command, "in"))
        else:
            os.close(ends[0][1])

    def serve(self, number: int, command: Command, name: str) -> bool:
        """Move what there is to be moved; false when that way is closed or empty."""
        try:
            if name == "in":
                command.rest = command.rest[os.write(number, command.rest[:_PIECE]) :]
                if not command.rest:
                    self._close(number)
                return bool(command.rest)
            data = os.read(number, _PIECE)
        except BlockingIOError:
            return False
        except OSError:  # it does not want any more
            self._close(number)
            return False
        if not data:
            self._close(number)
            return False
        if not command.over:  # what it leaves behind is read, so that it can go on, and not kept
            kept = command.outputs[name]
            kept += data
            if len(kept) > command.limit:
                del kept[command.limit :]
                self.stop(command, f"output:{name}")
        return True

    def reap(self) -> list[tuple[Command, int]]:
        """Collect who has ended: commands with their exit codes, and orphans."""
        ended = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            command = self.running.pop(pid, None)
            if command is None:
                continue  # an orphan of some command
            self._drain(command)
            command.over = True
            code = os.waitstatus_to_exitcode(status)
            ended.append((command, 128 - code if code < 0 else code))
        return ended

    def overdue(self, now: float) -> list[Command]:
        """The commands whose time is over."""
        return [c for c in self.running.values() if c.deadline is not None and now > c.deadline]

    def stop(self, command: Command, why: str) -> None:
        """End a command and what it started."""
        command.killed = command.killed or why
        for _ in range(_ROUNDS):  # it may be forking
            found = _family(command.pid)
            kill(found)
            if len(found) <= 1:
                break

    def stop_all(self, why: str) -> None:
        """End every process of the room but process 1, which the kernel spares."""
        for command in self.running.values():
            command.killed = command.killed or why
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)

    def stop_largest(self, why: str) -> None:
        """End the process that holds most memory; the command that it is says why."""
        sizes = {pid: usage.held([pid]) for pid in pids()}
        if sizes:
            largest = max(sizes, key=lambda pid: sizes[pid])
            for command in self.running.values():
                if largest == command.pid or largest in _family(command.pid):
                    command.killed = command.killed or why
            kill([largest])

    def _drain(self, command: Command) -> None:
        """Read what has been written so far; later on only so that who writes can go on."""
        keys = list(self._selector.get_map().values())
        for key in [k for k in keys if k.data is not None and k.data[0] is command]:
            name = key.data[1]
            if name == "in":
                self._close(key.fd)
                continue
            before = -1
            while len(command.outputs[name]) != before and command.killed is None:
                before = len(command.outputs[name])
                if not self.serve(key.fd, command, name):
                    break
            if key.fd in self._selector.get_map():
                self._left.append(key.fd)
        while len(self._left) > _LISTENED:
            oldest = self._left[0]
            self._close(oldest)

    def _close(self, number: int) -> None:
        self._selector.unregister(number)
        os.close(number)
        if number in self._left:
            self._left.remove(number)


def pids() -> list[int]:
    """Every process of the room but process 1."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def kill(numbers: Iterable[int]) -> None:
    """End processes at once."""
    for pid in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stat(pid: int) -> list[bytes]:
    """The fields of ``/proc/PID/stat`` from the third on (proc(5)); empty where it is gone."""
    with contextlib.suppress(OSError):
        return usage.read(f"/proc/{pid}/stat", 1024).rpartition(b") ")[2].split()
    return []


def _family(leader: int) -> list[int]:
    """A command's process with all that descend from it or share its session."""
    parents, found = {}, {leader}
    for pid in pids():
        fields = stat(pid)
        if not fields or fields[0] in b"ZX":
            continue
        parents[pid] = int(fields[1])
        if int(fields[3]) == leader:
            found.add(pid)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(pid for pid in found if pid in parents)


def _close(ends: tuple[int, int]) -> None:
    for number in ends:
        with contextlib.suppress(OSError):
            os.close(number)


def _become(order: dict[str, Any], limits: Limits, ends: list[tuple[int, int]]) -> None:
    """Turn into a command, in the forked child; never returns."""
    what = "cwd"
    try:
        os.setsid()
        os.nice(_NICE)
        for number, target in ((ends[0][0], 0), (ends[1][1], 1), (ends[2][1], 2)):
            os.dup2(number, target)
        for kind, value in (
            (resource.RLIMIT_NPROC, limits.processes),
            (resource.RLIMIT_NOFILE, 1024),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_MEMLOCK, 65536),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_SIGPENDING, 1024),
            (resource.RLIMIT_CPU, int(limits.cpu_s) + 1),
        ):
            resource.setrlimit(kind, (value, value))
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.chdir(order["cwd"])
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        kernel.install_filter(filter.room_filter())
        what = "program"
        os.execvpe(order["argv"][0], order["argv"], order["environment"])
    except OSError as error:
        os.write(ends[3][1], f"{error.errno} {what}".encode())
    finally:
        os._exit(127)
