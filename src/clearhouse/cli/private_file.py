"""Files that only their owner reads: sealed sets, banks, plans, seeds, evidence."""

from __future__ import annotations

import os
from pathlib import Path

from clearhouse.errors import Conflict, Invalid, Unavailable
from clearhouse.proof.text import printable


def read_file(path: Path) -> bytes:
    """The content of a file.  Raises Invalid where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=printable(str(path))) from None


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads, and see it onto the disk.

    Raises Conflict where there is one already, Unavailable where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        raise Conflict(f"{printable(str(path))} is there already") from None
    except OSError as error:
        raise Unavailable(f"{printable(str(path))} cannot be written: {error.strerror}") from error
