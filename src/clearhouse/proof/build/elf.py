"""From a place in a mapped file to the address that debug information goes by (ELF, gABI)."""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD = 1


class Segments:
    """The loaded parts of one 64-bit little-endian ELF file."""

    def __init__(self, path: Path) -> None:
        self._parts: list[tuple[int, int, int]] = []
        with path.open("rb") as file:
            head = file.read(64)
            if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
                return
            offset = struct.unpack_from("<Q", head, 32)[0]
            size, count = struct.unpack_from("<HH", head, 54)
            file.seek(offset)
            table = file.read(min(size * count, 1 << 16))
        for at in range(0, len(table) - 55, size or 56):
            kind, _, start, address, _, length = struct.unpack_from("<IIQQQQ", table, at)
            if kind == _PT_LOAD:
                self._parts.append((start, length, address))

    def address_of(self, offset: int) -> int | None:
        """The address in the file's own numbering; None where nothing is loaded from there."""
        for start, length, address in self._parts:
            if start <= offset < start + length:
                return address + offset - start
        return None
