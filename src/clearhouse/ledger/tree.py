"""The Merkle tree of RFC 6962, section 2.1: what a log of decisions is hashed into.

A subtree is *complete* when all its leaves are there; its hash never changes again.  Complete
subtrees have a level (0 for leaves) and a place within the level; they are all that is stored.
Everything else follows from them: roots of any size so far, proofs that an entry is in a tree, and
proofs that one tree is the beginning of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from clearhouse.errors import Invalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A complete subtree: it covers leaves ``place << level`` until ``(place + 1) << level``."""

    level: int
    place: int


Read = Callable[[Node], bytes]
"""Returns the hash of a complete subtree that was stored."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, leaf: bytes, read: Read) -> list[tuple[Node, bytes]]:
    """What to store for one more leaf behind ``size`` others: it, and the subtrees it completes."""
    found = [(Node(0, size), leaf)]
    index = size
    while index & 1:
        (level, place), right = found[-1]
        found.append((Node(level + 1, place >> 1), node_hash(read(Node(level, place - 1)), right)))
        index >>= 1
    return found


def grow(size: int, peaks: list[bytes], leaf: bytes) -> None:
    """Put one more leaf behind ``size`` others, of which only the peaks are known; in place.

    Peaks are the hashes of the complete subtrees that cover the leaves, from the left.
    """
    found = leaf
    while size & 1:
        found = node_hash(peaks.pop(), found)
        size >>= 1
    peaks.append(found)


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root hash of the tree that these complete subtrees cover."""
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for left in reversed(peaks[:-1]):
        found = node_hash(left, found)
    return found


def root_of_complete(hashes: Sequence[bytes]) -> bytes:
    """The hash of a complete subtree from all the hashes of one of its levels."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def root(size: int, read: Read) -> bytes:
    """The root hash of the tree over the first ``size`` leaves."""
    return _range_hash(0, size, read) if size else EMPTY_ROOT


def prove_inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """The path of leaf ``index`` in the tree of ``size`` leaves (section 2.1.1).

    Raises :class:`Invalid` where there is no such leaf.
    """
    if not 0 <= index < size:
        raise Invalid(f"there is no entry {index} in a log of {size}")
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(begin, middle, read))
            begin = middle
    return path[::-1]


def prove_consistency(old: int, new: int, read: Read) -> list[bytes]:
    """The proof that the tree of ``old`` leaves begins the one of ``new`` (section 2.1.2).

    Raises :class:`Invalid` where the sizes do not fit.
    """
    if not 0 <= old <= new:
        raise Invalid(f"a log of {new} entries does not begin with one of {old}")
    if old in (0, new):
        return []
    proof = []
    begin, end = 0, new
    is_whole = True  # whether the part looked at is the old tree itself, whose root is known
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_range_hash(middle, end, read))
            end = middle
        else:
            proof.append(_range_hash(begin, middle, read))
            begin = middle
            is_whole = False
    if not is_whole:
        proof.append(_range_hash(begin, end, read))
    return proof[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a path leads to (RFC 9162, section 2.1.3.2).

    The leaf is in the tree when that is the tree's root.  Raises :class:`Invalid` for a path that
    fits no tree of that size.
    """
    if not 0 <= index < size:
        raise Invalid(f"there is no entry {index} in a log of {size}")
    inner, border = _path_lengths(index, size)
    if len(path) != inner + border:
        raise Invalid(f"the proof has {len(path)} hashes where {inner + border} are needed")
    found = leaf
    for level, other in enumerate(path[:inner]):
        found = node_hash(other, found) if index >> level & 1 else node_hash(found, other)
    for other in path[inner:]:
        found = node_hash(other, found)
    return found


def is_included(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root_hash: bytes
) -> bool:
    """Whether a proof shows that a leaf is in the tree with that root.

    Raises :class:`Invalid` for a path that fits no tree of that size.
    """
    return root_by_inclusion(leaf, index, size, path) == root_hash


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that one tree begins with the other (RFC 9162, section 2.1.4.2).

    Raises :class:`Invalid` where the sizes do not fit.
    """
    if not 0 <= old <= new:
        raise Invalid(f"a log of {new} entries does not begin with one of {old}")
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    hashes = list(proof)
    if old & (old - 1) == 0:  # a complete tree is a node of the new one
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    of_old = of_new = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            of_old, of_new = node_hash(other, of_old), node_hash(other, of_new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            of_new = node_hash(of_new, other)
        place, last = place >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root


def complete_subtrees(begin: int, end: int) -> Iterator[Node]:
    """The fewest complete subtrees that cover the leaves from ``begin`` until ``end``, in order."""
    while begin < end:
        level = (begin & -begin).bit_length() - 1 if begin else (end - begin).bit_length() - 1
        while begin + (1 << level) > end:
            level -= 1
        yield Node(level, begin >> level)
        begin += 1 << level


def _range_hash(begin: int, end: int, read: Read) -> bytes:
    return root_of_peaks([read(node) for node in complete_subtrees(begin, end)])


def _split(size: int) -> int:
    """The largest power of two that is smaller than ``size`` (section 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def _path_lengths(index: int, size: int) -> tuple[int, int]:
    """How many hashes of a path lie within the leaf's last subtree, and how many to its left."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()
