"""What the processes of one run use of the machine, taken together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping

from . import kernel, usage
from .threads import Task


class Measures:
    """Processor time and memory of a run's thread groups.

    ``tasks`` are the threads that are followed, ``groups`` those processes that belong to the run,
    and ``shared`` the bytes of shared memory without a file that were ever asked for.
    """

    def __init__(self, tasks: Mapping[int, Task]) -> None:
        self._tasks = tasks
        self.groups: set[int] = set()
        self.shared = 0
        self._spent: dict[int, float] = {}  # processor time of each group, as last seen
        self._done = 0.0  # that of groups which are gone
        self._next_look = 0.0

    def cpu(self) -> float:
        """Processor time so far, in seconds."""
        for group in self.groups:
            self.look(group)
        return self._done + sum(self._spent.values())

    def look(self, group: int) -> None:
        """Take a group's processor time while it is there to be asked for."""
        with contextlib.suppress(OSError):
            self._spent[group] = time.clock_gettime(kernel.cpu_clock(group))

    def ended(self, group: int) -> None:
        """A group is gone; what it took stays counted."""
        self.groups.discard(group)
        self._done += self._spent.pop(group, 0.0)

    def resident(self) -> int:
        """Bytes of resident memory."""
        return sum(usage.resident(self._threads(group)) for group in self.groups)

    def held(self, groups: Iterable[int] | None = None) -> int:
        """Bytes held of the machine, by the run's groups or by those that are named."""
        chosen = self.groups if groups is None else groups
        return self.shared + sum(usage.held(self._threads(group)) for group in chosen)

    def really_over(self, limit_bytes: int) -> bool:
        """Whether a limit is passed with pages counted once that forks have in common.

        Looking takes the kernel a while: no more than a tenth of the time is spent on it.
        """
        if len(self.groups) < 2:
            return True
        began = time.monotonic()
        if began < self._next_look:
            return False
        held = self.shared + sum(usage.proportional(self._threads(g)) for g in self.groups)
        now = time.monotonic()
        self._next_look = now + 9 * (now - began)
        return held > limit_bytes

    def _threads(self, group: int) -> Iterator[int]:
        yield group
        yield from [t.tid for t in self._tasks.values() if t.tgid == group and t.tid != group]
