"""The memory that a Python run and its tracer share: how far the harness was, at any moment.

Layout: target calls so far (8 bytes), line of the last one (8 bytes), one byte for each mark; at the
end messages sent (8), messages that could not be sent (8), values that the harness gave the target
while it was called (8), and resident memory when the target was last called (8).
"""

from __future__ import annotations

import mmap
import os

from .instrument_python import CAPACITY, MARK_HEAD

_SENT, _LOST = slice(65504, 65512), slice(65512, 65520)
_TICKS, _MEMORY = slice(65520, 65528), slice(65528, 65536)
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Shared:
    """Writes marks and counters."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory, self._measures = memory, False
        self.calls = self._ticks = self._sent = 0
        self._base = self._last = self._callbacks = 0
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        memory_of = memory

        def mark(number: int) -> None:
            memory_of[MARK_HEAD + number] = 1

        def truth(number: int, value: object) -> object:
            memory_of[MARK_HEAD + number + (0 if value else 1)] = 1
            return value

        self.mark, self.truth = mark, truth

    def measure(self, measure_memory: bool) -> None:
        """Whether resident memory is to be noted with each call."""
        self._measures = measure_memory

    def begin_call(self, line: int) -> None:
        """A call of the target begins."""
        self.calls += 1
        self._memory[0:MARK_HEAD] = self.calls.to_bytes(8, "little") + line.to_bytes(8, "little")
        if self._measures:
            self._base, self._callbacks = self._resident(), 0
            self._memory[_MEMORY] = self._base.to_bytes(8, "little")

    def sent(self) -> None:
        """A message was written; how many there must be is known even if the pipe is not ours."""
        self._sent += 1
        self._memory[_SENT] = self._sent.to_bytes(8, "little")

    def lost(self) -> None:
        """A message could not be written."""
        self._memory[_LOST] = (1).to_bytes(8, "little")

    def tick(self) -> None:
        """The harness gave the target a value while it was called."""
        self._ticks += 1
        self._memory[_TICKS] = self._ticks.to_bytes(8, "little")

    def enter_callback(self) -> None:
        """The target calls the harness: from here memory grows by the harness's doing."""
        if self._callbacks:
            self._count_growth()
        self._callbacks += 1
        self._last = self._resident()

    def leave_callback(self) -> None:
        """And here no longer."""
        if self._callbacks:
            self._count_growth()
            self._callbacks -= 1

    def _count_growth(self) -> None:
        now = self._resident()
        if now > self._last:
            self._base += now - self._last
            self._memory[_MEMORY] = self._base.to_bytes(8, "little")
        self._last = now

    def _resident(self) -> int:
        return self._pages(1)

    def data_bytes(self) -> int:
        """Memory asked for, used or not (``proc(5)``, statm: data and stack)."""
        return self._pages(5)

    def _pages(self, column: int) -> int:
        try:
            return int(os.pread(self._statm, 128, 0).split()[column]) * _PAGE
        except (OSError, IndexError):
            return 0

    def marks_hex(self) -> str:
        """The marks set so far."""
        return self._memory[MARK_HEAD : MARK_HEAD + CAPACITY].rstrip(b"\0").hex()

    def forget_marks(self) -> None:
        """Start the way anew."""
        self._memory[MARK_HEAD : MARK_HEAD + CAPACITY] = bytes(CAPACITY)
