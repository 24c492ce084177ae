"""What the ledger holds: head, hashes, tiles, proofs, checkpoints; entries for who may see them.

Everything but entries is public: hashes reveal nothing, for every entry has a salt of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from clearhouse.errors import NotFound, Unavailable
from clearhouse.ledger.tiles import HEIGHT, WIDTH, Tile
from clearhouse.ledger.tree import (
    HASH_BYTES,
    Node,
    prove_consistency,
    prove_inclusion,
    root_of_complete,
    root_of_peaks,
)
from clearhouse.office.ledgerbook.models import (
    LedgerEntry,
    LedgerHead,
    LedgerTile,
    SignedCheckpoint,
)


@dataclass(frozen=True, slots=True)
class Head:
    """How far the ledger goes, and its root hash."""

    size: int
    root: bytes


def head() -> Head:
    """The ledger as it is now."""
    found = LedgerHead.objects.filter(pk=1).first() or LedgerHead()
    return Head(found.size, root_of_peaks(peaks_of(found)))


def peaks_of(row: LedgerHead) -> list[bytes]:
    """The hashes of the complete subtrees, from the left."""
    return split_hashes(bytes(row.peaks))


def split_hashes(hashes: bytes) -> list[bytes]:
    """Hashes that were stored in one string."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def stored_hashes(level: int, begin: int, end: int) -> list[bytes]:
    """Hashes of a tile level that no full tile holds yet.

    Those of level 0 stand beside the entries, those above are the roots of full tiles below.
    """
    if level == 0:
        entries = LedgerEntry.objects.filter(index__gte=begin, index__lt=end).order_by("index")
        return [bytes(one) for one in entries.values_list("leaf_hash", flat=True)]
    tiles = LedgerTile.objects.filter(level=level - 1, place__gte=begin, place__lt=end)
    return [bytes(one) for one in tiles.order_by("place").values_list("root", flat=True)]


class StoredTree:
    """The tree over what is stored; reads each tile once.  For one answer, then thrown away."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def read(self, node: Node) -> bytes:
        """The hash of a complete subtree.

        Raises :class:`Unavailable` where it is not there: no rule removes one.
        """
        level, within = divmod(node.level, HEIGHT)
        first = node.place << within
        index, begin = divmod(first, WIDTH)
        hashes = self.tile(level, index)[begin : begin + (1 << within)]
        if len(hashes) < 1 << within:
            raise Unavailable(
                f"the ledger lacks a hash of level {node.level}; 'clearhouse ledger verify' says"
                " what is damaged"
            )
        return root_of_complete(hashes)

    def tile(self, level: int, index: int) -> list[bytes]:
        """The hashes of a tile as far as there are some."""
        key = (level, index)
        if key not in self._tiles:
            full = LedgerTile.objects.filter(level=level, place=index)
            row = full.values_list("hashes", flat=True).first()
            self._tiles[key] = (
                split_hashes(bytes(row))
                if row is not None
                else stored_hashes(level, index * WIDTH, (index + 1) * WIDTH)
            )
        return self._tiles[key]


def tile_content(tile: Tile) -> bytes:
    """A tile as it is served.  Raises :class:`NotFound` for what the log does not have (yet).

    Bundles of entries are never served: entries are sealed.
    """
    if tile.level is None or not tile.fits(head().size):
        raise NotFound("there is no such tile")
    hashes = StoredTree().tile(tile.level, tile.index)
    return b"".join(hashes[: tile.width])


def inclusion_proof(index: int, size: int) -> list[bytes]:
    """The path of an entry in the log of that size.  Raises :class:`NotFound` beyond its end."""
    _must_reach(size)
    return prove_inclusion(index, size, StoredTree().read)


def consistency_proof(old: int, new: int) -> list[bytes]:
    """That the log of one size begins with that of another.  Raises :class:`NotFound`."""
    _must_reach(new)
    return prove_consistency(old, new, StoredTree().read)


def _must_reach(size: int) -> None:
    if size > head().size:
        raise NotFound(f"the ledger has no {size} entries yet")


def latest_checkpoints(most: int) -> list[SignedCheckpoint]:
    """Signed checkpoints, the latest first."""
    return list(SignedCheckpoint.objects.order_by("-size")[:most])
