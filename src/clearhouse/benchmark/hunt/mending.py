"""Which patches of a model are judged at all, and what a judged one is worth."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from clearhouse.errors import Refused
from clearhouse.proof.diff import read_patch, unified
from clearhouse.proof.own_tests import files_with_tests
from clearhouse.proof.patched import Distribution
from clearhouse.proof.placing import Fate, FileResult
from clearhouse.proof.text import is_plain_line, printable

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


def admit(raw: bytes, distribution: Distribution) -> bytes:
    """What a model proposes, as one plain diff of the target's files: that is judged and written.

    1. It is a unified diff, not larger than a person reviews, of names inside the tree.
    2. It changes files of the target alone, and every hunk fits.
    3. It changes no tests and nothing that steers how tests run: they are what it is held against.
    4. A new file lies in a folder that the target has.
    5. A reader sees all that it adds: no control or invisible characters (Trojan Source, Boucher
       and Anderson 2021).

    Words around the hunks are left out.  Raises :class:`Invalid` for 1, :class:`Refused` for the
    others, :class:`Unavailable` where a changed file would not be what runs.
    """
    if len(raw) > PATCH_BYTES:
        raise Refused(f"the patch is larger than {PATCH_BYTES >> 20} MiB")
    result = distribution.apply(read_patch(raw, where="the patch"))  # 1
    folders = {str(PurePosixPath(name).parent) for name in distribution.names}
    for one in result.files:
        _check(one, result.base, folders)
    known = set(distribution.names)
    parts = []
    for path, after in sorted(result.changes.items()):
        before = distribution.read(path) if path in known else None
        _check_visible(path.removeprefix(result.base), before, after)  # 5
        parts.append(unified(path.removeprefix(result.base), before, after))
    made = b"".join(parts)
    if not made:
        raise Refused("the patch: it changes nothing")
    return made


def _check(one: FileResult, base: str, folders: set[str]) -> None:
    shown = printable(one.patch.shown, limit=_SHOWN)
    if one.fate is Fate.SKIPPED:  # 2
        raise Refused(f"the patch: {shown} {one.why}; only the target's own files may be changed")
    if one.fate is Fate.FAILED:
        raise Refused(f"the patch: line {one.line} does not fit {shown}: {one.why}")
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


def _check_visible(name: str, before: bytes | None, after: bytes | None) -> None:
    shown = printable(name, limit=_SHOWN)
    if not is_plain_line(name):
        raise Refused(f"the patch: {shown} is no name that a reader sees as it is")
    old = set((before or b"").splitlines())
    for line in (after or b"").splitlines():
        if line not in old and not is_plain_line(_text(line)):
            raise Refused(
                f"the patch: it adds control or invisible characters to {shown}; write them escaped"
            )


def _text(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.replace("\t", "")


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
