"""Installing Python targets: a release and what it needs, side by side under ``site``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clearhouse.proof.target import failures
from clearhouse.proof.target.choice import best_artifact
from clearhouse.proof.target.imports import read_imports
from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.model import (
    Artifact,
    Installed,
    Reason,
    Release,
    TargetNotFound,
    TargetUnavailable,
)
from clearhouse.proof.target.pypi import PythonIndex
from clearhouse.proof.target.resolve import Chosen, Dependencies, Resolution, applicable
from clearhouse.proof.target.sdist import sdist_unit
from clearhouse.proof.target.store import Store, key_of
from clearhouse.proof.target.tree import Part, assemble, known_install, remember_install
from clearhouse.proof.target.unit import SITE, Unit
from clearhouse.proof.target.wheel import wheel_unit
from clearhouse.versions import pypi as versions

SLACK = timedelta(days=180)
"""How long after a release its dependencies may have been published: what users of that release
had installed for most of its time as the newest."""


_PINS_COUNT = "dated by pins too"
"""Tells these installs from those that an earlier clearhouse dated by the target alone."""


@dataclass(frozen=True, slots=True)
class PythonInstaller:
    """Installs Python releases for one interpreter from one index."""

    index: PythonIndex
    store: Store
    interpreter: Interpreter

    def install(
        self, purl: PackageURL, requires: Sequence[PackageURL], as_of: datetime | None
    ) -> Installed:
        """Return the installed target; see ``clearhouse.proof.target.install``."""
        asked = (str(purl), *sorted(map(str, requires)), as_of.isoformat() if as_of else "")
        if requires:
            asked += (_PINS_COUNT,)
        place = ("pypi", f"{key_of(*asked, self.interpreter.identity, self.index.identity)}.json")
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
        name, version = canonicalize_name(purl.name), str(purl.version)
        release = self.release(name, version)
        artifact, notes = self.artifact(name, release)
        unit = self.unit(name, artifact)
        notes.extend(unit.notes)
        if artifact.kind == "sdist":
            notes.extend(self.warn_of_imports(name, release.version, unit))
        pins: dict[str, Chosen | None] = {name: None}
        published = release.uploaded
        for required in requires:
            pinned = canonicalize_name(required.name)
            found = self.release(pinned, str(required.version))
            # What a bundle pins needs dependencies of its own time, if that is later.
            if published and found.uploaded:
                published = max(published, found.uploaded)
            pins[pinned] = Chosen(pinned, found.version, self.artifact(pinned, found)[0])
        wanted, unusable = applicable(unit.requires, self.interpreter)
        wanted.extend(
            Requirement(f"{pin.name}=={pin.version}") for pin in pins.values() if pin is not None
        )
        until = as_of or (published and _end_of_quarter(published + SLACK))
        resolution = self.resolve(wanted, pins, until) if wanted else Resolution((), ())
        if wanted and until is None:
            notes.append("the index does not say when it was published: newest dependencies taken")
        parts = [_part(name, release.version, unit, is_target=True)]
        for chosen in resolution.chosen:
            other = self.unit(chosen.name, chosen.artifact)
            notes.extend(f"{chosen.name} {chosen.version}: {note}" for note in other.notes)
            parts.append(_part(chosen.name, chosen.version, other, is_target=False))
        return assemble(
            self.store,
            tuple(parts),
            folders=(SITE,),
            importable=unit.importable,
            notes=(*notes, *unusable, *resolution.notes),
        )

    def release(self, name: str, version: str) -> Release:
        """Return one release; raises TargetNotFound where the index does not have it."""
        wanted = versions.sort_key(version)
        for release in self.index.releases(name, known=version):
            if versions.sort_key(release.version) == wanted:
                return release
        message = f"the index has no release {version} of {name}"
        raise TargetNotFound(Reason.NO_SUCH_RELEASE, message)

    def artifact(self, name: str, release: Release) -> tuple[Artifact, list[str]]:
        """Choose the file to use, and note what is odd about it.

        A Requires-Python that only ends before this Python is passed over: it is a limit on
        what was tested, and the runs will tell.
        """
        found = best_artifact(release, self.interpreter)
        if isinstance(found, Artifact):
            return found, []
        if found.reason is Reason.NEEDS_PYTHON:
            capped = tuple(
                replace(one, requires_python=None)
                for one in release.artifacts
                if one.requires_python and self.interpreter.is_newer_than(one.requires_python)
            )
            again = best_artifact(replace(release, artifacts=capped), self.interpreter)
            if isinstance(again, Artifact):
                return again, [f"{found.why}; installed all the same"]
        message = f"{name} {release.version} cannot be installed: {found.why}"
        raise TargetUnavailable(found.reason, message)

    def unit(self, name: str, artifact: Artifact) -> Unit:
        """Return the laid-out files of an artifact, fetched and unpacked once."""
        file = artifact.sha256 or artifact.url
        place = ("unit", f"{key_of(artifact.filename, file, self.interpreter.identity)}.json")
        failures.raise_known(self.store, *place)
        try:
            archive = self.index.fetch(artifact)
            if artifact.kind == "wheel":
                return wheel_unit(self.store, archive)
            return sdist_unit(self.store, archive, name, self.interpreter)
        except TargetUnavailable as error:
            failures.remember(self.store, error, *place)
            raise

    def obstacles(self, unit: Unit) -> tuple[str, ...]:
        """Return what must fail when the unit is imported here."""
        return read_imports(self.store, unit, self.interpreter).obstacles

    def warn_of_imports(self, name: str, version: str, unit: Unit) -> list[str]:
        """Note what must fail when the target is imported; refuse one that is all Python 2."""
        reading = read_imports(self.store, unit, self.interpreter)
        if set(unit.importable) <= set(reading.broken):
            message = f"{name} {version} is not written for this Python ({reading.obstacles[0]})"
            raise TargetUnavailable(Reason.PYTHON_2, message)
        return [f"an import of it must fail: {one}" for one in reading.obstacles[:3]]

    def resolve(
        self, wanted: list[Requirement], pins: dict[str, Chosen | None], until: datetime | None
    ) -> Resolution:
        """Choose the dependencies, once for each set of requirements and limit."""
        now = datetime.now(UTC)
        limit = until if until is not None and until < now else None
        when = limit.isoformat() if limit else f"newest in {now:%G-%V}"
        fixed = sorted(f"{name}=={pin.version if pin else '*'}" for name, pin in pins.items())
        asked = (*sorted(map(str, wanted)), "", *fixed, when)
        key = key_of(*asked, self.interpreter.identity, self.index.identity)
        kept = self.store.read_as(_resolution, "resolutions", f"{key}.json")
        if kept is not None:
            return kept
        dependencies = Dependencies(self.index, self.interpreter, self.unit, self.obstacles, limit)
        found = dependencies.resolve(wanted, pins)
        self.store.write_json(_plain(found), "resolutions", f"{key}.json")
        return found


def _part(name: str, version: str, unit: Unit, *, is_target: bool) -> Part:
    purl = str(PackageURL("pypi", name=name, version=version))
    return Part(purl, unit.sha256, unit.folder, {file: file for file in unit.files}, is_target)


def _plain(resolution: Resolution) -> dict[str, Any]:
    value = asdict(resolution)
    for chosen in value["chosen"]:
        # Only a listing needs the time again.
        chosen["artifact"]["uploaded"] = None
    return value


def _resolution(value: dict[str, Any]) -> Resolution:
    chosen = tuple(
        Chosen(one["name"], one["version"], Artifact(**one["artifact"])) for one in value["chosen"]
    )
    return Resolution(chosen, tuple(value["notes"]))


def _end_of_quarter(moment: datetime) -> datetime:
    """Return the start of the next quarter, so that neighbouring releases share a resolution."""
    month = (moment.month - 1) // 3 * 3 + 4
    year, month = (moment.year + 1, 1) if month > 12 else (moment.year, month)
    return datetime(year, month, 1, tzinfo=UTC)
