"""The first process of a room: a sandbox in which an agent works for as long as one sample lasts.

A room has namespaces of its own for users, mounts, processes and IPC inside those of bubblewrap,
a root of read-only binds and one ``tmpfs``, and no network but its loopback.  What is started in
it lives until the room ends, so a shell, a server or a debugger started by one call is there for
the next.

The steward is process 1 of the room: without capabilities, the same user as everybody in it, not
to be looked into (undumpable) nor to be reached by signals.  It takes orders from the engine on
standard input, which no command inherits, and answers on standard output.  Both ways a frame is
the length of a JSON text, the text, and ``size`` further bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

from . import cage, filter, kernel, room_commands, room_files, usage
from .room_commands import Commands, Limits, NotStarted

_TICK_S, _IDLE_S = 0.05, 0.5
_PIECE = 1 << 20
_SOCKETS = 1024  # each can hold hundreds of kilobytes that no process is charged for
_TICKS_HZ = os.sysconf("SC_CLK_TCK")
_BEYOND = 1.25  # of the memory limit: then ending the largest process is not enough
_NO_SUCH_FILE, _NO_PERMISSION, _NOT_EXECUTABLE = 2, 13, 8


def main() -> None:
    """Have the room built and served until standard input ends."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    cage.close_all_but({0, 1, 2})  # bubblewrap leaves the namespace's descriptor open
    cage.no_core()
    # bubblewrap's namespaces may belong to a user namespace above ours: these are our own.
    _start(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC, _keep_door)


def _start(flags: int, then: Callable[[], None]) -> None:
    """Go on in new namespaces; this process only waits for that to end."""
    child = kernel.clone(flags)
    if child == 0:
        try:
            then()
        except BaseException as error:  # the sandbox's edge: said, then the end
            sys.stderr.write(f"the room's steward: {type(error).__name__}: {error}\n"[:500])
            sys.stderr.flush()
        finally:
            os._exit(0)
    os.close(0)
    os.close(1)
    os.waitpid(child, 0)


def _keep_door() -> None:
    """Between bubblewrap and the room: becomes its user, and prepares what it may mount."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    # The room may mount a /proc of its own where a whole one is there (mount_namespaces(7)).
    kernel.mount("proc", cage.SHUT, "proc", kernel.MS_NOSUID | kernel.MS_NODEV)
    cage.own_proc("/proc")
    cage.close_root()
    kernel.drop_bounding_set()
    if os.getuid() != cage.UID:
        os.setgroups([])
        os.setresgid(cage.UID, cage.UID, cage.UID)
        os.setresuid(cage.UID, cage.UID, cage.UID)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # after that: it clears this
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
    _start(kernel.CLONE_NEWUSER | flags, _keep_room)


def _keep_room() -> None:
    """Process 1 of the room."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    incoming, outgoing = (os.dup2(n, 200 + n, inheritable=False) for n in (0, 1))
    setup, _ = _read_first(incoming)
    _build(setup)
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)
    Steward(incoming, outgoing, Limits(**setup["limits"])).serve()


def _build(setup: dict[str, Any]) -> None:
    """Make the room's own root, then give up every privilege."""
    cage.map_identity(cage.UID, cage.UID)
    cage.build_root(cage.plan(setup["places"]), setup["token"], int(setup["disk_bytes"]))
    with contextlib.suppress(OSError):
        os.symlink("../usr/lib/os-release", "/etc/os-release")
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # process 1 is not reached by what it leaves alone
    os.umask(0o022)
    os.chdir(cage.WORK)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.install_filter(filter.steward_filter())
    filter.room_filter()  # made once, for all commands


def _read_first(number: int) -> tuple[dict[str, Any], bytes]:
    def exactly(size: int) -> bytes:
        raw = b""
        while len(raw) < size:
            part = os.read(number, size - len(raw))
            if not part:
                os._exit(0)
            raw += part
        return raw

    text = exactly(struct.unpack("<I", exactly(4))[0])
    setup: dict[str, Any] = json.loads(text)
    return setup, exactly(setup["size"])


class Steward:
    """Orders in, answers out, and an eye on the limits."""

    def __init__(self, incoming: int, outgoing: int, limits: Limits) -> None:
        self._in, self._out = incoming, outgoing
        self._limits = limits
        self._began = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._commands = Commands(self._selector, limits)
        self._orders = bytearray()
        self._answers = bytearray()
        self._spent: str | None = None
        self._wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)
        for number in (incoming, self._wake):
            self._selector.register(number, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the engine is gone."""
        self._answer({"ready": True})
        look = 0.0
        while True:
            busy = bool(self._commands.running) or len(room_commands.pids()) > 0
            for key, _ in self._selector.select(_TICK_S if busy else _IDLE_S):
                if key.fd == self._in:
                    if not self._listen():
                        return
                elif key.fd == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 512)
                elif key.fd == self._out:
                    self._flush()
                elif self._selector.get_map().get(key.fd) is key:  # neither closed nor reused
                    self._commands.serve(key.fd, *key.data)
            for command, code in self._commands.reap():
                self._ended(command.key, code, command.killed, command.outputs)
            now = time.monotonic()
            for late in self._commands.overdue(now):
                self._commands.stop(late, "timeout")
            if now > look:
                look = now + _TICK_S
                self._look(now)

    # -- limits ------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        if self._spent is None and now - self._began > self._limits.wall_s:
            self._spent = "wall"
        everybody = room_commands.pids()
        if not everybody:
            return
        if self._spent is None and _cpu_s(everybody) > self._limits.cpu_s:
            self._spent = "cpu"
        if self._spent is not None:
            self._commands.stop_all(self._spent)
            return
        held = sum(usage.held([pid]) for pid in everybody)
        if held > self._limits.memory_bytes * _BEYOND or usage.sockets() > _SOCKETS:
            self._commands.stop_all("memory")
        elif held > self._limits.memory_bytes:
            self._commands.stop_largest("memory")

    # -- orders ------------------------------------------------------------------------------------

    def _listen(self) -> bool:
        """Take what the engine says; false when it is gone."""
        try:
            part = os.read(self._in, _PIECE)
        except BlockingIOError:
            return True
        if not part:
            return False
        self._orders += part
        while len(self._orders) >= 4:
            size = struct.unpack_from("<I", self._orders)[0]
            if len(self._orders) < 4 + size:
                break
            order = json.loads(self._orders[4 : 4 + size])
            end = 4 + size + order["size"]
            if len(self._orders) < end:
                break
            data = bytes(self._orders[4 + size : end])
            del self._orders[:end]
            self._do(order, data)
        return True

    def _do(self, order: dict[str, Any], data: bytes) -> None:
        key = order["id"]
        if self._spent is not None and order["op"] != "stop":
            self._answer({"id": key, "spent": self._spent})
            return
        try:
            if order["op"] == "run":
                self._commands.start(key, order, data)
            elif order["op"] == "stop":
                for command in list(self._commands.running.values()):
                    if command.key == order["which"]:
                        self._commands.stop(command, "stopped")
            elif order["op"] == "read":
                content = room_files.read(order["path"], order["limit"])
                self._answer({"id": key}, content)
            elif order["op"] == "write":
                room_files.write(order["path"], data)
                self._answer({"id": key})
        except NotStarted as error:
            self._not_started(key, order, error)
        except OverflowError:
            self._answer({"id": key, "larger": True})
        except OSError as error:
            self._answer({"id": key, "errno": error.errno or 5, "text": error.strerror or "failed"})
        except (MemoryError, ValueError) as error:
            self._answer({"id": key, "errno": 22, "text": f"{type(error).__name__}"})

    def _not_started(self, key: int, order: dict[str, Any], error: NotStarted) -> None:
        reason = os.strerror(error.number)
        name = order["cwd"] if error.what == "cwd" else order["argv"][0]
        if error.what == "program" and error.number in (_NO_PERMISSION, _NOT_EXECUTABLE):
            self._answer({"id": key, "errno": _NO_PERMISSION, "text": reason})
            return
        text = bytearray(f"{name}: {reason}\n".encode("utf-8", "replace"))
        code = 127 if error.what == "program" and error.number == _NO_SUCH_FILE else 126
        self._ended(key, code, None, {"out": bytearray(), "err": text})

    # -- answers -----------------------------------------------------------------------------------

    def _ended(
        self, key: int, code: int, killed: str | None, outputs: dict[str, bytearray]
    ) -> None:
        out, err = bytes(outputs["out"]), bytes(outputs["err"])
        self._answer({"id": key, "code": code, "killed": killed, "out": len(out)}, out + err)

    def _answer(self, message: dict[str, Any], data: bytes = b"") -> None:
        raw = json.dumps({**message, "size": len(data)}).encode()
        if not self._answers:
            self._selector.register(self._out, selectors.EVENT_WRITE)
        self._answers += struct.pack("<I", len(raw)) + raw + data
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._answers:
                with memoryview(self._answers) as view:
                    sent = os.write(self._out, view[:_PIECE])
                del self._answers[:sent]
        if not self._answers:
            self._selector.unregister(self._out)


def _cpu_s(everybody: list[int]) -> float:
    """Processor seconds of all who are there and of all who have been: orphans end up with us."""
    times = os.times()
    total = times.children_user + times.children_system
    for pid in everybody:
        fields = room_commands.stat(pid)
        if fields:
            total += sum(int(value) for value in fields[11:15]) / _TICKS_HZ  # utime ... cstime
    return total
