"""A stored log computed again from its entries, and everything about it that does not fit.

What is compared, with what:

1. entries stand one behind the other from 0, and none is earlier than the one before it
2. the columns beside an entry say what the entry says, and its hash is the entry's
3. full tiles hold the hashes of the entries, and of the tiles below them
4. the head holds size, peaks and time that the entries lead to
5. signed checkpoints have the root that the entries lead to, and signatures that hold
6. an older checkpoint, kept by somebody else, has that root too

Whoever can write the whole store can make 1 to 4 fit after a change.  Not 5, which needs the
ledger's key, unless checkpoints are removed; and not 6, which is out of reach.  Entries removed
from the end, with all that told of them, show in 5 and 6 alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.note import Note, VerifierKey
from clearhouse.ledger.tiles import HEIGHT, WIDTH
from clearhouse.ledger.tree import HASH_BYTES, grow, leaf_hash, root_of_complete, root_of_peaks


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of an entry as it was found; ``at`` is None where it is no time."""

    index: int
    kind: str
    subject: str
    at: datetime | None
    leaf: bytes
    leaf_hash: bytes


class StoredTile(NamedTuple):
    """A row of a full tile as it was found."""

    level: int
    place: int
    hashes: bytes
    root: bytes


class StoredHead(NamedTuple):
    """The row of the head as it was found."""

    size: int
    peaks: bytes
    last_at: datetime | None


class StoredCheckpoint(NamedTuple):
    """A row of a signed checkpoint as it was found."""

    size: int
    root: bytes
    note: str


class Stored(Protocol):
    """Where a ledger is stored, read at one moment; rows come one by one, never all at once."""

    def heads(self) -> Sequence[StoredHead]:
        """The rows of the head: none in an empty ledger, else one."""

    def entries(self) -> Iterator[StoredEntry]:
        """By index."""

    def tiles(self) -> Iterator[StoredTile]:
        """By level and place."""

    def tile(self, level: int, place: int) -> StoredTile | None:
        """One tile."""

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """By size."""


class Wrong(StrEnum):
    """In which way something does not fit."""

    ALTERED = "altered"
    REMOVED = "removed"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    ADDED = "added"
    UNSIGNED = "not signed"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit; ``index`` is the entry's, where it is about one."""

    wrong: Wrong
    index: int | None
    says: str

    def __str__(self) -> str:
        at = "" if self.index is None else f"entry {self.index}: "
        return f"{at}{self.wrong}: {self.says}"


@dataclass(frozen=True, slots=True)
class Result:
    """What verifying found.

    ``problems`` are the first ones, ``count`` is how many there are.  ``last_signed`` is the size
    of the largest checkpoint in the store that fits: what came later could be cut off unseen.
    """

    size: int
    root: bytes
    problems: tuple[Problem, ...]
    count: int
    checkpoints: int
    last_signed: int | None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.count == 0


Progress = Callable[[int], None]
"""Told how many entries have been read."""

_STEP: Final = 10_000


def verify(
    stored: Stored,
    *,
    keys: Sequence[VerifierKey] = (),
    older: Checkpoint | None = None,
    most_problems: int = 20,
    progress: Progress = lambda _: None,
) -> Result:
    """Compute everything again.  Without ``keys`` signatures are not checked."""
    return _Verification(stored, keys, older, most_problems, progress).run()


class _Verification:
    """One pass over a store; memory is that of one tile of each level and the problems kept."""

    def __init__(
        self,
        stored: Stored,
        keys: Sequence[VerifierKey],
        older: Checkpoint | None,
        most_problems: int,
        progress: Progress,
    ) -> None:
        self._stored, self._keys, self._older = stored, keys, older
        self._progress, self._most = progress, most_problems
        self._problems: list[Problem] = []
        self._count = 0
        self._size = 0
        self._peaks: list[bytes] = []
        self._is_whole = True  # whether no entry was missing so far, and roots can be computed
        self._last_at: datetime | None = None
        self._tile: StoredTile | None = None
        self._tile_place = -1
        self._displaced: list[tuple[int, bytes, bytes]] = []
        self._signed = iter(stored.checkpoints())
        self._next_signed = next(self._signed, None)
        self._checkpoints = 0
        self._last_signed: int | None = None

    def run(self) -> Result:
        self._roots_at(0)
        for row in self._stored.entries():
            self._entry(row)
            if self._size % _STEP == 0:
                self._progress(self._size)
        self._reordered()
        self._tiles()
        self._head()
        self._beyond()
        root = root_of_peaks(self._peaks)
        return Result(
            self._size,
            root,
            tuple(self._problems),
            self._count,
            self._checkpoints,
            self._last_signed,
        )

    def _found(self, wrong: Wrong, index: int | None, says: str) -> None:
        self._count += 1
        if len(self._problems) < self._most:
            self._problems.append(Problem(wrong, index, says))

    def _entry(self, row: StoredEntry) -> None:  # 1, 2, 3
        if row.index < self._size:
            self._found(Wrong.ADDED, row.index, "there is no such place, or it is taken")
            return
        if row.index > self._size:
            last = row.index - 1
            which = f"entry {last} is" if last == self._size else f"entries up to {last} are"
            self._found(Wrong.REMOVED, self._size, f"{which} not there")
            self._is_whole = False
            self._size = row.index
        hashed = leaf_hash(row.leaf)
        self._columns(row, hashed)
        self._in_tile(row.index, hashed)
        if self._is_whole:
            grow(row.index, self._peaks, hashed)
        self._size += 1
        self._roots_at(self._size)

    def _columns(self, row: StoredEntry, hashed: bytes) -> None:  # 1, 2
        try:
            entry = Entry.parse(row.leaf, index=row.index)
        except Invalid as error:
            self._found(Wrong.ALTERED, row.index, f"what is hashed is no entry: {error}")
        else:
            beside = {"kind": row.kind, "subject": row.subject, "at": row.at}
            for name, value in beside.items():
                if value != getattr(entry, name):
                    says = f"the column {name} says something else than the entry"
                    self._found(Wrong.ALTERED, row.index, says)
            if self._last_at is not None and entry.at < self._last_at:
                says = "it is earlier than the one before it"
                self._found(Wrong.REORDERED, row.index, says)
            self._last_at = entry.at
        if row.leaf_hash != hashed:
            says = "its hash is not that of the entry"
            self._found(Wrong.ALTERED, row.index, says)

    def _in_tile(self, index: int, hashed: bytes) -> None:  # 3
        place, at = divmod(index, WIDTH)
        if place != self._tile_place:
            self._tile, self._tile_place = self._stored.tile(0, place), place
        if self._tile is None:
            return
        held = self._tile.hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)]
        if held != hashed:
            says = "the tile of its hashes holds another one"
            self._found(Wrong.ALTERED, index, says)
            if len(self._displaced) < self._most:
                self._displaced.append((index, hashed, held))

    def _reordered(self) -> None:  # 1, told apart from what was altered
        by_hash = {hashed: index for index, hashed, _ in self._displaced}
        for index, _, held in self._displaced:
            if held in by_hash:
                says = f"the entry that belongs here stands at {by_hash[held]}"
                self._found(Wrong.REORDERED, index, says)

    def _roots_at(self, size: int) -> None:  # 5, 6
        root: bytes | None = None
        while self._next_signed is not None and self._next_signed.size <= size:
            signed = self._next_signed
            self._next_signed = next(self._signed, None)
            root = root or root_of_peaks(self._peaks)
            if signed.size < size:
                self._uncomputable(f"the signed checkpoint of {signed.size} entries")
            elif self._note(signed):
                self._compare(root, signed.root, f"the signed checkpoint of {size} entries")
        if self._older is not None and self._older.size == size:
            root = root or root_of_peaks(self._peaks)
            self._compare(root, self._older.root, f"the older checkpoint of {size} entries")

    def _compare(self, root: bytes, told: bytes, name: str) -> None:
        if not self._is_whole:
            self._uncomputable(name)
        elif root != told:
            says = f"{name} has another root: an entry before it was altered, removed or added"
            self._found(Wrong.CONTRADICTED, None, says)
        elif name.startswith("the signed"):
            self._last_signed = self._size

    def _uncomputable(self, name: str) -> None:
        says = f"{name} cannot be computed again: entries before it are not there"
        self._found(Wrong.CONTRADICTED, None, says)

    def _note(self, signed: StoredCheckpoint) -> bool:  # 5
        """Whether the note says what stands beside it, and was signed."""
        self._checkpoints += 1
        name = f"the signed checkpoint of {signed.size} entries"
        try:
            note = Note.parse(signed.note.encode())
            told = Checkpoint.parse(note.text)
            if self._keys:
                note.signed_by(self._keys)
        except (Invalid, Refused, UnicodeEncodeError) as error:
            self._found(Wrong.UNSIGNED, None, f"{name}: {error}")
            return False
        if (told.size, told.root) != (signed.size, signed.root):
            says = f"{name}: the columns say something else than the note"
            self._found(Wrong.ALTERED, None, says)
            return False
        if self._keys and told.origin not in {key.name for key in self._keys}:
            self._found(Wrong.UNSIGNED, None, f"{name} is one of {told.origin[:80]!r}")
            return False
        return True

    def _tiles(self) -> None:  # 3
        coming = self._stored.tiles()
        row = next(coming, None)
        level, below = 0, self._size
        while row is not None or below >= WIDTH:
            full = below // WIDTH
            expected = 0
            while row is not None and row.level == level and row.place < full:
                if row.place > expected:
                    self._missing_tiles(level, expected, row.place)
                self._one_tile(row)
                expected = row.place + 1
                row = next(coming, None)
            if expected < full:
                self._missing_tiles(level, expected, full)
            while row is not None and row.level <= level:
                says = f"there is a tile of level {row.level} at {row.place}, beyond the entries"
                self._found(Wrong.TRUNCATED, None, says)
                row = next(coming, None)
            level, below = level + 1, full

    def _missing_tiles(self, level: int, begin: int, end: int) -> None:
        says = f"{end - begin} tile(s) of level {level} from {begin} on are not there"
        self._found(Wrong.REMOVED, None, says)

    def _one_tile(self, row: StoredTile) -> None:
        name = f"the tile of level {row.level} at {row.place}"
        first = row.place * WIDTH << HEIGHT * row.level
        if len(row.hashes) != WIDTH * HASH_BYTES:
            self._found(Wrong.ALTERED, None, f"{name} has not {WIDTH} hashes")
            return
        hashes = [row.hashes[at : at + HASH_BYTES] for at in range(0, len(row.hashes), HASH_BYTES)]
        if root_of_complete(hashes) != row.root:
            says = f"{name}, from entry {first} on, has another root than its hashes lead to"
            self._found(Wrong.ALTERED, None, says)
        if row.level == 0:
            return  # compared with the entries already
        for at, held in enumerate(hashes):
            below = self._stored.tile(row.level - 1, row.place * WIDTH + at)
            if below is not None and below.root != held:
                says = f"{name} has another hash at {at} than the tile below it"
                self._found(Wrong.ALTERED, None, says)

    def _head(self) -> None:  # 4
        heads = self._stored.heads()
        if len(heads) > 1 or (self._size and not heads):
            self._found(Wrong.ALTERED, None, f"the ledger has {len(heads)} heads")
            return
        if not heads:
            return
        head = heads[0]
        if head.size > self._size:
            says = f"the head counts {head.size} entries, {self._size} are there"
            self._found(Wrong.TRUNCATED, self._size, says)
        elif head.size < self._size:
            says = f"the head counts {head.size} entries, {self._size} are there"
            self._found(Wrong.ADDED, head.size, says)
        elif self._is_whole and head.peaks != b"".join(self._peaks):
            says = "the head has other peaks than the entries lead to"
            self._found(Wrong.ALTERED, None, says)
        if head.size == self._size and head.last_at != self._last_at:
            self._found(Wrong.ALTERED, None, "the head has another time than the last entry")

    def _beyond(self) -> None:  # 5, 6
        while self._next_signed is not None:
            signed = self._next_signed
            self._next_signed = next(self._signed, None)
            self._note(signed)
            says = f"a checkpoint of {signed.size} entries was signed, {self._size} are there"
            self._found(Wrong.TRUNCATED, self._size, says)
        if self._older is not None and self._older.size > self._size:
            says = f"the older checkpoint has {self._older.size} entries, {self._size} are there"
            self._found(Wrong.TRUNCATED, self._size, says)
