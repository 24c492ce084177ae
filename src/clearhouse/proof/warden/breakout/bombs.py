"""Using up what the host has, and leaving something behind; each needs a run of its own.

How far one got is written into the marks, which the observer keeps when the run is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from .attempt import Facts, name_of
from .calls import call

_REPORT, _JOB, _MARKS, _AMOUNT_AT = 3, 5, 6, 16
_CHUNK = 1 << 20
_WRITABLE = ("/work", "/tmp", "/dev/shm", "/home/user", "/var/tmp", "/srv", "/opt", "/mnt", "/root",
             "/run", "/etc", "/dev", "/build", "/")  # fmt: skip
_KEPT = "kept-for-the-next-run"

Bomb = Callable[[Facts], None]
BOMBS: dict[str, Bomb] = {}


def _bomb(name: str) -> Callable[[Bomb], Bomb]:
    def add(bomb: Bomb) -> Bomb:
        BOMBS[name] = bomb
        return bomb

    return add


def main() -> None:
    """Set off the bomb named as the first argument, in the place named as the second."""
    BOMBS[sys.argv[1]](Facts.read(sys.argv[2]))


def _got(amount: int) -> None:
    with contextlib.suppress(OSError):  # a build has no marks
        os.pwrite(_MARKS, amount.to_bytes(8, "little"), _AMOUNT_AT)


def _deaf() -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)


def _spin() -> None:
    while True:
        pass


# -- memory ----------------------------------------------------------------------------------------


@_bomb("heap")
def _heap(_: Facts) -> None:
    kept = []
    while True:
        kept.append(bytearray(4 * _CHUNK))
        _got(len(kept) * 4 * _CHUNK)


@_bomb("heap of many")
def _heap_of_many(facts: Facts) -> None:
    for _round in range(7):
        if os.fork() == 0:
            break
    _heap(facts)


@_bomb("shared")
def _shared(_: Facts) -> None:
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 16 * _CHUNK))
        for at in range(0, 16 * _CHUNK, 4096):
            kept[-1][at] = 1
        kept[-1].madvise(mmap.MADV_DONTNEED)  # out of the page tables, not out of memory
        _got(len(kept) * 16 * _CHUNK)


@_bomb("page tables")
def _page_tables(_: Facts) -> None:
    tables = 0
    while True:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
        room = mmap.mmap(-1, 64 << 30, flags, mmap.PROT_READ)
        for at in range(0, 64 << 30, 2 << 20):
            room[at]  # the zero page, but a table of its own
            tables += 1
            if tables % 256 == 0:
                _got(tables * 4096)


@_bomb("leaderless")
def _leaderless(facts: Facts) -> None:
    """The process's first thread ends; what the others do is still the run's."""
    threading.Thread(target=_heap, args=(facts,)).start()
    call("exit", 60, 0)


@_bomb("files")
def _files(_: Facts) -> None:
    """Fill every folder, and then count the names that fit."""
    total = 0
    block = bytes(_CHUNK)
    for folder in _WRITABLE:
        with contextlib.suppress(OSError):
            for number in range(1 << 20):
                with open(f"{folder}/fill-{number}", "wb", buffering=0) as file:
                    while (written := file.write(block)) is not None:
                        total += written
                        _got(total)
        with contextlib.suppress(OSError):
            for number in range(1 << 20):
                with open(f"{folder}/fill-{number}", "ab", buffering=0) as file:
                    while True:
                        total += file.write(block) or 0
                        _got(total)
    os.write(1, json.dumps({"bytes": total}).encode())


@_bomb("names")
def _names(_: Facts) -> None:
    count = 0
    for folder in _WRITABLE:
        with contextlib.suppress(OSError):
            for number in range(1 << 20):
                os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
                count += 1
                _got(count)


@_bomb("pipes")
def _pipes(_: Facts) -> None:
    total = 0
    for _round in range(3):
        if os.fork() == 0:
            break
    with contextlib.suppress(OSError):
        while True:
            _read_end, end = os.pipe2(os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while True:
                    total += os.write(end, bytes(65536))
                    _got(4 * total)
    time.sleep(0.05)


@_bomb("sockets")
def _sockets(_: Facts) -> None:
    for _round in range(7):
        if os.fork() == 0:
            break
    total = 0
    kept = []
    with contextlib.suppress(OSError):
        while True:
            pair = socket.socketpair()
            kept.append(pair)
            pair[0].setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    total += pair[0].send(bytes(65536))
                    _got(8 * total)
    time.sleep(60)


# -- processes -------------------------------------------------------------------------------------


@_bomb("forks")
def _forks(_: Facts) -> None:
    count = 0
    try:
        while True:
            if os.fork() == 0:
                signal.pause()
            count += 1
            _got(count)
    except OSError as error:
        os.write(1, name_of(error).encode())


@_bomb("fork bomb")
def _fork_bomb(_: Facts) -> None:
    _deaf()
    while True:
        with contextlib.suppress(OSError):
            os.fork()


@_bomb("threads")
def _threads(_: Facts) -> None:
    count = 0
    wait = threading.Event()
    try:
        while True:
            threading.Thread(target=wait.wait, daemon=True).start()
            count += 1
            _got(count)
    except RuntimeError:
        os.write(1, b"EAGAIN")
    os._exit(0)


@_bomb("zombies")
def _zombies(_: Facts) -> None:
    count = 0
    try:
        while True:
            if os.fork() == 0:
                os._exit(0)
            count += 1
            _got(count)
    except OSError as error:
        os.write(1, name_of(error).encode())


@_bomb("leave")
def _leave(facts: Facts) -> None:
    """Processes in sessions of their own, deaf to signals, named so that the host can find them."""
    name = ctypes.create_string_buffer(f"left-{facts.place[-1]}-{facts.token[:8]}".encode())
    for stopped in (False, True):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                _deaf()
                ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME
                os.write(1, b"1")
                if stopped:
                    os.kill(os.getpid(), signal.SIGSTOP)
                while True:
                    time.sleep(1)
            os._exit(0)
    time.sleep(0.1)


@_bomb("kill")
def _kill(_: Facts) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for pid in (1, os.getppid(), 0, -1):
            if pid or number != signal.SIGKILL:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)


# -- time and output -------------------------------------------------------------------------------


@_bomb("spin")
def _spinning(_: Facts) -> None:
    _deaf()
    for _round in range(3):
        os.fork()
    _spin()


@_bomb("leaderless spin")
def _leaderless_spin(_: Facts) -> None:
    threading.Thread(target=_spin).start()
    call("exit", 60, 0)


@_bomb("sleep")
def _sleep(_: Facts) -> None:
    _deaf()
    while True:
        time.sleep(60)


@_bomb("stop")
def _stop(_: Facts) -> None:
    if os.fork() == 0:
        while True:
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(0.01)
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.01)


def _fork() -> None:
    """Double the run, where the limits still allow it: all sandboxes of a user share some."""
    with contextlib.suppress(OSError):
        os.fork()


@_bomb("calls")
def _calls(_: Facts) -> None:
    """Nothing but system calls that the observer stops at, from several processes."""
    for _round in range(3):
        _fork()
    while True:
        with contextlib.suppress(OSError):
            os.unlink("/tmp/not-there")


@_bomb("output")
def _output(_: Facts) -> None:
    _fork()
    while True:
        os.write(1, bytes(65536))


@_bomb("report")
def _report(_: Facts) -> None:
    while True:
        os.write(_REPORT, b"x" * 65536)


@_bomb("forged report")
def _forged(_: Facts) -> None:
    """Lines in the observer's form that its reader may trip over."""
    key = json.loads(os.pread(_JOB, 4096, 0))["key"].encode()
    lines = [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 20_000, b'"\\ud800"', b"{", b"\xff\xfe"]
    lines += [b"NaN", b"[1]", b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}"]
    for line in lines:
        os.write(_REPORT, key + line + b"\n")


@_bomb("deep")
def _deep(_: Facts) -> None:
    """A chain of folders with the longest names, deeper than any path can say."""
    count = 0
    with contextlib.suppress(OSError):
        while count < 1500:
            os.mkdir("d" * 255)
            os.chdir("d" * 255)
            count += 1
            _got(count)
    with contextlib.suppress(OSError):
        os.open("f" * 255, os.O_CREAT | os.O_WRONLY)


# -- from one run to the next ----------------------------------------------------------------------


@_bomb("plant")
def _plant(_: Facts) -> None:
    for folder in _WRITABLE:
        with contextlib.suppress(OSError), open(f"{folder}/{_KEPT}", "w") as file:
            file.write(_KEPT)
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError):
        listener.bind("\0" + _KEPT)
        listener.listen()
    inside = socket.socket()
    with contextlib.suppress(OSError):
        inside.bind(("127.0.0.1", 7))
    with contextlib.suppress(OSError):
        inside.bind(("127.0.0.1", 40007))
        inside.listen()
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)


@_bomb("search")
def _search(_: Facts) -> None:
    found = []
    for folder in _WRITABLE:
        with contextlib.suppress(OSError):
            if _KEPT in os.listdir(folder):
                found.append(f"{folder}/{_KEPT}")
    with socket.socket(socket.AF_UNIX) as connection:
        if connection.connect_ex("\0" + _KEPT) == 0:
            found.append("an abstract socket")
    with socket.socket() as connection:
        if connection.connect_ex(("127.0.0.1", 40007)) == 0:
            found.append("a listening port")
    for name in ("shm", "sem", "msg"):
        with open(f"/proc/sysvipc/{name}") as file:
            if len(file.readlines()) > 1:
                found.append(f"System V {name}")
    if len([p for p in os.listdir("/proc") if p.isdigit()]) > 2:
        found.append("processes")
    with open("/proc/net/unix") as file:
        if _KEPT in file.read():
            found.append("a socket's name")
    os.write(1, json.dumps(found).encode())
