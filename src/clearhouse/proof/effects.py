"""The effects a proof can show, and the limits of ``[expect]`` with their units.

As docs/bundle-format.md has them. The defaults stand in for an absent ``[expect]`` section.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """What the input makes the target do; the value is the word in ``proof.toml``."""

    CRASH = "crash"
    EXCEPTION = "exception"
    HANG = "hang"
    MEMORY = "memory"
    WRITE_OUTSIDE = "write-outside"
    READ_OUTSIDE = "read-outside"
    EXECUTE = "execute"
    CONNECT = "connect"
    BYPASS = "bypass"


#: Processor seconds, user and system together, that a hang has to exceed.
DEFAULT_CPU_SECONDS: Final = 5.0
#: Resident mebibytes that a memory proof has to exceed.
DEFAULT_RSS_MB: Final = 512

#: What may be asked for. Below the lower end start-up noise decides instead of the target, above
#: the upper end one run would hold a worker for longer than a triager waits.
CPU_SECONDS_RANGE: Final = (0.1, 120.0)
RSS_MB_RANGE: Final = (32, 8192)

#: The keys of ``[expect]`` that mean something for an effect; every other effect has none.
EXPECT_KEYS: Final[dict[Effect, str]] = {
    Effect.HANG: "cpu_seconds",
    Effect.MEMORY: "rss_mb",
    Effect.EXCEPTION: "type",
}

#: A control has to stay under this share of the limit.
CONTROL_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Expectation:
    """The limits of ``[expect]``, with the defaults filled in.

    ``cpu_seconds`` matters for ``hang``, ``rss_mb`` (MiB) for ``memory``, ``exception`` for
    ``exception``, where None means any uncaught exception. The others stay at their defaults.
    """

    cpu_seconds: float = DEFAULT_CPU_SECONDS
    rss_mb: int = DEFAULT_RSS_MB
    exception: str | None = None
