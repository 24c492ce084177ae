"""Targets: released packages brought onto this machine without running any code of theirs.

install("pkg:pypi/sqlparse@0.4.4") -> Installed(root, digest, packages, importable, notes)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearhouse.proof.target.interpreter import Interpreter, interpreter_at, running_interpreter
from clearhouse.proof.target.model import (
    Artifact,
    Installed,
    InstalledPackage,
    Reason,
    Registry,
    Release,
    SourceTree,
    TargetNotFound,
    TargetUnavailable,
)
from clearhouse.proof.target.store import Store, cache_root
from clearhouse.proof.target.targets import Targets, default_targets
from clearhouse.proof.target.unpack import Limits, Unpacked, strip_top_folder, unpack

__all__ = [
    "Artifact",
    "Installed",
    "InstalledPackage",
    "Interpreter",
    "Limits",
    "Reason",
    "Registry",
    "Release",
    "SourceTree",
    "Store",
    "TargetNotFound",
    "TargetUnavailable",
    "Targets",
    "Unpacked",
    "cache_root",
    "default_targets",
    "install",
    "interpreter_at",
    "releases",
    "running_interpreter",
    "strip_top_folder",
    "unpack",
    "unpack_source",
]


def install(
    purl: str,
    *,
    requires: Sequence[str] = (),
    as_of: datetime | None = None,
    interpreter: Interpreter | None = None,
) -> Installed:
    """Install ``purl`` into this user's cache; see ``Targets.install``."""
    return default_targets().install(purl, requires=requires, as_of=as_of, interpreter=interpreter)


def releases(purl: str) -> tuple[Release, ...]:
    """Return every release of a package; see ``Targets.releases``."""
    return default_targets().releases(purl)


def unpack_source(purl: str) -> SourceTree:
    """Unpack the source archive of ``purl``; see ``Targets.unpack_source``."""
    return default_targets().unpack_source(purl)
