"""Exit codes of every command, and the one place that maps errors to them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from clearhouse.errors import (
    ClearhouseError,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)


class ExitCode(IntEnum):
    """What a command's exit code means."""

    HOLDS = 0
    DOES_NOT_HOLD = 1
    BAD_INPUT = 2
    COULD_NOT_RUN = 3
    #: A bug of ours (EX_SOFTWARE of sysexits.h): never 1, which would read as "does not hold".
    INTERNAL = 70
    #: 128 + SIGINT, as shells report it.
    INTERRUPTED = 130
    #: 128 + SIGPIPE: the reader of our output went away.
    PIPE_CLOSED = 141


_BY_ERROR: Final[tuple[tuple[type[ClearhouseError], ExitCode], ...]] = (
    (Invalid, ExitCode.BAD_INPUT),
    (NotFound, ExitCode.BAD_INPUT),
    (Refused, ExitCode.DOES_NOT_HOLD),
    (Conflict, ExitCode.DOES_NOT_HOLD),
    (Unavailable, ExitCode.COULD_NOT_RUN),
)


def exit_code_of(error: ClearhouseError) -> ExitCode:
    """Return the exit code that stands for ``error``."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.INTERNAL
