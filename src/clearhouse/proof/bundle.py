"""A proof bundle as a frozen value: what a finder hands in, already checked at the door.

Nothing inside the engine validates any of this again. How a bundle is read and refused is
``clearhouse.proof.door``; the format is in docs/bundle-format.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from packageurl import PackageURL

from clearhouse.proof.effects import Effect, Expectation


class Language(StrEnum):
    """Language of the harness; the value is the word in ``proof.toml``."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    C = "c"
    CPP = "c++"
    GO = "go"
    RUST = "rust"
    JAVA = "java"

    @property
    def runs_here(self) -> bool:
        """Whether this version of clearhouse can run such a harness at all."""
        return self in {Language.PYTHON, Language.JAVASCRIPT, Language.C, Language.CPP}

    @property
    def is_native(self) -> bool:
        """Whether the target is compiled with sanitizers (C and C++)."""
        return self in {Language.C, Language.CPP}


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its name in the bundle and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Harness:
    """The finder's code that hands an input to the target; ``file`` is a name in the bundle."""

    language: Language
    file: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is attacked.

    Either ``purl`` with a version names a registry package, or ``source`` names an archive or a
    folder of the bundle; with ``source`` a ``purl`` only says which package that is and may have
    no version. ``build`` are shell commands run inside the sandbox, in order. ``sources``
    (patterns), ``include`` (folders), ``defines`` and ``standard`` say how C and C++ sources of
    the target are compiled, relative to the root of the unpacked target.
    """

    purl: PackageURL | None
    fixed: str | None = None
    requires: tuple[PackageURL, ...] = ()
    source: str | None = None
    build: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    standard: str | None = None

    def __str__(self) -> str:
        """Return the purl, or the name of the shipped source."""
        return str(self.purl) if self.purl is not None else f"source:{self.source}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every part has been checked.

    ``files`` holds every file by its name relative to the folder of ``proof.toml``; ``digest``
    is that of ``files`` (see :func:`digest_of`), so a folder and an archive of it have the same.
    """

    id: str
    title: str
    effect: Effect
    cwe: tuple[int, ...]
    finder: str | None
    target: Target
    harness: Harness
    pocs: tuple[Input, ...]
    controls: tuple[Input, ...]
    expect: Expectation
    files: Mapping[str, bytes]
    digest: str

    @property
    def harness_code(self) -> bytes:
        """The bytes of the harness file (UTF-8 text, checked at the door)."""
        return self.files[self.harness.file]

    def __reduce__(self) -> tuple[object, ...]:
        # Read-only mappings do not cross processes by themselves.
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _bundle_of, ({**values, "files": dict(self.files)},)


def _bundle_of(values: dict[str, Any]) -> Bundle:
    return Bundle(**{**values, "files": MappingProxyType(values["files"])})


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return ``sha256:`` and the digest of the sorted listing of ``files``.

    The listing has one line for each file, ``<sha256 of the content>  <name>``, ordered by the
    names' UTF-8 bytes: the output of ``sha256sum`` on the sorted names, so that anyone can
    recompute it. Names hold no line breaks or backslashes; the door refuses them.
    """
    return digest_of_listing(
        {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    )


def digest_of_listing(digests: Mapping[str, str]) -> str:
    """:func:`digest_of` of files of which only the SHA-256, in hexadecimal, is known."""
    listing = "".join(
        f"{digests[name]}  {name}\n" for name in sorted(digests, key=lambda name: name.encode())
    )
    return "sha256:" + hashlib.sha256(listing.encode()).hexdigest()
