"""What comes out of a run by its pipes: outputs, and the report that the observer inside writes.

Anything may stand in them: the run holds their other ends.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

_CHUNKS_A_ROUND = 16
_MESSAGE_DEPTH = 40


class Pipe:
    """The reading end of one of the run's outputs, kept up to a limit."""

    def __init__(self, keep: int) -> None:
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_end, False)
        self._keep, self.kept, self.size = keep, bytearray(), 0

    def drain(self) -> None:
        """Take what is there, but no more than a limited amount: a flood never ends."""
        for _ in range(_CHUNKS_A_ROUND):
            try:
                data = os.read(self.read_end, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.size += len(data)
            self.kept += data[: max(0, self._keep - len(self.kept))]

    def close(self) -> None:
        """Close the reading end."""
        os.close(self.read_end)


def messages_of(raw: bytes, key: str) -> list[dict[str, Any]]:
    """The messages of a report that begin with the observer's key; malformed ones are left out."""
    prefix = key.encode()
    found = []
    for line in raw.split(b"\n"):
        if line.startswith(prefix):
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(line.removeprefix(prefix))
                if isinstance(message, dict) and _shallow(message):
                    found.append(message)
    return found


def _shallow(message: Any) -> bool:
    """Whether a value is nested no deeper than any reader of it can follow."""
    level = [message]
    for _ in range(_MESSAGE_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return not level


def foreign_in(raw: bytes, key: str) -> int:
    """How many lines stand in the report that the runner did not write."""
    prefix = key.encode()
    return sum(1 for line in raw.split(b"\n") if line and not line.startswith(prefix))
