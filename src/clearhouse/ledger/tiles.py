"""The tree as files: C2SP tlog-tiles, which any number of caches can serve.

A tile holds 256 hashes of one level and stands for a subtree of height 8: tile level ``l`` holds
hashes of tree level ``8 * l``.  The last tile of a level may be partial; its width is in its name.
Entries are bundled 256 to a file, each with its length before it as a 16-bit number.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from clearhouse.errors import Invalid
from clearhouse.ledger.tree import HASH_BYTES, Node, Read, root_of_complete

WIDTH = 256
HEIGHT = 8
MOST_ENTRY_BYTES = 0xFFFF
_PATH = re.compile(r"tile/(entries|\d{1,2})/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)
_MOST_LEVEL = 63


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: ``level`` is None for a bundle of entries; ``width`` below 256 makes it partial."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below the log's address."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
        kind = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{kind}/{number}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path.  Raises :class:`Invalid` for what is none, other spellings included."""
        found = _PATH.fullmatch(path) if len(path) < 200 else None
        if found is not None:
            kind, number, width = found.groups()
            tile = cls(
                None if kind == "entries" else int(kind),
                int(number.replace("x", "").replace("/", "")),
                int(width) if width else WIDTH,
            )
            if tile.path == path and (tile.level or 0) <= _MOST_LEVEL and tile.width <= WIDTH:
                return tile
        raise Invalid(f"{path[:80]!r} is no tile of a log")

    def fits(self, size: int) -> bool:
        """Whether a log of ``size`` entries has this tile."""
        there = size >> HEIGHT * (self.level or 0)
        return self.index * WIDTH + self.width <= there


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The tiles that a log has at ``size`` entries and had not at ``since``, bundles first."""
    for level in (None, *range(-(-size.bit_length() // HEIGHT))):
        height = HEIGHT * (level or 0)
        before, there = since >> height, size >> height
        if there == before:
            continue
        for index in range(before // WIDTH, -(-there // WIDTH)):
            yield Tile(level, index, min(WIDTH, there - index * WIDTH))


def tile_bytes(tile: Tile, read: Read) -> bytes:
    """The content of a tile of hashes."""
    assert tile.level is not None, "entries are bundled by bundle_bytes"
    first = tile.index * WIDTH
    level = tile.level * HEIGHT
    return b"".join(read(Node(level, first + at)) for at in range(tile.width))


def bundle_bytes(entries: Iterable[bytes]) -> bytes:
    """The content of a bundle of entries.  Raises :class:`Invalid` for one that is too long."""
    parts = []
    for entry in entries:
        if len(entry) > MOST_ENTRY_BYTES:
            raise Invalid(f"an entry of {len(entry)} bytes; {MOST_ENTRY_BYTES} are the most")
        parts.append(struct.pack(">H", len(entry)) + entry)
    return b"".join(parts)


def entries_of(bundle: bytes) -> list[bytes]:
    """The entries of a bundle.  Raises :class:`Invalid` where it is cut off."""
    found, at = [], 0
    while at < len(bundle):
        if at + 2 > len(bundle):
            raise Invalid("the bundle ends within the length of an entry")
        (length,) = struct.unpack_from(">H", bundle, at)
        at += 2
        if at + length > len(bundle):
            raise Invalid("the bundle ends within an entry")
        found.append(bundle[at : at + length])
        at += length
    return found


def hash_in_tile(node: Node, fetch: Callable[[Tile], bytes], size: int) -> bytes:
    """The hash of a complete subtree out of tiles alone, as a client computes it.

    ``fetch`` returns a tile's content, ``size`` is the log's, which says how wide the tile is.
    """
    level, within = divmod(node.level, HEIGHT)
    first = node.place << within
    index = first // WIDTH
    there = min(WIDTH, (size >> level * HEIGHT) - index * WIDTH)
    content = fetch(Tile(level, index, there))
    begin = first - index * WIDTH
    hashes = [
        content[HASH_BYTES * at : HASH_BYTES * (at + 1)]
        for at in range(begin, begin + (1 << within))
    ]
    return root_of_complete(hashes)


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has all its hashes, with the hash of the subtree that it stands for."""

    level: int
    index: int
    hashes: bytes
    root: bytes


def tiles_completed(
    size: int, leaves: Sequence[bytes], stored: Callable[[int, int, int], Sequence[bytes]]
) -> Iterator[FullTile]:
    """The tiles that become full when these leaf hashes are put behind ``size`` others.

    ``stored(level, begin, end)`` returns the hashes of a tile level that were there before; it is
    asked once for each level in which a tile becomes full, for less than a tile.
    """
    level, fresh = 0, list(leaves)
    while fresh:
        before = size >> HEIGHT * level
        first = before // WIDTH
        hashes = fresh
        if before % WIDTH + len(fresh) < WIDTH:
            return
        if before % WIDTH:
            hashes = [*stored(level, first * WIDTH, before), *fresh]
        fresh = []
        for at in range(0, len(hashes) - WIDTH + 1, WIDTH):
            part = hashes[at : at + WIDTH]
            fresh.append(root_of_complete(part))
            yield FullTile(level, first + at // WIDTH, b"".join(part), fresh[-1])
        level += 1
