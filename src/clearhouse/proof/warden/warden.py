"""The first process in the sandbox: takes jobs from the engine, has them run, reports what it saw.

Talks to the engine on standard input and output, in frames of a length and JSON.
"""

from __future__ import annotations

import array
import contextlib
import json
import mmap
import os
import secrets
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import asdict
from typing import Any

from . import cage, kernel, zygote
from .frames_python import Layout
from .trace import OPTIONS, Tracer, Watch

_REPORT_LIMIT = 4 << 20
_TICK_S = 0.01


class _Pipe:
    """The reading end of one of the run's outputs, kept up to a limit."""

    def __init__(self, keep: int) -> None:
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_end, False)
        self._keep, self.kept, self.size = keep, bytearray(), 0

    def drain(self) -> None:
        while True:
            try:
                data = os.read(self.read_end, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.size += len(data)
            self.kept += data[: max(0, self._keep - len(self.kept))]

    def close(self) -> None:
        os.close(self.read_end)


def main() -> None:
    """Serve until standard input ends."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    setup = _read_frame()
    if setup is None:
        return
    warden = _Warden(setup, wake_read)
    _write_frame(warden.hello)
    while (job := _read_frame()) is not None:
        _write_frame(warden.run(job))


def _read_frame() -> dict[str, Any] | None:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    raw = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
    frame: dict[str, Any] = json.loads(raw)
    return frame


def _write_frame(message: dict[str, Any]) -> None:
    raw = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(raw)) + raw)
    sys.stdout.buffer.flush()


class _Warden:
    def __init__(self, setup: dict[str, Any], wake: int) -> None:
        self._wake = wake
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket = mine
        self._zygote = kernel.clone(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC)
        if self._zygote == 0:
            mine.close()
            _become_zygote(theirs, setup)
        theirs.close()
        kernel.ptrace(kernel.PTRACE_SEIZE, self._zygote, 0, OPTIONS)
        self._tracer: Tracer | None = None
        hello = self._await_hello(float(setup["start_s"]))
        layout = hello["layout"]
        self._layout = Layout(**layout) if layout else None
        self.hello = {"problems": hello["problems"], "frames": layout is not None}

    def _await_hello(self, seconds: float) -> dict[str, Any]:
        """Let the zygote (and whatever its imports start) run until it reports."""
        idle = Tracer(_IDLE, None, secrets.token_hex(16), lambda: b"\0" * 16)
        idle.follow(self._zygote)
        self._socket.setblocking(False)
        deadline = time.monotonic() + seconds
        raw = b""
        while time.monotonic() < deadline:
            select.select([self._socket, self._wake], [], [], 0.2)
            self._clear_wake()
            idle.reap()
            with contextlib.suppress(BlockingIOError):
                part = self._socket.recv(1 << 20)
                if not part:
                    return {"layout": None, "problems": {"zygote": "ended while importing"}}
                raw += part
            if len(raw) >= 4 and len(raw) >= 4 + struct.unpack("<I", raw[:4])[0]:
                hello: dict[str, Any] = json.loads(raw[4:])
                return hello
        return {"layout": None, "problems": {"zygote": f"imports took over {seconds:.0f} s"}}

    def _clear_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run one job and return its record."""
        began = time.monotonic()
        key = secrets.token_hex(16)
        limits = cage.Limits.from_job(job["limits"])
        keep = min(limits.output_bytes, 1 << 16)
        out, err, report = _Pipe(keep), _Pipe(keep), _Pipe(_REPORT_LIMIT)
        marks_file = os.memfd_create("marks")
        os.ftruncate(marks_file, zygote.MARK_BYTES)
        marks = mmap.mmap(marks_file, zygote.MARK_BYTES)
        tracer = Tracer(Watch(**job["watch"]), self._layout, key, lambda: marks[:4096])
        tracer.follow(self._zygote)
        job["key"] = key
        self._send(job, [out.write_end, err.write_end, report.write_end, marks_file])
        for pipe in (out, err, report):
            os.close(pipe.write_end)
        os.close(marks_file)
        killed = self._loop(tracer, limits, out, err, report, began)
        tracer.close_measures()
        init = self._end_run(tracer)
        for pipe in (out, err, report):
            pipe.drain()
            pipe.close()
        marks_bytes = marks[16:4096].rstrip(b"\0").hex()
        marks.close()
        tracer.record.killed = killed
        return {
            **asdict(tracer.record),
            "init": init,
            "wall_total_s": time.monotonic() - began,
            "report": _messages(bytes(report.kept), key),
            "forged": _foreign(bytes(report.kept), key),
            "marks": marks_bytes,
            "output": {
                "out": out.kept.decode("utf-8", "backslashreplace"),
                "err": err.kept.decode("utf-8", "backslashreplace"),
                "bytes": out.size + err.size,
            },
        }

    def _send(self, job: dict[str, Any], descriptors: list[int]) -> None:
        raw = json.dumps(job).encode()
        self._socket.setblocking(True)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        self._socket.sendmsg([struct.pack("<I", len(raw))], [rights])
        # The zygote reads while it is traced: a large job needs us to let it go on.
        self._socket.sendall(raw)
        self._socket.setblocking(False)

    def _loop(
        self,
        tracer: Tracer,
        limits: cage.Limits,
        out: _Pipe,
        err: _Pipe,
        report: _Pipe,
        began: float,
    ) -> str | None:
        watched = [out.read_end, err.read_end, report.read_end, self._wake, self._socket]
        next_tick = began + _TICK_S
        while not tracer.finished:
            now = time.monotonic()
            ready, _, _ = select.select(watched, [], [], max(0.0, next_tick - now))
            self._clear_wake()
            tracer.reap()
            for pipe in (out, err, report):
                if pipe.read_end in ready:
                    pipe.drain()
            if self._socket in ready and self._ended():
                return None
            if out.size + err.size > limits.output_bytes or report.size > _REPORT_LIMIT:
                return "output"
            now = time.monotonic()
            if now >= next_tick:
                next_tick = now + _TICK_S
                tracer.tick()
                passed = tracer.exceeded(limits.cpu_s, limits.memory_bytes)
                if passed is None and now - began > limits.wall_s:
                    passed = "wall"
                if passed is not None:
                    tracer.last_sample()
                    return passed
        return None

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
        for child in _children(self._zygote):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + 5
        seen = b""
        tracer.finished = False
        while not seen.endswith(b"\0") and time.monotonic() < deadline:
            select.select([self._socket, self._wake], [], [], 0.05)
            self._clear_wake()
            tracer.finished = False
            tracer.reap()
            for child in _children(self._zygote):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            with contextlib.suppress(BlockingIOError):
                part = self._socket.recv(16)
                if not part:
                    return "zygote gone"
                seen += part
        return "ended" if seen.endswith(b"\0") else "stuck"


_IDLE = Watch("none", 1e9, 1 << 62, False, "none", False, 0)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(x) for x in file.read().split()]
    return []


def _become_zygote(connection: socket.socket, setup: dict[str, Any]) -> None:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount("proc", "/proc", "proc", flags)
        for place in ("/dev/shm", "/tmp"):  # what libraries try out when they are imported
            cage.tmpfs(place, "16m", "1777")
        if os.getuid() != cage.UID:
            os.setgroups([])
            os.setresgid(cage.UID, cage.UID, cage.UID)
            os.setresuid(cage.UID, cage.UID, cage.UID)
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1):  # standard error goes to the engine, for its message if this fails
            os.dup2(null, number)
        keep = os.dup2(connection.detach(), 100, inheritable=False)
        os.closerange(3, 100)
        os.closerange(101, 4096)
        zygote.serve(socket.socket(fileno=keep), setup["preload"], setup["search"])
    except BaseException as error:  # noqa: BLE001 - the sandbox's edge: said, then the end
        os.write(2, f"zygote: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(72)


def _messages(raw: bytes, key: str) -> list[dict[str, Any]]:
    prefix = key.encode()
    found = []
    for line in raw.split(b"\n"):
        if line.startswith(prefix):
            with contextlib.suppress(ValueError):
                found.append(json.loads(line.removeprefix(prefix)))
    return found


def _foreign(raw: bytes, key: str) -> int:
    """How many lines stand in the report that the runner did not write."""
    prefix = key.encode()
    return sum(1 for line in raw.split(b"\n") if line and not line.startswith(prefix))


if __name__ == "__main__":
    main()
