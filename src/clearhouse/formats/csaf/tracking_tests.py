"""Tests on the revision history and the document's version: CSAF 2.0, sections 6.1.14 to 22, 30.

Revisions are sorted by date, and those of one date by number: the official documents hold a
history to be sound whose entries of one instant stand in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from clearhouse.formats.csaf.document import Object, member, objects, repeated, text
from clearhouse.formats.instants import instant
from clearhouse.versions import npm

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

_TRACKING: Final = "/document/tracking"
#: Of a length that int() takes; nobody revises a document more often.
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,99}")
_RELEASED: Final = ("final", "interim")


@dataclass(frozen=True, slots=True)
class _Number:
    """A document's version: an integer, or a semantic version (section 3.1.11)."""

    text: str
    semantic: npm.Version | None

    @classmethod
    def parse(cls, raw: str) -> _Number | None:
        if _INTEGER.fullmatch(raw):
            return cls(raw, None)
        version = npm.parse(raw)
        return cls(raw, version) if isinstance(version, npm.Version) else None

    @property
    def major(self) -> int:
        return int(self.text) if self.semantic is None else self.semantic.major

    @property
    def prerelease(self) -> str:
        """The part after the hyphen; build metadata may have hyphens of its own."""
        return self.text.partition("+")[0].partition("-")[2]

    def order(self) -> bytes:
        """Its place: an integer counts as a major version, build metadata do not count."""
        return (self.semantic or npm.Version(self.major, 0, 0)).precedence()


@dataclass(frozen=True, slots=True)
class _Revision:
    path: str
    at: datetime
    number: _Number


def _tracking(document: Object) -> Object:
    return member(document, "document", "tracking")


def _history(document: Object) -> list[_Revision]:
    """The revisions that can be read, sorted by date and number."""
    found = []
    for path, one in objects(_tracking(document), "revision_history", _TRACKING):
        at, number = instant(text(one, "date")), _Number.parse(text(one, "number") or "")
        if at is not None and number is not None:
            found.append(_Revision(path, at, number))
    return sorted(found, key=lambda one: (one.at, one.number.order()))


def _version(document: Object) -> _Number | None:
    return _Number.parse(text(_tracking(document), "version") or "")


def unsorted_history(document: Object) -> Found:
    """6.1.14: later revisions have higher numbers, where date and number can be read."""
    for path, one in objects(_tracking(document), "revision_history", _TRACKING):
        if instant(text(one, "date")) is None:
            yield f"{path}/date", "is no time of RFC 3339, so the history cannot be sorted"
        if _Number.parse(text(one, "number") or "") is None:
            yield f"{path}/number", "is no version, so the history cannot be sorted"
    for before, after in pairwise(_history(document)):
        if after.number.order() < before.number.order():
            yield (
                f"{after.path}/number",
                f"{after.number.text} came later than {before.number.text}",
            )


def wrong_latest_version(document: Object) -> Found:
    """6.1.16: the document's version is that of its latest revision."""
    version, history = _version(document), _history(document)
    if version is None or not history:
        return
    latest = history[-1].number
    draft = _tracking(document).get("status") == "draft"
    if _bare(version, draft=draft) != _bare(latest, draft=draft):
        yield (
            f"{_TRACKING}/version",
            f"is {version.text}, but the latest revision is {latest.text}",
        )


def _bare(number: _Number, *, draft: bool) -> str:
    without_build = number.text.partition("+")[0]
    return without_build.partition("-")[0] if draft else without_build


def early_version_not_draft(document: Object) -> Found:
    """6.1.17: version 0, 0.y.z, or with a pre-release part means draft."""
    version = _version(document)
    if version and (version.major == 0 or version.prerelease):
        status = _tracking(document).get("status")
        if status != "draft":
            yield f"{_TRACKING}/status", f"is {status}, but version {version.text} is a draft's"


def early_revisions_when_released(document: Object) -> Found:
    """6.1.18: what is final or interim has no revision 0 or 0.y.z."""
    if text(_tracking(document), "status") in _RELEASED:
        for one in _history(document):
            if one.number.major == 0:
                yield f"{one.path}/number", f"{one.number.text} is a draft's, the document is not"


def prerelease_revisions(document: Object) -> Found:
    """6.1.19: no revision's number has a pre-release part."""
    for one in _history(document):
        if one.number.prerelease:
            yield f"{one.path}/number", f"{one.number.text} has a pre-release part"


def prerelease_when_released(document: Object) -> Found:
    """6.1.20: the version of what is final or interim has no pre-release part."""
    version = _version(document)
    if version and version.prerelease and text(_tracking(document), "status") in _RELEASED:
        yield f"{_TRACKING}/version", f"{version.text} has a pre-release part"


def missing_revisions(document: Object) -> Found:
    """6.1.21: revisions begin with 0 or 1 and leave out no number (no major version)."""
    history = _history(document)
    if history and history[0].number.major not in {0, 1}:
        yield f"{history[0].path}/number", "the first revision is neither 0 nor 1"
    for before, after in pairwise(history):
        if after.number.major > before.number.major + 1:
            yield (
                f"{after.path}/number",
                f"nothing is between {before.number.text} and {after.number.text}",
            )


def repeated_revisions(document: Object) -> Found:
    """6.1.22: each number stands once in the history."""
    history = objects(_tracking(document), "revision_history", _TRACKING)
    numbers = ((f"{path}/number", text(one, "number")) for path, one in history)
    for path, number in repeated(pair for pair in numbers if pair[1] is not None):
        yield path, f"revision {number} is there more than once"


def mixed_versioning(document: Object) -> Found:
    """6.1.30: versions are all integers or all semantic versions."""
    version = _version(document)
    for one in _history(document):
        if version and (one.number.semantic is None) != (version.semantic is None):
            yield (
                f"{one.path}/number",
                f"{one.number.text} and {version.text} are not of one versioning",
            )
