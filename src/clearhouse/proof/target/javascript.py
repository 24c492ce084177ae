"""Installing JavaScript targets: a release and what it needs under ``node_modules``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.proof.target import failures
from clearhouse.proof.target.model import (
    PASSING,
    Installed,
    Reason,
    Release,
    TargetNotFound,
    TargetUnavailable,
)
from clearhouse.proof.target.npm import NpmRegistry
from clearhouse.proof.target.resolve_npm import FOLDER, NpmDependencies, is_package_name
from clearhouse.proof.target.store import Store, archive_sha256, key_of, read_small
from clearhouse.proof.target.tree import Part, assemble, known_install, remember_install
from clearhouse.proof.target.unit import Unit, keep, kept_unit
from clearhouse.proof.target.unpack import strip_top_folder, unpack

SLACK = timedelta(days=180)
_HOOKS = ("preinstall", "install", "postinstall")


@dataclass(frozen=True, slots=True)
class JavaScriptInstaller:
    """Installs releases from one registry."""

    registry: NpmRegistry
    store: Store

    def install(
        self, purl: PackageURL, requires: Sequence[PackageURL], as_of: datetime | None
    ) -> Installed:
        """Return the installed target; see ``clearhouse.proof.target.install``."""
        asked = (str(purl), *sorted(map(str, requires)), as_of.isoformat() if as_of else "")
        place = ("npm", f"{key_of(*asked, self.registry.identity)}.json")
        if (known := known_install(self.store, *place)) is not None:
            return known
        failures.raise_known(self.store, *place)
        try:
            installed = self._install(purl, requires, as_of)
        except TargetUnavailable as error:
            failures.remember(self.store, error, *place)
            raise
        remember_install(self.store, installed, *place)
        return installed

    def _install(
        self, purl: PackageURL, requires: Sequence[PackageURL], as_of: datetime | None
    ) -> Installed:
        name = package_name(purl)
        release = self.release(name, str(purl.version))
        roots = [(name, release)]
        for required in requires:
            other = package_name(required)
            roots.append((other, self.release(other, str(required.version))))
        until = as_of or (release.uploaded and release.uploaded + SLACK)
        dependencies = NpmDependencies(self.registry, until)
        placed = dependencies.resolve(roots)
        notes: list[str] = []
        if until is None and len(placed) > len(roots):
            notes.append("the registry has no dependable publication times: newest dependencies")
        asked_for = {f"{FOLDER}/{root}" for root, _ in roots}
        parts: list[Part] = []
        for one in placed:
            try:
                unit = self.unit(one.name, one.release)
            except TargetUnavailable as error:
                if one.path in asked_for or error.reason in PASSING:
                    raise
                notes.append(f"the dependency {one.name} cannot be had: {error.message}")
                continue
            is_target = one.path == f"{FOLDER}/{name}"
            label = "" if is_target else f"{one.name} {one.release.version}: "
            notes.extend(f"{label}{note}" for note in unit.notes)
            own_purl = _purl(one.name, one.release.version)
            files = {f"{one.path}/{file}": file for file in unit.files}
            parts.append(Part(own_purl, unit.sha256, unit.folder, files, is_target))
        return assemble(
            self.store,
            tuple(parts),
            folders=(FOLDER,),
            importable=(name,),
            notes=(*notes, *dependencies.notes),
        )

    def release(self, name: str, version: str) -> Release:
        """Return one release; raises TargetNotFound where the registry does not have it."""
        for release in self.registry.releases(name, known=version):
            if release.version == version:
                return release
        message = f"the registry has no release {version} of {name}"
        raise TargetNotFound(Reason.NO_SUCH_RELEASE, message)

    def unit(self, name: str, release: Release) -> Unit:
        """Return the unpacked files of a release, fetched and unpacked once."""
        if not release.artifacts:
            message = f"the registry has no archive of {name} {release.version}"
            raise TargetUnavailable(Reason.NO_FILES, message)
        archive = self.registry.fetch(release.artifacts[0])
        sha256 = archive_sha256(archive)
        place = ("units", "npm", sha256)
        if (kept := kept_unit(self.store, *place)) is not None:
            return kept
        with self.store.staging() as folder:
            staged = folder / "unit"
            staged.mkdir()
            unpacked = unpack(archive, staged, rename=strip_top_folder)
            unit = Unit(
                folder=staged,
                sha256=sha256,
                files=unpacked.files,
                importable=(),
                requires=(),
                extensions=(),
                notes=(*unpacked.notes, *_left_out(staged)),
            )
            return keep(self.store, staged, unit, *place)


def package_name(purl: PackageURL) -> str:
    """Return the name as npm writes it, scope included; raises Invalid where it cannot be one."""
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name)
    if not is_package_name(name):
        raise Invalid(f"{name[:200]!r} is no npm package name")
    return name


def _purl(name: str, version: str) -> str:
    scope, _, rest = name.rpartition("/")
    return str(PackageURL("npm", namespace=scope or None, name=rest, version=version))


def _left_out(folder: Path) -> list[str]:
    """Note what an ordinary install would have run."""
    try:
        manifest = json.loads(read_small(folder / "package.json"))
        scripts = manifest.get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return ["it has no readable package.json"]
    hooks = [name for name in _HOOKS if isinstance(scripts, dict) and name in scripts]
    if (folder / "binding.gyp").is_file():
        return ["its compiled addon was not built"]
    return [f"its install scripts were not run ({', '.join(hooks)})"] if hooks else []
