"""Software inventories as documents list them, whatever the format.

A package is kept as it was written and with the place where it stood, also when nobody can tell
yet which package it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid

MOST_BYTES: Final = 128 << 20
MOST_PACKAGES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One package of an inventory."""

    name: str
    version: str = ""
    purl: str = ""
    ecosystem: str = ""
    """As the document names it; most name none, and the package URL tells."""
    place: str = ""
    """Where it stands in the document: ``components[3]``, ``line 12``."""
    problem: str = ""
    """What is wrong with how it is written, if anything is."""
    lacks_epoch: bool = False
    """Whether the document leaves out epochs."""
    is_line: bool = False
    """Whether ``name`` is the line as it stands, as no name could be read from it."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The packages of one document."""

    format: str
    """The format and its version, as in ``CycloneDX 1.4``."""
    packages: Sequence[Listed]
    subject: str = ""
    """What the inventory is of, where the document says so."""


def text_of(raw: bytes, where: str, *, most_bytes: int | None = None) -> str:
    """The text that ``raw`` is: UTF-8, or UTF-16 with a byte order mark.

    Raises Invalid where it is neither, is larger than an inventory or ``most_bytes``, or has NUL in
    it.
    """
    most = MOST_BYTES if most_bytes is None else most_bytes
    if len(raw) > most:
        raise Invalid(f"has {len(raw)} bytes, more than {most}", where=where)
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"is not UTF-8: byte {error.start} cannot be read", where=where) from None
    if "\0" in text:
        raise Invalid("is not text: it has a NUL in it", where=where)
    return text


def check_count(count: int, where: str) -> None:
    """Raise Invalid where an inventory lists more packages than are read."""
    if count > MOST_PACKAGES:
        raise Invalid(f"lists more than {MOST_PACKAGES:,} packages", where=where)
