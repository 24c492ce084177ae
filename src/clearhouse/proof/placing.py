"""Which distributed file a patch means.  Pure.

Patches speak of the repository (``src/pkg/x.py``, ``tests/test_x.py``, ``CHANGES``), the target is
its distribution (``site/pkg/x.py``). A path of the patch and a distributed file belong together
when one of them, folder by folder from the end, is wholly contained in the other; the longest such
agreement counts, and among equals the file that the hunks fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from clearhouse.proof.diff import FilePatch
from clearhouse.proof.hunks import Applied, DoesNotApply, Place, apply_hunks

#: Folders of repositories that distributions leave out: a file below one of them that does not
#: fit the distributed file of the same name is another file.
_ASIDE = frozenset(
    {
        "bench", "benchmark", "benchmarks", "changes", "ci", "contrib", "demo", "demos", "doc",
        "docs", "example", "examples", "fixtures", "news", "sample", "samples", "script", "scripts",
        "spec", "test", "testing", "tests", "tools", "website", ".github",
    }
)  # fmt: skip
#: What diff and git put before a name: "a/", "b/", "pkg-1.2.orig/".
_PREFIX = re.compile(r"[abciow12]|old|new|orig|.*-\d.*|.*\.orig")

#: A patch to "x.py" may mean "pkg/x.py", or another file of that name that is not distributed.
_BY_LAST_PART_ONLY = (0, 1)


class Fate(StrEnum):
    """What became of one file of a patch."""

    MODIFIED = "modified"
    ADDED = "added"
    DELETED = "deleted"
    MOVED = "moved"
    SKIPPED = "skipped"  # not in the distribution
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of a patch, placed and applied.

    ``path`` is the distributed file (of the tree's root), None for one that was skipped;
    ``content`` what it holds afterwards, None where it is gone; ``why`` says why not.
    """

    patch: FilePatch
    fate: Fate
    path: str | None = None
    content: bytes | None = None
    places: tuple[Place, ...] = ()
    moved_from: str | None = None
    line: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class PatchResult:
    """A patch applied to a tree in memory; ``base`` is the folder that only the tree has."""

    files: tuple[FileResult, ...]
    base: str = ""

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """Files whose hunks do not fit."""
        return tuple(one for one in self.files if one.fate is Fate.FAILED)

    @property
    def touched(self) -> tuple[FileResult, ...]:
        """Files that are different afterwards."""
        return tuple(one for one in self.files if one.fate not in (Fate.FAILED, Fate.SKIPPED))

    @property
    def changes(self) -> dict[str, bytes | None]:
        """New contents by path of the tree; None stands for a file that goes."""
        found: dict[str, bytes | None] = {}
        for one in self.touched:
            assert one.path is not None
            if one.moved_from is not None:
                found[one.moved_from] = None
            found[one.path] = one.content
        return found

    @property
    def applies(self) -> bool:
        """Every hunk for a distributed file fits, and there is at least one such."""
        return bool(self.touched) and not self.failed


def apply_patch(
    patch: Sequence[FilePatch],
    names: Iterable[str],
    read: Callable[[str], bytes],
    *,
    base: str = "",
) -> PatchResult:
    """Apply a patch to a tree of which ``names`` are the files and ``read`` gives the content.

    ``base`` is the folder of the tree that repositories do not know of (``site/``,
    ``node_modules/pkg/``). Nothing is written anywhere.
    """
    tree = _Tree(tuple(name for name in names if name.startswith(base)), base, read)
    results: list[FileResult] = []
    for one in patch:
        result = tree.apply(one)
        if result.path is not None and result.fate not in (Fate.FAILED, Fate.SKIPPED):
            tree.note(result)
        results.append(result)
    return PatchResult(tuple(results), base)


class _Tree:
    def __init__(self, names: tuple[str, ...], base: str, read: Callable[[str], bytes]) -> None:
        self._base, self._read = base, read
        self._own = frozenset(names)
        self._changed: dict[str, bytes | None] = {}
        self._parts = {name: tuple(name.removeprefix(base).split("/")) for name in names}
        self._by_last: dict[str, list[str]] = {}
        for name, parts in self._parts.items():
            self._by_last.setdefault(parts[-1], []).append(name)
        #: Folders of the patch and the tree's folder that each was found to be.
        self._folders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def note(self, result: FileResult) -> None:
        """Remember what a file has become: a later part of the patch may go on with it."""
        assert result.path is not None
        if result.moved_from is not None:
            self._changed[result.moved_from] = None
        self._changed[result.path] = result.content
        parts = tuple(result.path.removeprefix(self._base).split("/"))
        if result.path not in self._parts:
            self._parts[result.path] = parts
            self._by_last.setdefault(parts[-1], []).append(result.path)
        stated = PurePosixPath(result.patch.name).parts[:-1]
        self._folders.setdefault(stated, parts[:-1])

    def apply(self, patch: FilePatch) -> FileResult:
        """Place one file of the patch and apply its hunks."""
        if patch.copies:
            return self._copied(patch)
        creates = patch.source is None or _begins_from_nothing(patch)
        if creates and (patch.source is None or not self._candidates(patch.source)):
            return self._created(patch)
        candidates = [c for name in patch.names for c in self._candidates(name)]
        if not patch.changes:
            return FileResult(patch, Fate.SKIPPED, why="changes no content")
        if not candidates:
            return FileResult(patch, Fate.SKIPPED, why="is not in the distribution")
        if patch.binary:
            why = "is a binary change, which a unified diff does not carry"
            return FileResult(patch, Fate.FAILED, candidates[0], line=patch.line, why=why)
        return self._best(patch, list(dict.fromkeys(candidates)))

    def _best(self, patch: FilePatch, candidates: list[str]) -> FileResult:
        fits: list[tuple[str, Applied]] = []
        why: DoesNotApply | None = None
        for name in candidates:
            content = self._content(name)
            if content is None:
                continue
            result = apply_hunks(content, patch.hunks)
            if isinstance(result, Applied):
                fits.append((name, result))
            else:
                why = why or result
        if not fits:
            weak = self._rank(patch.names, candidates[0]) == _BY_LAST_PART_ONLY
            if weak or self._is_aside(patch, candidates[0]):
                return FileResult(patch, Fate.SKIPPED, why="fits no file of the distribution")
            line, text = (why.line, why.why) if why else (patch.line, "its file is gone")
            return FileResult(patch, Fate.FAILED, candidates[0], line=line, why=text)
        name, applied = fits[0]
        rank = self._rank(patch.names, name)
        if len(fits) > 1 and self._rank(patch.names, fits[1][0]) == rank:
            both = " and ".join(f"'{one.removeprefix(self._base)}'" for one, _ in fits[:2])
            return FileResult(
                patch, Fate.FAILED, name, line=patch.line, why=f"it could mean {both}"
            )
        return self._result(patch, name, applied)

    def _result(self, patch: FilePatch, name: str, applied: Applied) -> FileResult:
        if patch.target is None:
            if applied.content:
                why = "the file to be deleted holds more than the patch says"
                return FileResult(patch, Fate.FAILED, name, line=patch.line, why=why)
            return FileResult(patch, Fate.DELETED, name, None, applied.places)
        if patch.moves:
            into = self._renamed(name, patch.source or "", patch.target)
            if into is not None and into != name:
                return FileResult(patch, Fate.MOVED, into, applied.content, applied.places, name)
        return FileResult(patch, Fate.MODIFIED, name, applied.content, applied.places)

    def _created(self, patch: FilePatch) -> FileResult:
        assert patch.target is not None
        if patch.binary:
            return FileResult(patch, Fate.SKIPPED, why="is a binary file")
        path = self._place_of_new(patch.target)
        if path is None:
            return FileResult(patch, Fate.SKIPPED, why="is not in the distribution")
        if self._content(path) is not None:
            return FileResult(
                patch, Fate.FAILED, path, line=patch.line, why="the new file is there already"
            )
        applied = apply_hunks(b"", patch.hunks)
        if isinstance(applied, DoesNotApply):
            return FileResult(patch, Fate.FAILED, path, line=applied.line, why=applied.why)
        return FileResult(patch, Fate.ADDED, path, applied.content, applied.places)

    def _copied(self, patch: FilePatch) -> FileResult:
        """A new file that begins as another one was before the whole patch, as git counts."""
        assert patch.source is not None
        assert patch.target is not None
        sources = [name for name in self._candidates(patch.source) if name in self._own]
        if not sources:
            return FileResult(patch, Fate.SKIPPED, why="is not in the distribution")
        path = self._renamed(sources[0], patch.source, patch.target)
        if path is None:
            return FileResult(patch, Fate.SKIPPED, why="is not in the distribution")
        if self._content(path) is not None:
            return FileResult(
                patch, Fate.FAILED, path, line=patch.line, why="the new file is there already"
            )
        applied = apply_hunks(self._read(sources[0]), patch.hunks)
        if isinstance(applied, DoesNotApply):
            return FileResult(patch, Fate.FAILED, path, line=applied.line, why=applied.why)
        return FileResult(patch, Fate.ADDED, path, applied.content, applied.places)

    # -- names ---------------------------------------------------------------------------------

    def _content(self, name: str) -> bytes | None:
        if name in self._changed:
            return self._changed[name]
        return self._read(name) if name in self._parts else None

    def _candidates(self, stated: str) -> list[str]:
        """Distributed files that ``stated`` may mean, the best agreement first."""
        parts = PurePosixPath(stated).parts
        found = [
            (rank, name)
            for name in self._by_last.get(parts[-1], ())
            if (rank := _agreement(parts, self._parts[name])) is not None
        ]
        found.sort(key=lambda one: (one[0], len(one[1])), reverse=True)
        return [name for _, name in found]

    def _rank(self, stated: Sequence[str], name: str) -> tuple[int, int]:
        ranks = [_agreement(PurePosixPath(s).parts, self._parts[name]) for s in stated]
        return max((rank for rank in ranks if rank is not None), default=(0, 0))

    def _is_aside(self, patch: FilePatch, name: str) -> bool:
        own = set(self._parts[name])
        return any(part.lower() in _ASIDE and part not in own for part in patch.name.split("/"))

    def _place_of_new(self, stated: str) -> str | None:
        """Where a new file goes: beside files whose folder is known, or in a new folder below."""
        folder, last = PurePosixPath(stated).parts[:-1], PurePosixPath(stated).name
        for up in range(len(folder) + 1):
            outer, inner = folder[: len(folder) - up], folder[len(folder) - up :]
            into = self._folders.get(outer)
            if into is None:
                into = self._folder_like(outer)
            if into is not None:
                if any(part.lower() in _ASIDE for part in inner):
                    return None
                return self._base + "/".join((*into, *inner, last))
        return None

    def _folder_like(self, stated: tuple[str, ...]) -> tuple[str, ...] | None:
        """The tree's folder that ends a stated one; the longest wins."""
        best: tuple[str, ...] | None = None
        for parts in self._parts.values():
            folder = parts[:-1]
            for size in range(len(folder), 0, -1):
                if stated[-size:] == folder[:size] and (best is None or size > len(best)):
                    best = folder[:size]
        return best

    def _renamed(self, name: str, old: str, new: str) -> str | None:
        parts, before, after = self._parts[name], list(PurePosixPath(old).parts), new.split("/")
        shared = len(before) - len(parts)
        if shared >= 0 and before[:shared][1:] == after[:shared][1:]:
            return self._base + "/".join(after[shared:])
        if before[:-1] == after[:-1]:
            return self._base + "/".join((*parts[:-1], after[-1]))
        return self._place_of_new(new)


def _agreement(stated: Sequence[str], own: Sequence[str]) -> tuple[int, int] | None:
    """How well a path of the patch means a distributed one, or None when it does not.

    The first figure is 1 when the distributed path stands in it whole, the second the number of
    parts that agree.
    """
    size = min(len(stated), len(own))
    if tuple(stated[-size:]) == tuple(own[-size:]):
        return (1, size) if size == len(own) else (0, size)
    rest = stated[1:]
    if rest and _PREFIX.fullmatch(stated[0]) and tuple(own[-len(rest) :]) == tuple(rest):
        return 0, len(rest)
    return None


def _begins_from_nothing(patch: FilePatch) -> bool:
    return len(patch.hunks) == 1 and patch.hunks[0].start == 0 and not patch.hunks[0].before


def summary(result: PatchResult) -> list[Mapping[str, object]]:
    """The files of a patch as documents show them."""
    shown: list[Mapping[str, object]] = []
    for one in result.files:
        entry: dict[str, object] = {"file": one.patch.shown, "fate": one.fate.value}
        if one.path is not None:
            entry["distributed_as"] = one.path.removeprefix(result.base)
        if one.why:
            entry["why"] = one.why
        entry["hunks"] = [
            {"line": p.hunk, "at": p.at, "offset": p.offset, "fuzz": p.fuzz,
             **({"other_line_ends": True} if p.other_line_ends else {})}
            for p in one.places
        ]  # fmt: skip
        shown.append(entry)
    return shown
