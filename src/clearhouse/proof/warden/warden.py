"""The first process in the sandbox: takes jobs from the engine, has them run, reports what it saw.

Talks to the engine on standard input and output, in frames of a length and JSON.  Nothing that a
run or an import does may keep it from its clock: each round of its loop does a limited amount of
work and then looks at the limits.
"""

from __future__ import annotations

import array
import binascii
import contextlib
import fcntl
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any

from . import cage, filter, kernel, usage, zygote
from .frames_python import Layout
from .outputs import Pipe, foreign_in, messages_of
from .record import Watch
from .trace import Tracer

_REPORT_LIMIT = 4 << 20
_WALL_FOR_CPU = 4.0  # how much a busy machine may stretch a second of processor time
_TICK_S, _IDLE_TICK_S = 0.005, 0.25
_TICKS_A_LOOK = 10
_IMPORT_BYTES = 2 << 30
_LOOKS = 3
_IDLE_CPU_S = 1.0
_STARTED_A_PLACE = 16  # processes that a run may start, for each that may be there at a time
_IDLE_S = 5.0  # nothing can reach a run from outside: what waits so long waits for ever
_SOCKETS = 1024
_OWN_UID = 65533  # of the namespace that bubblewrap.py makes when started by root
_KEPT = (kernel.CAP_DAC_READ_SEARCH, kernel.CAP_KILL, kernel.CAP_SYS_PTRACE)


def main() -> None:
    """Serve until standard input ends."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    cage.close_all_but({0, 1, 2})  # bubblewrap leaves the namespace's descriptor open
    cage.no_core()
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    setup = _read_frame()
    if setup is None:
        return
    warden = _Warden(setup, wake_read)
    _write_frame(warden.hello)
    while True:
        warden.wait()
        job = _read_frame()
        if job is None:
            return
        _write_frame(warden.run(job))


def _read_frame() -> dict[str, Any] | None:
    head = _exactly(4)
    raw = None if head is None else _exactly(struct.unpack("<I", head)[0])
    if raw is None:
        return None
    frame: dict[str, Any] = json.loads(raw)
    return frame


def _exactly(size: int) -> bytes | None:
    # Not through sys.stdin: what its buffer holds, select does not see.
    raw = bytearray()
    while len(raw) < size:
        part = os.read(0, min(1 << 20, size - len(raw)))
        if not part:
            return None
        raw += part
    return bytes(raw)


def _write_frame(message: dict[str, Any]) -> None:
    raw = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(raw)) + raw)
    sys.stdout.buffer.flush()


class _Warden:
    def __init__(self, setup: dict[str, Any], wake: int) -> None:
        self._wake = wake
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket, self._channel = mine, mine.fileno()
        self._zygote = kernel.clone(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC)
        if self._zygote == 0:
            mine.close()
            _become_zygote(theirs, setup)
        theirs.close()
        kernel.ptrace(kernel.PTRACE_SEIZE, self._zygote, 0, kernel.PTRACE_OPTIONS)
        _give_up()
        self._socket.sendall(b"\0")  # from now on nothing that the zygote starts goes unseen
        self._idle = Tracer(_IDLE, None, os.urandom(16).hex(), lambda: bytes(32))
        self._idle.follow(self._zygote)
        self._memory = int(setup.get("memory_bytes", _IMPORT_BYTES))
        self._socket.setblocking(False)
        hello = self._await_hello(float(setup["start_s"]))
        layout = hello["layout"]
        self._layout = Layout(**layout) if layout else None
        self.hello = {
            "problems": hello["problems"],
            "frames": layout is not None,
            "restored": hello.get("restored", []),
        }

    def _await_hello(self, seconds: float) -> dict[str, Any]:
        """Let the zygote (and whatever its imports start) run until it reports."""
        deadline = time.monotonic() + seconds
        why = f"importing it took over {seconds:g} s"
        raw = b""
        more = False
        while time.monotonic() < deadline:
            select.select([self._channel, self._wake], [], [], 0.0 if more else 5 * _TICK_S)
            self._clear_wake()
            more = self._idle.reap()
            with contextlib.suppress(BlockingIOError):
                part = self._socket.recv(1 << 20)
                if not part:
                    why = "importing it ended the process"
                    break
                raw += part
            if len(raw) >= 4 and len(raw) >= 4 + struct.unpack("<I", raw[:4])[0]:
                hello: dict[str, Any] = json.loads(raw[4:])
                if self._alone():
                    return hello
                why = "importing it left processes behind that keep starting others"
                break
            if self._idle.held_by_all() > self._memory:
                why = f"importing it took over {self._memory >> 20} MiB of memory"
                break
        self._kill_zygote()
        return {"layout": None, "problems": {"zygote": why}}

    def _alone(self) -> bool:
        """End every other process of the imports; true when the zygote is the only one left."""
        deadline = time.monotonic() + 2
        empty = 0
        # The kernel's list may leave one out while another one is just ending (proc(5)).
        while empty < _LOOKS:
            left = _children(self._zygote)
            empty = 0 if left else empty + 1
            _kill(left)
            self._idle.reap()
            if time.monotonic() > deadline:
                return False
        return True

    def _kill_zygote(self) -> None:
        _kill([self._zygote])
        deadline = time.monotonic() + 5
        while not self._idle.finished and time.monotonic() < deadline:
            self._idle.reap()
            time.sleep(0.001)

    def wait(self) -> None:
        """Until the engine says something, see to it that what was imported keeps quiet."""
        cpu = self._zygote_cpu()
        while True:
            ready, _, _ = select.select([0, self._wake], [], [], _IDLE_TICK_S)
            if 0 in ready:
                return
            self._clear_wake()
            self._idle.reap()
            _kill(_children(self._zygote))
            if self._too_large() or self._zygote_cpu() - cpu > _IDLE_CPU_S:
                _kill([self._zygote])  # the next run will say that it is gone

    def _too_large(self) -> bool:
        return usage.held([self._zygote]) > self._memory

    def _zygote_cpu(self) -> float:
        with contextlib.suppress(OSError):
            return time.clock_gettime(kernel.cpu_clock(self._zygote))
        return 0.0

    def _clear_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run one job and return its record."""
        began = time.monotonic()
        key = os.urandom(16).hex()
        limits = cage.Limits.from_job(job["limits"])
        keep = min(limits.output_bytes, 1 << 16)
        out, err, report = Pipe(keep), Pipe(keep), Pipe(_REPORT_LIMIT)
        marks_file = _sealed("marks", bytes(zygote.MARK_BYTES), fcntl.F_SEAL_SHRINK)
        marks = mmap.mmap(marks_file, zygote.MARK_BYTES)
        tracer = Tracer(Watch(**job["watch"]), self._layout, key, lambda: marks[:])
        tracer.follow(self._zygote, namespaces=1)
        job["key"] = key
        data = binascii.a2b_base64(job.pop("input"))
        given = [out.write_end, err.write_end, report.write_end, marks_file]
        given.append(_sealed("input", data, fcntl.F_SEAL_WRITE))
        if job["runtime"] != "python":
            rest = json.dumps({"key": key, **job.pop("extra")}).encode()
            given.append(_sealed("job", rest, fcntl.F_SEAL_WRITE))
        try:
            killed, problem = self._guarded(tracer, job, given, limits, out, err, report, began)
        finally:
            for number in given:
                os.close(number)
        tracer.close_measures()
        init = self._end_run(tracer)
        for pipe in (out, err, report):
            pipe.drain()
            pipe.close()
        messages = messages_of(bytes(report.kept), key)
        marks_bytes = marks[16:-32].rstrip(b"\0").hex()
        number = int.from_bytes(marks[:8], "little")
        sent, lost, handed, _ = struct.unpack("<4Q", marks[-32:])
        marks.close()
        tracer.record.killed = killed
        return {
            **vars(tracer.record),
            "init": init,
            "problem": problem,
            "wall_total_s": time.monotonic() - began,
            "report": messages,
            "forged": foreign_in(bytes(report.kept), key),
            "marks": marks_bytes,
            "number": number,
            "given": handed,
            "missing": bool(lost) or sent > len(messages),
            "output": {
                "out": out.kept.decode("utf-8", "backslashreplace"),
                "err": err.kept.decode("utf-8", "backslashreplace"),
                "bytes": out.size + err.size,
            },
        }

    def _guarded(
        self,
        tracer: Tracer,
        job: dict[str, Any],
        given: list[int],
        limits: cage.Limits,
        out: Pipe,
        err: Pipe,
        report: Pipe,
        began: float,
    ) -> tuple[str | None, str | None]:
        """Send the job and look after it; which limit ended it, and what went wrong here."""
        try:
            if not self._send(tracer, job, given, began + limits.wall_s):
                return None, None
            return self._loop(tracer, limits, out, err, report, began), None
        except Exception as error:  # what the run wrote into its memory must not end us
            return "observer", f"{type(error).__name__}: {error}"[:300]

    def _send(
        self, tracer: Tracer, job: dict[str, Any], descriptors: list[int], deadline: float
    ) -> bool:
        """Hand the zygote a job; it is traced while it reads, and so needs us to let it go on."""
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        raw = json.dumps(job).encode()
        try:
            self._socket.sendmsg([struct.pack("<I", len(raw))], [rights])
            rest = memoryview(raw)
            while rest and time.monotonic() < deadline:
                with contextlib.suppress(BlockingIOError):
                    rest = rest[self._socket.send(rest) :]
                    continue
                select.select([self._wake], [self._channel], [], _TICK_S)
                self._clear_wake()
                tracer.reap()
        except OSError:
            return False  # the zygote is gone
        return not rest

    def _loop(
        self,
        tracer: Tracer,
        limits: cage.Limits,
        out: Pipe,
        err: Pipe,
        report: Pipe,
        began: float,
    ) -> str | None:
        watched = [0, out.read_end, err.read_end, report.read_end, self._wake, self._channel]
        next_tick = began + _TICK_S
        ticks, more = 0, False
        while not tracer.finished:
            wait = 0.0 if more else max(0.0, next_tick - time.monotonic())
            ready, _, _ = select.select(watched, [], [], wait)
            self._clear_wake()
            more = tracer.reap()
            for pipe in (out, err, report):
                if pipe.read_end in ready:
                    pipe.drain()
            if 0 in ready:
                os._exit(0)  # the engine says nothing during a run: it is gone
            if self._channel in ready and self._ended():
                return None
            if out.size + err.size > limits.output_bytes or report.size > _REPORT_LIMIT:
                return "output"
            now = time.monotonic()
            if now >= next_tick:
                ticks += 1
                tracer.tick()
                passed = tracer.exceeded(limits.cpu_s, limits.memory_bytes)
                allowed = min(limits.wall_s, limits.idle_s + _WALL_FOR_CPU * tracer.cpu_s())
                if passed is None and now - began > allowed:
                    passed = "wall"
                if passed is None and now - tracer.busy_at > _IDLE_S:
                    passed = "idle"
                if passed is None and tracer.started > _STARTED_A_PLACE * limits.processes:
                    passed = "processes"
                if passed is None and ticks % _TICKS_A_LOOK == 0:
                    passed = self._look()
                # Many processes take long to look at: no more than a fifth of the time goes there.
                looked = time.monotonic()
                next_tick = looked + max(_TICK_S, 4 * (looked - now))
                if passed is not None:
                    tracer.last_sample()
                    return passed
        return None

    def _look(self) -> str | None:
        """Limits that need not be looked at so often."""
        if usage.sockets() > _SOCKETS:
            return "sockets"
        return "memory" if self._too_large() else None

    def _ended(self) -> bool:
        """Whether the zygote says that the run's first process is gone (0 after 1)."""
        with contextlib.suppress(BlockingIOError):
            answer = self._socket.recv(1, socket.MSG_PEEK)
            if answer == b"\1":
                self._socket.recv(1)
                return False
            return True
        return False

    def _end_run(self, tracer: Tracer) -> str:
        """Kill what is left of the run, and wait until the zygote has seen it go."""
        deadline = time.monotonic() + 5
        seen = b""
        more = False
        while not seen.endswith(b"\0"):
            # All of them: waitpid(2) may report the busy ones for ever, and never their first process.
            _kill({*_children(self._zygote), *tracer.others()})
            tracer.finished = False  # the run itself is; what belongs to it may not be
            with contextlib.suppress(Exception):  # as in _guarded
                more = tracer.reap()
            with contextlib.suppress(BlockingIOError):
                try:
                    part = self._socket.recv(16)
                except ConnectionError:
                    part = b""
                if not part:
                    return "zygote gone"
                seen += part
                continue
            if time.monotonic() > deadline:
                _kill([self._zygote])
                return "stuck"
            select.select([self._channel, self._wake], [], [], 0.0 if more else 0.05)
            self._clear_wake()
        return "ended"


def _sealed(name: str, data: bytes, seals: int) -> int:
    """A file in memory that its other users can neither resize nor unseal; at its start."""
    number = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(number, rest) :]
    os.lseek(number, 0, os.SEEK_SET)
    always = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(number, fcntl.F_ADD_SEALS, seals | always)
    return number


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _give_up() -> None:
    """Keep only what tracing needs: parsers of foreign memory run in this process."""
    if os.getuid() == 0:
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(_OWN_UID, _OWN_UID, _OWN_UID)
        os.setresuid(_OWN_UID, _OWN_UID, _OWN_UID)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities(_KEPT)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user has cleared it
    kernel.install_filter(filter.warden_filter())


_IDLE = Watch("none", 1e9, 1 << 62, False, "none", False, 0)


def _children(pid: int) -> list[int]:
    """The living children of a process."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [child for child in map(int, file.read().split()) if not _dead(child)]
    return []


def _dead(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b") ")[2][:1] in b"ZX"
    return True


def _become_zygote(connection: socket.socket, setup: dict[str, Any]) -> None:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        # A run may mount a /proc of its own where a whole one is there (mount_namespaces(7)).
        kernel.mount("proc", cage.SHUT, "proc", kernel.MS_NOSUID | kernel.MS_NODEV)
        cage.own_proc("/proc")
        for place in ("/dev/shm", "/tmp"):  # what libraries try out when they are imported
            cage.tmpfs(place, 16 << 20, "1777")
        cage.close_root()
        kernel.drop_bounding_set()
        if os.getuid() != cage.UID:
            os.setgroups([])
            os.setresgid(cage.UID, cage.UID, cage.UID)
            os.setresuid(cage.UID, cage.UID, cage.UID)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1):  # standard error goes to the engine, for its message if this fails
            os.dup2(null, number)
        connection.recv(1)
        keep = os.dup2(connection.detach(), 100, inheritable=False)
        cage.close_all_but({0, 1, 2, keep})
        zygote.serve(
            socket.socket(fileno=keep), setup["preload"], setup["search"], python=setup["python"]
        )
    except BaseException as error:  # the sandbox's edge: said, then the end
        os.write(2, f"zygote: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(72)
