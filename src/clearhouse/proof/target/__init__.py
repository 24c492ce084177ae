"""Targets: released packages brought onto this machine without running any code of theirs.

In: a package URL. Out: a folder of read-only files that the engine binds into the sandbox::

    installed = install("pkg:pypi/sqlparse@0.4.4")
    installed.root          ROOT/site for Python, ROOT/node_modules for JavaScript
    installed.digest        SHA-256 over every file
    installed.packages      the target, then its dependencies: purl, archive's SHA-256, prefixes
    installed.importable    ("sqlparse",)
    installed.owner("site/sqlparse/lexer.py").is_target
    installed.notes         what was skipped, guessed or missing
    releases("pkg:pypi/sqlparse")                  every Release, lowest first, undecidable ones too
    unpack_source("pkg:npm/sqlite3@5.0.2").src     a C or C++ project's files

Three kinds of failure: ``Invalid`` (a purl we do not understand), ``TargetNotFound`` (the registry
does not have it), ``TargetUnavailable`` (it cannot be used here, or the registry cannot be
reached); the latter two carry a ``Reason``.

What is never done: no setup.py, build backend, npm script or module of a package is run, and npm
and pip install nothing; they are only asked where their registries are and how to log in.

How it goes, module by module:

``pip_settings``, ``npm_settings``  addresses, certificates, proxies and credentials as the user's
    own client has them. No registry is named in this code.
``web``, ``downloads``  one session for each registry; files are checked against the listed digest
    each time they are used; listings live for an hour, longer where age cannot matter.
``pypi``, ``npm``  listings. Dates come from the index (PEP 700) or the JSON description beside it;
    npm dates that run backwards, as mirrors have them, are not believed.
``unpack``  archives of people who mean harm.
``wheel``, ``sdist``, ``layout``, ``setup_script``  an archive becomes a *unit*, laid out as an
    installer would. Sources are not built: their packages are found by reading, ``lib3`` and
    ``package_dir`` by Python version included, and rewritten by 2to3 where they ask for it.
``imports``  what must fail when a unit is imported here, told by reading.
``choice``, ``resolve``, ``resolve_npm``  the file pip would take, and dependencies as of half a
    year after the release; where nothing of that time runs on this Python, the next that does.
``tree``, ``store``  units are joined by hard links into a *tree* named by its content. Everything
    is written elsewhere and renamed, so killed and concurrent processes do no harm.
``failures``  a release that cannot run here is remembered for a month; network faults are not.

Everything lives under ``cache_root()``. A warm ``install`` reads one small file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from clearhouse.proof.cache import cache_root
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
from clearhouse.proof.target.store import Store
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
    "prefetch",
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


def prefetch(purls: Iterable[str]) -> None:
    """Download what installing ``purls`` will want; see ``Targets.prefetch``."""
    default_targets().prefetch(purls)


def releases(purl: str) -> tuple[Release, ...]:
    """Return every release of a package; see ``Targets.releases``."""
    return default_targets().releases(purl)


def unpack_source(purl: str) -> SourceTree:
    """Unpack the source archive of ``purl``; see ``Targets.unpack_source``."""
    return default_targets().unpack_source(purl)
