"""The one way in: purls to releases, installed targets and source trees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import cache, cached_property

from packageurl import PackageURL

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.proof.target.choice import source_artifact
from clearhouse.proof.target.interpreter import Interpreter, running_interpreter
from clearhouse.proof.target.javascript import JavaScriptInstaller, package_name
from clearhouse.proof.target.model import (
    Installed,
    Reason,
    Release,
    SourceTree,
    TargetUnavailable,
)
from clearhouse.proof.target.npm import NpmRegistry
from clearhouse.proof.target.npm_settings import NpmSettings, npm_settings
from clearhouse.proof.target.pip_settings import PipSettings, pip_settings
from clearhouse.proof.target.pypi import PythonIndex
from clearhouse.proof.target.python import PythonInstaller
from clearhouse.proof.target.sdist import source_tree
from clearhouse.proof.target.store import Store, archive_sha256

DOWNLOADS_AT_ONCE = 4
_PYPI_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.ASCII | re.IGNORECASE)
"""PEP 508, "Names"."""


class Targets:
    """Brings packages onto this machine; settings are asked of pip and npm when first needed."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        pip: PipSettings | None = None,
        npm: NpmSettings | None = None,
    ) -> None:
        self.store = store or Store()
        self._pip = pip
        self._npm = npm

    @cached_property
    def python_index(self) -> PythonIndex:
        """The index that the user's pip reads."""
        return PythonIndex(self._pip or pip_settings(), self.store)

    @cached_property
    def npm_registry(self) -> NpmRegistry:
        """The registry that the user's npm reads."""
        return NpmRegistry(self._npm or npm_settings(), self.store)

    def releases(self, purl: str) -> tuple[Release, ...]:
        """Return every release of the package that ``purl`` names, its version ignored.

        Lowest first, in the ecosystem's order. Raises Invalid, TargetNotFound, TargetUnavailable.
        """
        parsed = parse_purl(purl, versioned=False)
        if parsed.type == "npm":
            return self.npm_registry.releases(package_name(parsed))
        return self.python_index.releases(parsed.name)

    def install(
        self,
        purl: str,
        *,
        requires: Sequence[str] = (),
        as_of: datetime | None = None,
        interpreter: Interpreter | None = None,
    ) -> Installed:
        """Return the target ``purl``, unpacked with what it needs; nothing of it is run.

        ``requires`` are further packages of the same ecosystem, pinned, whose versions win over
        what anything else asks of them. ``as_of`` is the time up to which dependencies may have
        been published, by default half a year after the release. ``interpreter`` is the Python
        that will run it, by default this one.

        Raises Invalid for a purl that is not understood, TargetNotFound where the registry does
        not have the release, TargetUnavailable (with its reason) where it cannot be used here.
        """
        parsed = parse_purl(purl)
        others = [parse_purl(other, same_type=parsed.type) for other in requires]
        if any((one.namespace, one.name) == (parsed.namespace, parsed.name) for one in others):
            raise Invalid(f"{parsed.name} is the target and cannot be required in addition")
        if parsed.type == "npm":
            javascript = JavaScriptInstaller(self.npm_registry, self.store)
            return javascript.install(parsed, others, as_of)
        python = PythonInstaller(
            self.python_index, self.store, interpreter or running_interpreter()
        )
        return python.install(parsed, others, as_of)

    def prefetch(self, purls: Iterable[str]) -> None:
        """Download what ``install`` will want of these targets, several at a time.

        Only a saving of time: whatever goes wrong here is left for ``install`` to say.
        """

        def download(purl: str) -> None:
            with suppress(ClearhouseError):
                self._download(parse_purl(purl))

        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            for _ in pool.map(download, purls):
                pass

    def _download(self, purl: PackageURL) -> None:
        version = str(purl.version)
        if purl.type == "npm":
            javascript = JavaScriptInstaller(self.npm_registry, self.store)
            for artifact in javascript.release(package_name(purl), version).artifacts:
                self.npm_registry.fetch(artifact)
        else:
            python = PythonInstaller(self.python_index, self.store, running_interpreter())
            release = python.release(purl.name, version)
            self.python_index.fetch(python.artifact(purl.name, release)[0])

    def unpack_source(self, purl: str) -> SourceTree:
        """Return the source archive of ``purl`` (an sdist or npm package), unpacked.

        Raises as ``install`` does.
        """
        parsed = parse_purl(purl)
        version = str(parsed.version)
        if parsed.type == "npm":
            name = package_name(parsed)
            javascript = JavaScriptInstaller(self.npm_registry, self.store)
            artifact = next(iter(javascript.release(name, version).artifacts), None)
            fetch = self.npm_registry.fetch
        else:
            name = parsed.name
            python = PythonInstaller(self.python_index, self.store, running_interpreter())
            artifact = source_artifact(python.release(name, version))
            fetch = self.python_index.fetch
        if artifact is None:
            message = f"{name} {version} has no source archive"
            raise TargetUnavailable(Reason.NO_FILES, message)
        archive = fetch(artifact)
        tree = source_tree(self.store, archive)
        return SourceTree(
            root=tree.root,
            digest=tree.digest,
            purl=str(parsed),
            filename=artifact.filename,
            sha256=archive_sha256(archive),
            notes=tree.notes,
        )


@cache
def default_targets() -> Targets:
    """Return the targets in this user's cache, from the registries of this user's pip and npm."""
    return Targets()


def parse_purl(purl: str, *, same_type: str | None = None, versioned: bool = True) -> PackageURL:
    """Read a package URL of a kind that can be installed.

    Raises Invalid for anything but ``pkg:pypi/NAME@VERSION`` and ``pkg:npm/NAME@VERSION``.
    """
    try:
        parsed = PackageURL.from_string(purl)
    except ValueError as error:
        raise Invalid(f"{purl[:200]!r} is no package URL: {error}") from error
    if parsed.type not in {"pypi", "npm"}:
        raise Invalid(f"{purl[:200]!r}: only pkg:pypi and pkg:npm can be installed")
    if same_type is not None and parsed.type != same_type:
        raise Invalid(f"{purl[:200]!r} is no pkg:{same_type} package, as the target is")
    if versioned and not parsed.version:
        raise Invalid(f"{purl[:200]!r} names no version: pkg:{parsed.type}/{parsed.name}@VERSION")
    if parsed.type == "pypi" and not _PYPI_NAME.fullmatch(parsed.name):
        raise Invalid(f"{purl[:200]!r}: {parsed.name[:100]!r} is no Python package name")
    return parsed
