"""Which patches of a model are judged at all, and what a judged one is worth."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from clearhouse.errors import Refused
from clearhouse.proof.diff import FilePatch, read_patch
from clearhouse.proof.own_tests import files_with_tests
from clearhouse.proof.patched import Distribution
from clearhouse.proof.placing import Fate, FileResult
from clearhouse.proof.text import printable

#: No fix that a person reviews is larger.
PATCH_BYTES: Final = 1 << 20
_SHOWN: Final = 120
#: Files by which a run of tests, or of everything, can be steered.
_STEERING: Final = frozenset({"conftest.py", "sitecustomize.py", "usercustomize.py"})
#: Below it every name can be imported, the target's or not.
SITE: Final = "site/"
_LEVELS: Final = ("applies", "stops_proof", "stops_variants", "keeps_behaviour")


class Confidence(StrEnum):
    """How much of what can be looked at was, and spoke for a patch.  No probability."""

    HIGH = "high"
    """All four levels hold, and the package's own tests ran and still pass."""
    FAIR = "fair"
    """Nothing speaks against it, but a level is unknown, or no own tests ran."""
    NONE = "none"
    """It is not accepted."""


def admit(raw: bytes, distribution: Distribution) -> tuple[FilePatch, ...]:
    """The parts of a patch that a model proposes.

    1. It is a unified diff, not larger than a person reviews, of names inside the tree.
    2. It changes files of the target alone: a patch that is handed on holds nothing unjudged.
    3. It changes no tests and nothing that steers how tests run: they are what it is held against.
    4. A new file lies in a folder that the target has.

    Raises :class:`Invalid` for 1, :class:`Refused` for the others, :class:`Unavailable` where a
    changed file would not be what runs.
    """
    if len(raw) > PATCH_BYTES:
        raise Refused(f"the patch is larger than {PATCH_BYTES >> 20} MiB")
    files = read_patch(raw, where="the patch")  # 1
    folders = {str(PurePosixPath(name).parent) for name in distribution.names}
    for one in distribution.apply(files).files:
        _check(one, distribution.base, folders)
    return files


def _check(one: FileResult, base: str, folders: set[str]) -> None:
    shown = printable(one.patch.shown, limit=_SHOWN)
    if one.fate is Fate.SKIPPED:  # 2
        raise Refused(f"the patch: {shown} {one.why}; only the target's own files may be changed")
    for path in (one.path, one.moved_from):
        if path is None:
            continue
        name = path.removeprefix(base)
        if files_with_tests([name]) or PurePosixPath(name).name in _STEERING:  # 3
            raise Refused(f"the patch: {shown} is of the tests, which have to stay as they are")
    if one.fate in (Fate.ADDED, Fate.MOVED) and one.path is not None:
        parent = str(PurePosixPath(one.path).parent)
        is_module = base == SITE and f"{parent}/" == base  # beside the package, and importable
        if parent not in folders or is_module:  # 4
            raise Refused(f"the patch: {shown} is new where the target has no files of its own")


def confidence(document: Mapping[str, Any]) -> Confidence:
    """What a document of ``check-patch`` is worth."""
    if not document["accepted"]:
        return Confidence.NONE
    levels = document["levels"]
    tests = document["tests"]
    if all(levels[name] == "yes" for name in _LEVELS) and tests["ran"] and tests["passed"]:
        return Confidence.HIGH
    return Confidence.FAIR


def standing(document: Mapping[str, Any]) -> tuple[int, int]:
    """What orders patches: the levels that say no, fewer first, then those that say yes."""
    levels = [document["levels"][name] for name in _LEVELS]
    return -levels.count("no"), levels.count("yes")
