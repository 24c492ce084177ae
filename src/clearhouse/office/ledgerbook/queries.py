"""What the ledger holds: head, hashes, tiles, proofs, checkpoints; entries for who may see them.

Hashes are public: they reveal nothing, for every entry has a salt of its own.  They are so up to
the last signed checkpoint only, so that nobody can watch single decisions being made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from clearhouse.errors import NotFound, Unavailable
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.tiles import HEIGHT, WIDTH, Tile
from clearhouse.ledger.tree import (
    HASH_BYTES,
    Node,
    prove_consistency,
    prove_inclusion,
    root,
    root_of_complete,
    root_of_peaks,
)
from clearhouse.office.ledgerbook.models import (
    LedgerEntry,
    LedgerHead,
    LedgerTile,
    SignedCheckpoint,
)
from clearhouse.office.ledgerbook.sight import may_see
from clearhouse.office.viewer import Viewer


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


def public_size() -> int:
    """How far the ledger is public: as far as the last signed checkpoint."""
    return SignedCheckpoint.objects.aggregate(most=Max("size"))["most"] or 0


def tile_content(tile: Tile) -> bytes:
    """A tile as it is served.  Raises :class:`NotFound` for what is not there, or not public yet.

    Bundles of entries are never served: entries are sealed.
    """
    if tile.level is None or not tile.fits(public_size()):
        raise NotFound("there is no such tile")
    hashes = StoredTree().tile(tile.level, tile.index)
    return b"".join(hashes[: tile.width])


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry, of which only the hash is told, is in the log of that size."""

    index: int
    size: int
    leaf_hash: bytes
    root: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of one size begins with the log of another."""

    old: int
    new: int
    old_root: bytes
    new_root: bytes
    hashes: tuple[bytes, ...]


def inclusion(index: int, size: int) -> Inclusion:
    """The proof for an entry.  Raises :class:`NotFound` beyond what is public, or Invalid."""
    _must_be_public(size)
    read = StoredTree().read
    path = prove_inclusion(index, size, read)
    return Inclusion(index, size, read(Node(0, index)), root(size, read), tuple(path))


def consistency(old: int, new: int) -> Consistency:
    """The proof for two sizes.  Raises :class:`NotFound` beyond what is public, or Invalid."""
    _must_be_public(new)
    read = StoredTree().read
    proof = prove_consistency(old, new, read)
    return Consistency(old, new, root(old, read), root(new, read), tuple(proof))


def _must_be_public(size: int) -> None:
    if size > public_size():
        raise NotFound(f"no checkpoint of {size} entries or more has been signed yet")


def latest_checkpoints(most: int) -> list[SignedCheckpoint]:
    """Signed checkpoints, the latest first."""
    return list(SignedCheckpoint.objects.order_by("-size")[:most])


def latest_checkpoint() -> SignedCheckpoint | None:
    """The last signed checkpoint, if any."""
    return SignedCheckpoint.objects.order_by("-size").first()


def entry_at(viewer: Viewer, index: int) -> Entry:
    """An entry by its place.  Raises :class:`NotFound` unless the viewer may see its subject."""
    row = LedgerEntry.objects.filter(index=index).first()
    if row is None or not may_see(viewer, row.subject):
        raise NotFound("there is no such entry")
    return Entry.parse(bytes(row.leaf), index=row.index)


def entries_about(viewer: Viewer, subject: str, *, since: int = 0, most: int = 100) -> list[Entry]:
    """The entries about a subject from an index on, in order; none unless the viewer may see it."""
    if not may_see(viewer, subject):
        return []
    rows = LedgerEntry.objects.filter(subject=subject, index__gte=since).order_by("index")
    found = rows.values_list("leaf", "index")[:most]
    return [Entry.parse(bytes(leaf), index=index) for leaf, index in found]


def entries_of(
    viewer: Viewer, kinds: Sequence[str], *, since: int = 0, below: int | None = None
) -> Iterator[Entry]:
    """The entries of some kinds in their order, for the office.

    ``since`` leaves earlier ones out, ``below`` later ones.
    """
    viewer.must_coordinate()
    rows = LedgerEntry.objects.filter(kind__in=list(kinds)).order_by("index")
    if since:
        rows = rows.filter(index__gte=since)
    if below is not None:
        rows = rows.filter(index__lt=below)
    for index, leaf in rows.values_list("index", "leaf").iterator(chunk_size=2000):
        yield Entry.parse(bytes(leaf), index=index)


def first_entry_at() -> datetime | None:
    """When the ledger began; None for an empty one."""
    return LedgerEntry.objects.order_by("index").values_list("at", flat=True).first()


def entries_at(viewer: Viewer, indices: Sequence[int]) -> dict[int, Entry]:
    """Entries by their index, for the office; those that are not there are left out."""
    viewer.must_coordinate()
    rows = LedgerEntry.objects.filter(index__in=list(indices)).values_list("index", "leaf")
    return {index: Entry.parse(bytes(leaf), index=index) for index, leaf in rows}
