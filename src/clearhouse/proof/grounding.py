"""Whether what a report names exists: the package, the version, each file, function and line.

Reports that are made up name things that are not there.  So before a person or a run spends time
on one, its names are looked up in the release itself, which is fetched and unpacked as for a proof
and never executed:

1. the registry has the package, and
2. the version;
3. a file is in the archive (of Python the source first, then a wheel), told from the path's end;
4. the file defines the function, and
5. has the line.

What cannot be judged is undecided, with the reason; it is never taken for absent.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.report import Location
from clearhouse.proof.definitions import Defined, NotDefined, Sources, Unclear, is_minified
from clearhouse.proof.members import shown
from clearhouse.proof.named_paths import ReleasedFiles, parts_of
from clearhouse.proof.target import (
    TargetNotFound,
    Targets,
    TargetUnavailable,
    default_targets,
)
from clearhouse.proof.target.choice import best_artifact, source_artifact
from clearhouse.proof.target.interpreter import running_interpreter
from clearhouse.proof.target.javascript import JavaScriptInstaller, package_name
from clearhouse.proof.target.model import Artifact, Release
from clearhouse.proof.target.python import PythonInstaller
from clearhouse.proof.target.sdist import SOURCE, source_tree
from clearhouse.proof.target.store import archive_sha256
from clearhouse.proof.target.targets import parse_purl
from clearhouse.proof.target.unit import SITE
from clearhouse.proof.target.wheel import wheel_unit

WHEEL_BYTES = 64 << 20
"""A wheel that is larger is not fetched only to look a name up that the source does not have."""
_CANDIDATES = 8
"""Files of one name that are looked into."""
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """It is there; ``at`` is how the release has it."""

    at: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It is not there; ``sentence`` says so to people, ``nearest`` is what may have been meant."""

    sentence: str
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """Whether it is there could not be judged, and why."""

    reason: str


Outcome = Found | Absent | Undecided


@dataclass(frozen=True, slots=True)
class GroundedLocation:
    """One place of a report; None where it names no function or no line."""

    location: Location
    file: Outcome
    function: Outcome | None
    line: Outcome | None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was found out, one for each name."""
        return tuple(one for one in (self.file, self.function, self.line) if one is not None)


@dataclass(frozen=True, slots=True)
class Grounding:
    """What of a report's names exists; ``archives`` are the files it was looked up in."""

    purl: str
    package: Outcome
    version: Outcome
    locations: tuple[GroundedLocation, ...]
    archives: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Everything that was found out, the package first."""
        return (self.package, self.version, *(o for one in self.locations for o in one.outcomes))

    @property
    def absent(self) -> tuple[str, ...]:
        """A sentence for each name that does not exist."""
        found = (one.sentence for one in self.outcomes if isinstance(one, Absent))
        return tuple(dict.fromkeys(found))

    @property
    def undecided(self) -> tuple[str, ...]:
        """Each reason why something could not be judged."""
        found = (one.reason for one in self.outcomes if isinstance(one, Undecided))
        return tuple(dict.fromkeys(found))

    @property
    def found(self) -> tuple[str, ...]:
        """What is there: the package, the version, then a line for each file that is."""
        first = [one.at for one in (self.package, self.version) if isinstance(one, Found)]
        lines = [_told(one) for one in self.locations if isinstance(one.file, Found)]
        return tuple(dict.fromkeys([*first, *lines]))

    def as_json(self) -> dict[str, Any]:
        """What is shown and kept, in words."""
        return {
            "purl": self.purl,
            "absent": list(self.absent),
            "found": list(self.found),
            "undecided": list(self.undecided),
            "archives": list(self.archives),
        }


def _told(place: GroundedLocation) -> str:
    function = f", {place.function.at}" if isinstance(place.function, Found) else ""
    line = f", line {place.line.at}" if isinstance(place.line, Found) else ""
    file = place.file.at if isinstance(place.file, Found) else place.location.file
    return f"{file}{function}{line}"


def ground(
    purl: PackageURL, locations: Sequence[Location], targets: Targets | None = None
) -> Grounding:
    """Look up what a report names.  What the registry cannot be asked is undecided, no error.

    ``targets`` brings releases here, by default those of this user's pip and npm.  A registry's
    listing is believed for an hour (``target.downloads``): so long a new release may be absent.
    """
    targets = targets or default_targets()
    if purl.type not in {"pypi", "npm"}:
        return _nothing_known(purl, locations, f"releases of type {purl.type} cannot be fetched")
    try:
        name = package_name(purl) if purl.type == "npm" else parse_purl(_bare(purl)).name
        releases = targets.releases(_bare(purl))
    except TargetNotFound:
        absent = Absent(f"the registry ({purl.type}) has no package {shown(_name(purl))}")
        unknown = Undecided("its package does not exist")
        return Grounding(str(purl), absent, unknown, _all(locations, unknown.reason))
    except Invalid as error:
        absent = Absent(f"{shown(_name(purl))} cannot be a package's name: {error.message}")
        unknown = Undecided("its package does not exist")
        return Grounding(str(purl), absent, unknown, _all(locations, unknown.reason))
    except TargetUnavailable as error:
        return _nothing_known(purl, locations, error.message)
    package = Found(name)
    if not purl.version:
        unknown = Undecided("the report names no version")
        return Grounding(str(purl), package, unknown, _all(locations, unknown.reason))
    try:
        release = _release(purl, name, targets)
    except TargetNotFound:
        unknown = Undecided("its version does not exist")
        missing = _no_version(name, purl.version, releases)
        return Grounding(str(purl), package, missing, _all(locations, unknown.reason))
    reader = _Reader(f"{name} {release.version}", Sources(targets.store, running_interpreter()))
    archives = _archives(purl, name, release, targets)
    places, read = reader.read(locations, archives)
    return Grounding(str(purl), package, Found(release.version), places, read)


@dataclass(frozen=True, slots=True)
class _Archive:
    """One unpacked archive: where its files are, and their names."""

    filename: str
    root: Path
    files: ReleasedFiles


class _Reader:
    """Looks locations up in the archives of one release, one after the other as needed."""

    def __init__(self, release: str, sources: Sources) -> None:
        self._release = release
        self._sources = sources

    def read(
        self, locations: Sequence[Location], archives: Iterator[Callable[[], _Archive]]
    ) -> tuple[tuple[GroundedLocation, ...], tuple[str, ...]]:
        """The locations as far as the archives have them, and which archives were read.

        The first archive is the most complete one; what it lacks may still be in the next.
        """
        places: list[GroundedLocation] | None = None
        read: list[str] = []
        why = "the release has no archive that can be read"
        for fetch in archives:
            try:
                archive = fetch()
            except (TargetUnavailable, TargetNotFound) as error:
                why = error.message
                continue
            read.append(archive.filename)
            anew = [self._located(one, archive) for one in locations]
            places = anew if places is None else [*map(_better, places, anew)]
            if all(isinstance(o, Found) for one in places for o in one.outcomes):
                break
        return (tuple(places) if places is not None else _all(locations, why)), tuple(read)

    def _located(self, location: Location, archive: _Archive) -> GroundedLocation:
        parts = parts_of(location.file)
        matching = archive.files.matching(parts)
        if not matching:
            return self._not_there(location, parts, archive)
        found: GroundedLocation | None = None
        for file in matching[:_CANDIDATES]:
            anew = self._inside(location, file, archive.root / file)
            found = anew if found is None else _better(found, anew)
        assert found is not None
        return found

    def _not_there(
        self, location: Location, parts: Sequence[str], archive: _Archive
    ) -> GroundedLocation:
        reason = archive.files.why_undecided(parts) if parts else "the report names no file"
        if reason is not None:
            unknown = Undecided(f"{shown(location.file)}: {reason}")
            return _place(location, unknown, unknown, unknown)
        near = archive.files.nearest(parts)
        sentence = f"{self._release} has no file {_plain(location.file)}{_hint(near)}"
        unknown = Undecided(f"{shown(location.file)} does not exist")
        return _place(location, Absent(sentence, near), unknown, unknown)

    def _inside(self, location: Location, file: str, path: Path) -> GroundedLocation:
        return _place(
            location,
            Found(file),
            self._function(location.function, file, path) if location.function else None,
            self._line(location.line, file, path) if location.line else None,
        )

    def _function(self, named: str, file: str, path: Path) -> Outcome:
        found = self._sources.look_up(named, path, file)
        match found:
            case Defined(name):
                return Found(name)
            case Unclear(reason):
                return Undecided(reason)
            case NotDefined(near):
                said = f"{file} of {self._release} defines no {_plain(named)}"
                return Absent(f"{said}{_hint(near)}", near)

    def _line(self, line: int, file: str, path: Path) -> Outcome:
        count = _lines(path, path.stat().st_mtime_ns)
        if line <= count:
            return Found(str(line))
        if is_minified(path, file):
            return Undecided(f"{file} is minified: its lines are not those of its source")
        return Absent(f"{file} of {self._release} has {count} lines and no line {line}")


@lru_cache(maxsize=4096)
def _lines(path: Path, _modified: int) -> int:
    with path.open("rb") as stream:
        content = stream.read()
    return len(content.splitlines())


_RANK = {Found: 0, Undecided: 1, Absent: 2}


def _better(first: GroundedLocation, second: GroundedLocation) -> GroundedLocation:
    """The one in which more was found; of equals the first, whose archive is more complete."""
    if not isinstance(second.file, Found):
        return first
    if not isinstance(first.file, Found):
        return second

    def rank(place: GroundedLocation) -> tuple[int, int]:
        function = 0 if place.function is None else _RANK[type(place.function)]
        return function, 0 if place.line is None else _RANK[type(place.line)]

    return second if rank(second) < rank(first) else first


def _release(purl: PackageURL, name: str, targets: Targets) -> Release:
    if purl.type == "npm":
        return JavaScriptInstaller(targets.npm_registry, targets.store).release(
            name, str(purl.version)
        )
    installer = PythonInstaller(targets.python_index, targets.store, running_interpreter())
    return installer.release(name, str(purl.version))


def _archives(
    purl: PackageURL, name: str, release: Release, targets: Targets
) -> Iterator[Callable[[], _Archive]]:
    """Ways to the archives of a release, the most complete first; each is fetched when called."""
    if purl.type == "npm":
        installer = JavaScriptInstaller(targets.npm_registry, targets.store)

        def package() -> _Archive:
            unit = installer.unit(name, release)
            listed = _listed(unit.folder, unit.files, name)
            return _Archive(release.artifacts[0].filename, unit.folder, listed)

        yield package
        return
    source = source_artifact(release)
    if source is not None:
        yield lambda: _sdist(source, name, targets)
    wheel = _wheel(release)
    if wheel is not None and (source is None or (wheel.size or 0) <= WHEEL_BYTES):
        yield lambda: _unpacked_wheel(wheel, name, targets)


def _sdist(artifact: Artifact, name: str, targets: Targets) -> _Archive:
    archive = targets.python_index.fetch(artifact)
    root = source_tree(targets.store, archive).root / SOURCE
    place = ("sources", f"{archive_sha256(archive)}-files.json")
    files: list[str] | None = targets.store.read_json(*place)
    if files is None:
        files = [str(one.relative_to(root)) for one in root.rglob("*") if one.is_file()]
        targets.store.write_json(sorted(files), *place)
    listed = _listed(root, tuple(sorted(files)), name, is_source=True)
    return _Archive(artifact.filename, root, listed)


def _unpacked_wheel(artifact: Artifact, name: str, targets: Targets) -> _Archive:
    unit = wheel_unit(targets.store, targets.python_index.fetch(artifact))
    own = tuple(one.removeprefix(f"{SITE}/") for one in unit.files if one.startswith(f"{SITE}/"))
    return _Archive(artifact.filename, unit.folder / SITE, _listed(unit.folder, own, name))


@lru_cache(maxsize=64)
def _listed(
    root: Path,  # noqa: ARG001 - says whose files they are, so that the cache need not compare them
    files: tuple[str, ...],
    package: str,
    *,
    is_source: bool = False,
) -> ReleasedFiles:
    return ReleasedFiles(files, package=package, is_source=is_source)


def _wheel(release: Release) -> Artifact | None:
    """A wheel to look into: the one for this machine, else any, smallest first."""
    best = best_artifact(release, running_interpreter())
    if isinstance(best, Artifact) and best.kind == "wheel":
        return best
    wheels = [one for one in release.artifacts if one.kind == "wheel"]
    return min(wheels, key=lambda one: (one.size or 0, one.filename), default=None)


def _no_version(name: str, version: str, releases: Sequence[Release]) -> Absent:
    known = [one.version for one in releases]
    near = tuple(difflib.get_close_matches(version, known, n=_NEAREST, cutoff=0.6))
    newest = f"; its newest is {_plain(known[-1])}" if known else ""
    return Absent(f"{name} has no release {_plain(version)}{_hint(near) or newest}", near)


def _nothing_known(purl: PackageURL, locations: Sequence[Location], reason: str) -> Grounding:
    unknown = Undecided(reason)
    return Grounding(str(purl), unknown, unknown, _all(locations, reason))


def _all(locations: Sequence[Location], reason: str) -> tuple[GroundedLocation, ...]:
    unknown = Undecided(reason)
    return tuple(_place(one, unknown, unknown, unknown) for one in locations)


def _place(
    location: Location, file: Outcome, function: Outcome | None, line: Outcome | None
) -> GroundedLocation:
    return GroundedLocation(
        location, file, function if location.function else None, line if location.line else None
    )


def _name(purl: PackageURL) -> str:
    return f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name


def _bare(purl: PackageURL) -> str:
    """The purl as registries are asked: no qualifiers, no subpath, some version."""
    return str(PackageURL(purl.type, purl.namespace, purl.name, purl.version or "0"))


def _plain(text: str) -> str:
    return shown(text)[1:-1]


def _hint(near: Sequence[str]) -> str:
    return f"; did you mean {_plain(near[0])}?" if near else ""
