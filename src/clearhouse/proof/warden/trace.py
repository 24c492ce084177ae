"""The tracer: follows every process of one run and records what the kernel shows of it.

Recorded are changes outside the working folder, opening of the canary, started programs, network
attempts, fatal signals, processor time, memory and samples of the stack.  The run is stopped while
its stack is read, so the frames are those of that very moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from . import filter as seccomp
from . import kernel, paths
from .frames_python import Layout
from .measures import Measures
from .record import Record, Watch
from .schedule import Schedule
from .threads import Exec, Task, frames_at_birth, stack_of

_WALL = 0x40000000
_EVENT_EXIT = 6
_FATAL = {
    signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGTRAP,
    signal.SIGSYS,
}  # fmt: skip
_STOPS = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
_MAX_EVENTS, _MAX_TEMPORARY, _MAX_SAMPLES = 64, 4, 48
_HEADWAY_S = 0.005  # processor time that says that a run is doing something
_BLOCKED = {-1, -13, -30}  # EPERM, EACCES, EROFS: only this sandbox stood in the way


class Tracer:
    """Follows one run from its ``start`` mark to its end."""

    def __init__(
        self, watch: Watch, layout: Layout | None, key: str, marks: Callable[[], bytes]
    ) -> None:
        self._watch, self._layout, self._key, self._marks = watch, layout, key, marks
        self.record = Record()
        self._tasks: dict[int, Task] = {}
        self._early: set[int] = set()
        self._main: int | None = None  # thread group of the run itself
        self._base_cpu: float | None = None
        self._base_rss = self._base_held = 0
        self._passing = 0  # events about temporary files
        self._began = time.monotonic()
        self._called = 0.0
        self._execs_left = watch.runtime_execs
        self._measures = Measures(self._tasks)
        self._groups = self._measures.groups
        self._followed = self._namespaces = 0
        self._leader_ended = False
        self._sampling: int | None = None  # the thread that is asked to stop for a sample
        self._threads_cpu: dict[int, float] = {}
        self._busy_cpu, self.busy_at = 0.0, time.monotonic()  # when it last made headway
        self._schedule = Schedule(watch)
        self.started = 0  # processes and threads that the run has made so far
        self.finished = False

    # -- the loop's two entries ------------------------------------------------------------------

    def reap(self, at_most: int = 128) -> bool:
        """Handle stops and exits that are waiting; true when there may be more of them.

        A run that does nothing but system calls must not keep us from looking at its limits.
        """
        for _ in range(at_most):
            if self.finished:
                return False
            try:
                tid, status = os.waitpid(-1, _WALL | os.WNOHANG)
            except ChildProcessError:
                self.finished = True
                return False
            if tid == 0:
                return False
            self.handle(tid, status)
        return True

    def tick(self) -> None:
        """Measure, and ask for a sample of the stack where the watch wants one."""
        if self._main is None:
            self.busy_at = time.monotonic()  # we are at work ourselves
        if self._main is None or self.finished:
            return
        cpu, rss = self._measures.cpu(), self._measures.resident()
        self.record.rss_bytes = max(self.record.rss_bytes, rss)
        if cpu > self._busy_cpu + _HEADWAY_S:
            self._busy_cpu, self.busy_at = cpu, time.monotonic()
        if self._base_cpu is None:
            return
        growth = rss - self._base_rss
        self.record.rss_call_bytes = max(self.record.rss_call_bytes, growth)
        if not self._schedule.is_due(cpu - self._base_cpu, growth):
            return
        busiest = self._busiest()
        if self._sampling is None and len(self.record.samples) < _MAX_SAMPLES:
            self._sampling = busiest
            with contextlib.suppress(OSError):
                kernel.ptrace(kernel.PTRACE_INTERRUPT, busiest)

    def _busiest(self) -> int:
        """The thread that took most processor time of late: the one whose stack says why."""
        assert self._main is not None
        if self._watch.stack != "python":
            return self._main
        found, most = self._main, 0.0
        for task in self._tasks.values():
            if task.tgid not in self._groups:
                continue
            with contextlib.suppress(OSError):
                now = time.clock_gettime(kernel.thread_cpu_clock(task.tid))
                spent = now - self._threads_cpu.get(task.tid, 0.0)
                self._threads_cpu[task.tid] = now
                if spent > most:
                    found, most = task.tid, spent
        return found

    def others(self) -> set[int]:
        """Every process and thread that is followed, but for the one that the warden seized."""
        return self._tasks.keys() - {self._followed}

    def cpu_s(self) -> float:
        """Processor time of the run so far, in seconds."""
        return self._measures.cpu() if self._main is not None else 0.0

    def exceeded(self, cpu_s: float, memory_bytes: int) -> str | None:
        """Which limit the run has passed, if any: ``"cpu"`` or ``"memory"``."""
        if self._main is None:
            return None
        base = self._base_cpu if self._base_cpu is not None else 0.0
        if self._measures.cpu() - base > cpu_s:
            return "cpu"
        over = self._measures.held() - self._base_held > memory_bytes
        really = over and self._measures.really_over(self._base_held + memory_bytes)
        return "memory" if really else None

    def held_by_all(self) -> int:
        """Bytes held by every process that is followed, whether it belongs to a run or not."""
        return self._measures.held({task.tgid for task in self._tasks.values()})

    def last_sample(self) -> None:
        """Stop the busiest thread and read its stack once more, before it is killed."""
        if self._main is None or self._leader_ended:
            return
        self._sampling = wanted = self._busiest()
        with contextlib.suppress(OSError):
            kernel.ptrace(kernel.PTRACE_INTERRUPT, wanted)
            deadline = time.monotonic() + 0.2
            while time.monotonic() < deadline and not self.finished:
                tid, status = os.waitpid(-1, _WALL | os.WNOHANG)
                if tid == 0:
                    time.sleep(0.001)
                    continue
                self.handle(tid, status)
                if not self._samples_wanted():
                    return

    def _samples_wanted(self) -> bool:
        return self._sampling is not None

    def close_measures(self) -> None:
        """Take the last readings of processor time before the run's processes are gone."""
        if self._main is None:
            return
        cpu = self._measures.cpu()
        self.record.cpu_s = max(self.record.cpu_s, cpu)
        now = time.monotonic()
        self.record.wall_s = now - self._began
        if self._base_cpu is not None:
            self.record.cpu_call_s = max(self.record.cpu_call_s, cpu - self._base_cpu)
            self.record.wall_call_s = now - self._called

    # -- stops -------------------------------------------------------------------------------------

    def handle(self, tid: int, status: int) -> None:
        """Answer one report of ``waitpid``."""
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self._ended(tid, status)
            return
        if not os.WIFSTOPPED(status):
            return
        event, stop = status >> 16, os.WSTOPSIG(status)
        task = self._tasks.get(tid)
        try:
            if task is None:
                if event == kernel.EVENT_STOP:
                    self._early.add(tid)  # born; its parent's fork event says whose child it is
                    return
                task = self._adopt(tid, None)
            self._stopped(task, event, stop)
        except ProcessLookupError:
            pass  # killed while we looked at it; its exit is reported next

    def follow(self, tid: int, *, namespaces: int = 0) -> None:
        """Take on a process that was seized by the warden itself.

        ``namespaces`` is how often it may still start a process in namespaces of its own.
        """
        self._adopt(tid, None)
        self._followed, self._namespaces = tid, namespaces

    def _stopped(self, task: Task, event: int, stop: int) -> None:
        deliver = 0
        if event in (kernel.EVENT_FORK, kernel.EVENT_VFORK, kernel.EVENT_CLONE):
            self._forked(task, kernel.event_message(task.tid))
        elif event == kernel.EVENT_EXEC:
            self._executed(task)
        elif event == kernel.EVENT_SECCOMP:
            if self._called_kernel(task):
                kernel.ptrace(kernel.PTRACE_SYSCALL, task.tid)
                return
        elif event == _EVENT_EXIT:
            self._exiting(task)
        elif event == kernel.EVENT_STOP:
            if task.tid == self._sampling:
                self._sampling = None
                self._sample(task)
        elif stop == signal.SIGTRAP | 0x80:
            pending, task.pending = task.pending, None
            if pending is not None:
                pending(kernel.registers(task.tid).result)
        else:
            deliver = stop
            if stop in _FATAL and task.tgid in self._groups:
                self._fatal(task, stop)
        kernel.ptrace(kernel.PTRACE_CONT, task.tid, 0, deliver)

    def _adopt(self, tid: int, parent: Task | None) -> Task:
        status = paths.status(tid)
        tgid = int(status.get("Tgid", tid))
        task = Task(tid, tgid)
        if parent is not None:
            task.origin = parent.origin
            task.python_thread = parent.python_thread
            if tgid == parent.tgid:
                task.python_thread = int(status.get("NSpid", str(tid)).split()[-1])
            if parent.tgid in self._groups:
                self._groups.add(tgid)
        self._tasks[tid] = task
        return task

    def _forked(self, parent: Task, tid: int) -> None:
        task = self._adopt(tid, parent)
        self.started += parent.tgid in self._groups
        if self._watch.stack == "native" and parent.tgid in self._groups:
            task.birth = parent.origin or frames_at_birth(parent)
        if self._watch.stack == "javascript" and parent.tgid != task.tgid in self._groups:
            task.birth = self.stack(parent, native=False)
        if tid in self._early:
            self._early.discard(tid)
            with contextlib.suppress(ProcessLookupError):
                kernel.ptrace(kernel.PTRACE_CONT, task.tid)

    def _exiting(self, task: Task) -> None:
        """The last look at a thread: its process may go on without it, its leader included."""
        if task.tgid not in self._groups:
            return
        self._measures.look(task.tgid)
        if task.tid != task.tgid:
            return
        self._leader_ended |= task.tid == self._main
        with contextlib.suppress(OSError, ValueError):
            peak = int(paths.status(task.tid).get("VmHWM", "0 kB").split()[0]) * 1024
            self.record.rss_bytes = max(self.record.rss_bytes, peak)
            if self._base_cpu is not None and task.tgid == self._main:
                growth = peak - self._base_rss
                self.record.rss_call_bytes = max(self.record.rss_call_bytes, growth)

    def _ended(self, tid: int, status: int) -> None:
        self._tasks.pop(tid, None)
        self._early.discard(tid)
        if tid == self._sampling:
            self._sampling = None
        if tid in self._groups:  # a leader is reported when all its threads have ended
            self._measures.ended(tid)
        if tid == self._main:
            self.record.exit_status = status
            self.finished = True

    def _fatal(self, task: Task, number: int) -> None:
        code, _, address = kernel.signal_info(task.tid)
        self.record.fatal = {
            "signal": signal.Signals(number).name,
            # SI_USER and friends are not positive: somebody sent it; a fault's code is positive
            "sent": code <= 0,
            "address": address if code > 0 else None,
            "main": task.tgid == self._main,
            "stack": self.stack(task, native=True),
            "call": self._call_mark(),
        }

    def _sample(self, task: Task) -> None:
        self.record.samples.append(
            {
                "stack": self.stack(task, native=False),
                "cpu_s": self._measures.cpu(),
                "rss_bytes": self._measures.resident(),
                "call": self._call_mark(),
            }
        )

    # -- system calls ------------------------------------------------------------------------------

    def _called_kernel(self, task: Task) -> bool:
        """Look at a reported system call; true when its result is wanted too."""
        registers = kernel.registers(task.tid)
        number = registers.number
        if number == 87 and self._main in (None, task.tgid) and self._mark(task, registers):
            return False
        if number == seccomp.CLONE:
            if self._namespaces and task.tgid == self._followed:
                self._namespaces -= 1
            else:
                kernel.refuse(task.tid)
            return False
        if number == seccomp.MMAP:
            self._measures.shared += -(-registers.args[1] // 4096) * 4096
            return False
        if task.tgid not in self._groups:
            return False
        if number in (seccomp.EXECVE, seccomp.EXECVEAT):
            where = registers.args[1 if number == seccomp.EXECVEAT else 0]
            program = paths.text(task.tid, where)
            arguments = paths.arguments(
                task.tid, registers.args[2 if number == seccomp.EXECVEAT else 1]
            )
            stack = None if self._execs_left else self.stack(task, native=self._watch.unwind)
            # Searching PATH fails for every folder but one; that is no event.
            task.pending = lambda _: task.forget_exec()
            task.executing = Exec(program, arguments, stack)
            return True
        if number in (seccomp.CONNECT, seccomp.SENDTO, seccomp.SENDMSG, seccomp.SENDMMSG):
            self._network(task, registers)
            return False
        if number in (seccomp.OPEN, seccomp.OPENAT):
            return self._opening(task, registers)
        return self._changing(task, registers)

    def _executed(self, task: Task) -> None:
        task.pending = None
        # The thread that asked for it may have been another one; it has the leader's number now.
        asked = self._tasks.get(kernel.event_message(task.tid), task)
        executing, asked.executing = asked.executing, None
        if task.tgid not in self._groups:
            return
        if self._execs_left:
            self._execs_left -= 1
            return
        if task.origin is None:
            executing = executing or Exec("?", [], None)
            task.origin = executing.stack or []
            self._event(
                "execute",
                task,
                executing.stack,
                program=executing.program,
                arguments=executing.arguments,
            )

    def _network(self, task: Task, registers: kernel.Registers) -> None:
        number = registers.number
        if number == seccomp.CONNECT:
            address = paths.address(task.tid, registers.args[1])
        elif number == seccomp.SENDTO:
            address = paths.address(task.tid, registers.args[4])
        else:
            address = paths.message_address(task.tid, registers.args[1])
        if address is not None:
            self._event("connect", task, None, address=address)

    def _opening(self, task: Task, registers: kernel.Registers) -> bool:
        at = registers.number == seccomp.OPENAT
        folder = _signed(registers.args[0]) if at else paths.AT_FDCWD
        where, flags = (registers.args[1], registers.args[2]) if at else registers.args[:2]
        writing = bool(flags & seccomp.O_WRITING)
        path = paths.text(task.tid, where)
        if not writing and path.startswith(("/usr/", "/target/", "/runtime/", "/proc/", "/sys/")):
            if ".." not in path:
                return False
        task.pending = lambda result: self._opened(task, folder, path, writing, result)
        return True

    def _opened(self, task: Task, folder: int, path: str, writing: bool, result: int) -> None:
        if result >= 0:
            real = paths.of_descriptor(task.tid, result)
            if writing and paths.outside(real):
                self._event("write-outside", task, None, path=real, how="open", blocked=False)
            elif not writing and real == "/canary/token":
                self._event("read-outside", task, None, path=real)
        elif writing and result in _BLOCKED:
            real = paths.resolve(task.tid, folder, path)
            if paths.outside(real):
                self._event("write-outside", task, None, path=real, how="open", blocked=True)

    def _changing(self, task: Task, registers: kernel.Registers) -> bool:
        name = seccomp.CHANGES[registers.number]
        places = [
            paths.resolve(task.tid, folder, paths.text(task.tid, where))
            for folder, where in paths.named_by(name, registers.args)
        ]
        outside = [place for place in places if paths.outside(place)]
        if not outside:
            return False
        stack = self.stack(task, native=self._watch.unwind)
        task.pending = lambda result: self._changed(task, name, outside, stack, result)
        return True

    def _changed(
        self, task: Task, how: str, places: list[str], stack: list[dict[str, Any]], result: int
    ) -> None:
        if result >= 0 or result in _BLOCKED:
            for place in places:
                self._event("write-outside", task, stack, path=place, how=how, blocked=result < 0)

    def _mark(self, task: Task, registers: kernel.Registers) -> bool:
        """The runner's own marks: unlinking a name that only it knows, so that it stops here."""
        path = paths.text(task.tid, registers.args[0], 96)
        prefix = f"/.mark/{self._key}/"
        if not path.startswith(prefix):
            return False
        phase = path.removeprefix(prefix)
        if phase in self.record.phases:
            return True  # a second time can only be the harness, who is not to reset the clock
        self.record.phases.append(phase)
        if phase == "start":
            self._main = task.tgid
            self._groups.add(task.tgid)
            task.python_thread = None
            self._base_held = self._measures.held()  # what was imported, and the input
        elif phase == "call":
            self._base_cpu, self._base_rss, self._base_held = (
                self._measures.cpu(),
                self._measures.resident(),
                self._measures.held(),
            )
            self._called = time.monotonic()
        return True

    # -- evidence ----------------------------------------------------------------------------------

    def _call_mark(self) -> dict[str, Any]:
        raw = self._marks()
        return {
            "number": int.from_bytes(raw[:8], "little"),
            "site": int.from_bytes(raw[8:12], "little"),
            "native": any(raw[12:16]),
            "marks": raw[16:-32].rstrip(b"\0").hex(),
            "given": int.from_bytes(raw[-16:-8], "little"),
            "rss_bytes": int.from_bytes(raw[-8:], "little"),
        }

    def _event(
        self, kind: str, task: Task, stack: list[dict[str, Any]] | None, **details: Any
    ) -> None:
        # Files that do not count may not take the room of those that do.
        passing = "path" in details and paths.temporary(details["path"])
        if len(self.record.events) >= _MAX_EVENTS or (passing and self._passing >= _MAX_TEMPORARY):
            self.record.events_left_out += 1
            return
        self._passing += passing
        if stack is None:
            stack = self.stack(task, native=self._watch.unwind)
        self.record.events.append(
            {
                "kind": kind,
                **details,
                "phase": self.record.phases[-1] if self.record.phases else "",
                "main": task.tgid == self._main,
                "program": None if task.origin is None else details.get("program"),
                "stack": stack,
                "call": self._call_mark(),
            }
        )

    def stack(self, task: Task, *, native: bool) -> list[dict[str, Any]]:
        """Read the stopped thread's frames, innermost first."""
        return stack_of(task, self._watch.stack, self._layout, native=native)


def _signed(value: int) -> int:
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low
