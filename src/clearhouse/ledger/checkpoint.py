"""Checkpoints (C2SP tlog-checkpoint): how large a log is and what its root is, for signing."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from clearhouse.errors import Invalid
from clearhouse.ledger.tree import HASH_BYTES

_LEAST_LINES = 3
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement about a log: its name, its size in entries, its root hash.

    ``extensions`` are further lines, for whoever knows what they mean.  Raises :class:`Invalid` for
    values that cannot be written.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if any(not line or "\n" in line for line in lines):
            raise Invalid("the lines of a checkpoint are neither empty nor several")
        if self.size < 0 or len(self.root) != HASH_BYTES:
            raise Invalid(f"a log has no less than 0 entries and a root of {HASH_BYTES} bytes")

    def __str__(self) -> str:
        """The text to be signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note.  Raises :class:`Invalid` where it is no checkpoint."""
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or len(lines) < _LEAST_LINES or not _SIZE.fullmatch(lines[1]):
            raise Invalid("a checkpoint has a name, a size and a root hash, each on its own line")
        origin, size, root, *extensions = lines
        try:
            decoded = base64.b64decode(root, validate=True)
        except (ValueError, binascii.Error) as error:
            raise Invalid("the root hash of a checkpoint is base64") from error
        found = cls(origin, int(size), decoded, tuple(extensions))
        if str(found) != text:
            raise Invalid("the root hash of a checkpoint is spelt as base64 is")
        return found
