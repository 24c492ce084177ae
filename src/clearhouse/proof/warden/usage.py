"""What processes hold of the machine, as the kernel counts it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

# Resident memory with what is swapped out and the page tables; shared memory without a file is
# counted where it is made (see trace.py), because it stays when no process has it in its tables.
_COUNTED = (b"\nRssAnon:", b"\nRssFile:", b"\nVmPTE:", b"\nVmSwap:")
_DIVIDED = (b"\nPss_Anon:", b"\nPss_File:", b"\nSwapPss:")


def held(tids: Iterable[int]) -> int:
    """Bytes held by the process of which these are threads; 0 when none of them is alive.

    The leader's own entry says nothing once it has ended before its other threads.
    """
    return _sum(tids, "status", _COUNTED)


def proportional(tids: Iterable[int]) -> int:
    """The same, with pages that several processes share divided among them; dear to ask for."""
    return _sum(tids, "smaps_rollup", _DIVIDED)


def _sum(tids: Iterable[int], name: str, counted: tuple[bytes, ...]) -> int:
    for tid in tids:
        with contextlib.suppress(OSError):
            text = read(f"/proc/{tid}/{name}", 8192)
            places = [(at, key) for key in counted if (at := text.find(key)) >= 0]
            if places:
                ends = [(at + len(key), text.index(b" kB", at)) for at, key in places]
                return sum(int(text[begin:end]) for begin, end in ends) * 1024
    return 0


def resident(tids: Iterable[int]) -> int:
    """Bytes of resident memory of the process of which these are threads."""
    for tid in tids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = int(read(f"/proc/{tid}/statm", 128).split()[1])
            if pages:
                return pages * 4096
    return 0


def sockets() -> int:
    """Sockets in this network namespace; each can hold hundreds of kilobytes that nobody counts."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(read("/proc/net/sockstat", 64).split()[2])
    return 0


def read(path: str, size: int) -> bytes:
    """The start of a file of the kernel's; several times faster than the standard library's way."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(number, size)
    finally:
        os.close(number)
