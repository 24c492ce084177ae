"""What a registry offers, what is installed from it, and why something could not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from clearhouse.errors import NotFound, Unavailable

ArtifactKind = Literal["wheel", "sdist", "npm", "other"]
"""``other``: eggs, Windows installers, RPMs and dumb archives, which are listed but never used."""


class Reason(StrEnum):
    """Why a release is not to be had here."""

    NO_SUCH_PACKAGE = "no-such-package"
    NO_SUCH_RELEASE = "no-such-release"
    NO_FILES = "no-files"
    OLD_FORMAT = "old-format"
    PYTHON_2 = "python-2"
    NEEDS_PYTHON = "needs-python"
    WRONG_PLATFORM = "wrong-platform"
    UNSAFE_ARCHIVE = "unsafe-archive"
    CORRUPT_ARCHIVE = "corrupt-archive"
    NOTHING_IMPORTABLE = "nothing-importable"
    DIGEST_MISMATCH = "digest-mismatch"
    UNREACHABLE = "unreachable"
    NO_CLIENT = "no-client"


PASSING = frozenset({Reason.UNREACHABLE, Reason.NO_CLIENT, Reason.DIGEST_MISMATCH})
"""Reasons that lie in the network or the machine, not in the release: never cached."""


class TargetUnavailable(Unavailable):
    """The release exists but cannot be brought to run here; ``reason`` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TargetNotFound(NotFound):
    """The registry knows no such package or no such release."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Artifact:
    """One released file."""

    filename: str
    url: str
    kind: ArtifactKind
    sha256: str | None = None
    integrity: str | None = None
    """Subresource integrity (``sha512-...``) where the registry states that instead of SHA-256."""
    requires_python: str | None = None
    uploaded: datetime | None = None
    size: int | None = None
    """Bytes, as the registry states it."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a package and its files."""

    version: str
    uploaded: datetime | None
    """When its first file was published; None where the registry does not say dependably."""
    yanked: bool
    artifacts: tuple[Artifact, ...]
    ordered: bool = True
    """False: the version is outside the ecosystem's grammar and stands where its date puts it."""


class Registry(Protocol):
    """Where releases come from."""

    @property
    def identity(self) -> str:
        """A short digest of where it reads from, without credentials."""

    def releases(
        self, name: str, *, known: str | None = None, until: datetime | None = None
    ) -> tuple[Release, ...]:
        """Return every release of ``name``, lowest first.

        A listing from the cache will do while it is fresh, or however old it is when it has
        the version ``known`` or was made after ``until``.
        """

    def fetch(self, artifact: Artifact) -> Path:
        """Return the file, downloaded once and checked against its digest."""


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """A package inside an installed target."""

    purl: str
    sha256: str
    """Of the artifact it was unpacked from."""
    prefixes: tuple[str, ...]
    """Its files, relative to the root: ``site/yaml/`` owns all below it, ``site/six.py`` is one."""
    is_target: bool


@dataclass(frozen=True, slots=True)
class Installed:
    """A target on this machine: read-only files under ``root``, nothing of it was run."""

    root: Path
    digest: str
    """SHA-256 over the names, modes and contents of all files under ``root``."""
    packages: tuple[InstalledPackage, ...]
    """The target first."""
    importable: tuple[str, ...]
    """Top-level names by which the target is imported."""
    notes: tuple[str, ...]
    """What a reader of a verdict should know: what was skipped, guessed or missing."""

    def owner(self, relative: str | PurePosixPath) -> InstalledPackage | None:
        """Return the package that ``relative`` (to the root) belongs to."""
        path = PurePosixPath(relative)
        names = {f"{parent}/" for parent in path.parents} | {str(path)}
        for package in self.packages:
            if not names.isdisjoint(package.prefixes):
                return package
        return None


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The source archive of a release, unpacked read-only under ``root/src``."""

    root: Path
    digest: str
    purl: str
    filename: str
    sha256: str
    """Of the archive."""
    notes: tuple[str, ...]

    @property
    def src(self) -> Path:
        """The folder with the archive's content, its single top folder stripped."""
        return self.root / "src"
