"""What processes hold of the machine, as the kernel counts it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

# Resident memory with what is swapped out and the page tables; shared memory without a file is
# counted where it is made (see trace.py), because it stays when no process has it in its tables.
_COUNTED = (b"\nRssAnon:", b"\nRssFile:", b"\nVmPTE:", b"\nVmSwap:")


def held(tids: Iterable[int]) -> int:
    """Bytes held by the process of which these are threads; 0 when none of them is alive.

    The leader's own entry says nothing once it has ended before its other threads.
    """
    for tid in tids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{tid}/status", "rb", buffering=0) as file:
                text = file.read(8192)
            total, known = 0, False
            for name in _COUNTED:
                at = text.find(name)
                if at >= 0:
                    known = True
                    total += int(text[at + len(name) : text.index(b" kB", at)]) * 1024
            if known:
                return total
    return 0


def resident(tids: Iterable[int]) -> int:
    """Bytes of resident memory of the process of which these are threads."""
    for tid in tids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{tid}/statm", "rb", buffering=0) as file:
                pages = int(file.read(128).split()[1])
            if pages:
                return pages * 4096
    return 0


def sockets() -> int:
    """Sockets in this network namespace; each can hold hundreds of kilobytes that nobody counts."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/net/sockstat", "rb", buffering=0) as file:
            return int(file.read(64).split()[2])
    return 0
