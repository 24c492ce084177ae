"""What the import of a hostile target could do to the host, before any run has begun."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import threading
import time


def forks() -> None:
    """A fork bomb."""
    while True:
        with contextlib.suppress(OSError):
            os.fork()


def memory() -> None:
    """Memory of its own without end."""
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def shared() -> None:
    """Memory that stays when no process has it in its page tables."""
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 16 << 20))
        for at in range(0, 16 << 20, 4096):
            kept[-1][at] = 1
        kept[-1].madvise(mmap.MADV_DONTNEED)


def never() -> None:
    """An import that does not end."""
    while True:
        pass


def leaves() -> None:
    """Processes in sessions of their own, deaf to signals, while the import itself succeeds."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                    with contextlib.suppress(OSError, ValueError):
                        signal.signal(number, signal.SIG_IGN)
                while True:
                    time.sleep(1)
            os._exit(0)


def goes_on() -> None:
    """A thread that keeps a processor busy after the import."""

    def spin() -> None:
        while True:
            pass

    threading.Thread(target=spin, daemon=True).start()
