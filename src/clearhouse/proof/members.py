"""The files of a bundle while they are collected: names checked, sizes and numbers capped.

Everything that reads a bundle (folder, zip, tar) hands its members to a :class:`Collector`, so
that the rules are the same whatever the container.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.text import SHOWN_CHARACTERS, printable

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may hold. A proof is small: the largest sample has a few kilobytes."""

    total_bytes: int = 64 * MIB
    members: int = 2000
    member_bytes: int = 16 * MIB
    name_bytes: int = 255
    depth: int = 32


BUNDLE_LIMITS: Final = Limits()

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What desktop systems put beside the finder's files: Finder's metadata, AppleDouble files.
_LITTER: Final = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|\._[^/]*$|Thumbs\.db$)")


def size_text(count: int) -> str:
    """Return ``count`` bytes as a reader says it."""
    if count >= MIB:
        return f"{count / MIB:g} MiB" if count % MIB == 0 else f"{count / MIB:.1f} MiB"
    return f"{count} bytes"


def shown(name: str) -> str:
    """Return a name from outside in quotes, safe to show and of bounded length."""
    return f"'{printable(name, limit=SHOWN_CHARACTERS)}'"


def decoded(raw_name: bytes, where: str) -> str:
    """Return a member's name as text; raises Invalid when it is not UTF-8."""
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError:
        name = raw_name.decode("latin-1")
        raise Invalid(
            f"the name {shown(name)} is not UTF-8; expected file names in UTF-8", where=where
        ) from None


def checked_name(name: str, where: str, limits: Limits = BUNDLE_LIMITS) -> str:
    """Return ``name`` as a clean relative name such as ``inputs/poc.bin``.

    Drops empty and ``.`` components. Raises Invalid when it is absolute, climbs with ``..``,
    has a drive letter, a backslash or control characters, is too long or too deep.
    """
    if not name:
        raise Invalid("a file has an empty name; expected a relative name", where=where)
    if _CONTROL.search(name):
        raise Invalid(f"the name {shown(name)} has control characters", where=where)
    if not name.isascii() and any(0xD800 <= ord(character) <= 0xDFFF for character in name):
        raise Invalid(f"the name {shown(name)} is not UTF-8", where=where)
    if name.startswith("/"):
        raise Invalid(f"the name {shown(name)} is absolute; expected a relative name", where=where)
    if _DRIVE.match(name):
        raise Invalid(
            f"the name {shown(name)} has a drive letter; expected a relative name", where=where
        )
    if "\\" in name:
        raise Invalid(
            f"the name {shown(name)} has a backslash; expected folders separated by '/'",
            where=where,
        )
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise Invalid(
            f"the name {shown(name)} leaves the bundle by '..'; expected a name inside it",
            where=where,
        )
    clean = "/".join(parts)
    if len(clean.encode()) > limits.name_bytes:
        raise Invalid(
            f"the name {shown(name)} is too long; expected at most {limits.name_bytes} bytes",
            where=where,
        )
    if len(parts) > limits.depth:
        raise Invalid(
            f"the name {shown(name)} lies too deep; expected at most {limits.depth} levels",
            where=where,
        )
    return clean


@dataclass(slots=True)
class Collector:
    """Takes the members of one bundle; raises Invalid at the first that a bundle may not hold.

    ``where`` is the bundle as its finder named it and stands in every message.
    """

    where: str
    limits: Limits = BUNDLE_LIMITS
    files: dict[str, bytes] = field(default_factory=dict, init=False)
    folders: set[str] = field(default_factory=set, init=False)
    _members: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)

    def admit(self, raw_name: str) -> str:
        """Count a member before its content is read, and return its clean name."""
        self._members += 1
        if self._members > self.limits.members:
            raise Invalid(
                f"more than {self.limits.members} members; a bundle may hold that many",
                where=self.where,
            )
        return checked_name(raw_name, self.where, self.limits)

    def room(self, name: str, declared: int = 0) -> int:
        """Return how many bytes ``name`` may have; raises Invalid when ``declared`` is more.

        A reader takes at most one byte more than this and hands it to :meth:`add_file`, which
        refuses it: what a header declares never decides how much is read.
        """
        if declared > self.limits.member_bytes:
            raise self._too_large(name)
        if declared > self.limits.total_bytes - self._total:
            raise self._too_much()
        return min(self.limits.member_bytes, self.limits.total_bytes - self._total)

    def add_file(self, name: str, data: bytes) -> None:
        """Keep a file under its clean name."""
        if not name:
            raise Invalid("a file is named like a folder", where=self.where)
        if name in self.files:
            raise Invalid(
                f"the name {shown(name)} appears twice; expected each file once", where=self.where
            )
        if len(data) > self.limits.member_bytes:
            raise self._too_large(name)
        self._total += len(data)
        if self._total > self.limits.total_bytes:
            raise self._too_much()
        parent = name
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            self.folders.add(parent)
        self.files[name] = data

    def add_folder(self, name: str) -> None:
        """Note a folder; empty ones are no part of a bundle."""
        if name:
            self.folders.add(name)

    def result(self) -> dict[str, bytes]:
        """Return the files by name, without what desktop systems leave beside them."""
        both = sorted(self.folders.intersection(self.files))
        if both:
            raise Invalid(
                f"the name {shown(both[0])} is both a file and a folder", where=self.where
            )
        return {name: data for name, data in self.files.items() if not _LITTER.search(name)}

    def _too_large(self, name: str) -> Invalid:
        return Invalid(
            f"the file {shown(name)} is larger than {size_text(self.limits.member_bytes)},"
            " the most that one file may have",
            where=self.where,
        )

    def _too_much(self) -> Invalid:
        return Invalid(
            f"more than {size_text(self.limits.total_bytes)} when unpacked,"
            " the most that a bundle may have",
            where=self.where,
        )
