"""What the gateway puts up with: sizes and times, for requests, answers and connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    ``answer_bytes`` are those of an answer that comes in one piece; a stream is never held whole.
    ``silence`` is how long a model may think without a byte.  ``contents_bytes`` are kept of each
    request and answer where the developer keeps contents.
    """

    request_bytes: int = 32 * 1024 * 1024
    request_seconds: float = 60.0
    answer_bytes: int = 64 * 1024 * 1024
    connect_seconds: float = 10.0
    silence: float = 600.0
    contents_bytes: int = 4 * 1024 * 1024
    #: Lines of the journal that the office has not taken; more are not let pile up in memory.
    unsettled: int = 100_000


USUAL: Final = Limits()

#: What a slow client may leave waiting in memory, for each stream, on either side of the gateway.
BUFFER_BYTES: Final = 16 * 1024
#: What the kernel may hold of it, on either side; it would take megabytes by itself (tcp(7)).
SOCKET_BYTES: Final = 128 * 1024
#: A connection whose other end is gone: probed after so long, given up after so many more.
KEEPALIVE_SECONDS: Final = 30
PROBES: Final = 3
USER_TIMEOUT_MS: Final = 60_000
