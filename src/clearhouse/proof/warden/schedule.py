"""When the stack of a run is sampled: as often as tells where it is, and no more often."""

from __future__ import annotations

from typing import Final

from .record import Watch

# Of the way to the limit: samples tell of all of it, and stop the run no more often than they must.
# Of a hang so many that a function with four fifths of the time is not taken for one with all of it.
_FIRST: Final = {"hang": 0.05, "memory": 0.1}
_EVERY: Final = {"hang": 0.02, "memory": 0.08}
_STANDING_S: Final = 0.02  # memory that is held without growing further is looked at this often


class Schedule:
    """Tells when the next sample is due."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._next = _FIRST.get(watch.effect, 1.0)
        self._sampled_cpu = 0.0

    def is_due(self, cpu_s: float, growth_bytes: int) -> bool:
        """Whether to take a sample now; if so, the next one is due later.

        ``cpu_s`` is the processor time since the call, ``growth_bytes`` what memory grew since.
        """
        way, standing = 0.0, False
        match self._watch.effect:
            case "hang":
                way = cpu_s / self._watch.cpu_s
            case "memory":
                way = growth_bytes / self._watch.memory_bytes
                standing = way > _FIRST["memory"] and cpu_s > self._sampled_cpu + _STANDING_S
            case _:
                return False
        if way < self._next and not standing:
            return False
        self._next, self._sampled_cpu = way + _EVERY[self._watch.effect], cpu_s
        return True
