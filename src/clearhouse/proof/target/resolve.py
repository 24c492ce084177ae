"""Dependencies of a Python target, chosen as of the time of its release.

The newest release of each dependency that was published by then, satisfies what is asked of it
and can run on this Python is taken. Where nothing published by then can run here, the earliest
later release that can is closest to what the target was written for. What cannot be had at all
is left out with a note: the target may work without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from resolvelib import AbstractProvider, BaseReporter, Resolver
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

from clearhouse.proof.target.choice import NoneFits, best_artifact
from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.model import (
    PASSING,
    Artifact,
    Release,
    TargetNotFound,
    TargetUnavailable,
)
from clearhouse.proof.target.pypi import PythonIndex
from clearhouse.proof.target.unit import Unit

ROUNDS = 400
"""Steps of the resolver before it is told to be content with less; pip's conflicts seldom need
more than a few dozen."""
MOST_REQUIREMENTS = 1000
"""Declared by one release; extras of the largest ones come to some hundreds."""
_UNDATED = frozenset({"setuptools"})
"""Tied to the interpreter it runs on, not to the packages that use it."""

Place: TypeAlias = tuple[str, frozenset[str]]
"""A project and the extras asked of it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A dependency and the file it comes from."""

    name: str
    version: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Resolution:
    """The dependencies of one target, without the target."""

    chosen: tuple[Chosen, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that could be taken; without an artifact, the project that cannot be had."""

    name: str
    version: Version
    extras: frozenset[str]
    chosen: Chosen | None = None
    later: bool = False
    """Published after the date asked for."""


def applicable(
    requires: Iterable[str], interpreter: Interpreter, extras: Iterable[str] = ()
) -> tuple[list[Requirement], list[str]]:
    """Return the requirements whose markers hold, and notes on those that cannot be used."""
    found: list[Requirement] = []
    notes: list[str] = []
    for number, text in enumerate(requires):
        if number == MOST_REQUIREMENTS:
            notes.append(f"more than {number} dependencies: the rest was left out")
            break
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            notes.append(f"the dependency {text[:100]!r} cannot be read")
            continue
        marker = requirement.marker
        environment = interpreter.markers
        if marker is not None and not any(
            marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)
        ):
            continue
        if requirement.url is not None:
            notes.append(f"the dependency {requirement.name} is at an address, not in an index")
            continue
        found.append(requirement)
    return found, notes


@dataclass(slots=True)
class Dependencies:
    """Chooses dependencies from an index for one Python and date."""

    index: PythonIndex
    interpreter: Interpreter
    unit_of: Callable[[str, Artifact], Unit]
    """Lays an artifact out."""
    obstacles_of: Callable[[Unit], tuple[str, ...]]
    """What must fail when it is imported here."""
    until: datetime | None
    """Publication time up to which releases are preferred; None for no limit."""

    def resolve(
        self, roots: Iterable[Requirement], pins: Mapping[str, Chosen | None]
    ) -> Resolution:
        """Choose a release for each of ``roots`` and everything they need.

        ``pins`` fixes projects whatever is asked of them; None stands for the target itself,
        which is there already. Raises TargetUnavailable when the index cannot be reached.
        """
        wanted = list(roots)
        for content_with_less in (False, True):
            provider = _Provider(self, dict(pins), content_with_less=content_with_less)
            found = _attempt(provider, wanted)
            if found is not None:
                return self._resolution(found, provider)
        return Resolution((), ("the dependencies could not be resolved: all left out",))

    def _resolution(self, found: Mapping[Place, Candidate], provider: _Provider) -> Resolution:
        chosen: dict[str, Chosen] = {}
        for candidate in found.values():
            if candidate.chosen is None:
                if candidate.name not in provider.pins:
                    reason = provider.absent.get(candidate.name, "nothing usable")
                    provider.note(f"the dependency {candidate.name} cannot be had: {reason}")
                continue
            chosen[candidate.name] = candidate.chosen
            if candidate.later and self.until is not None:
                provider.note(
                    f"{candidate.name} {candidate.chosen.version} is later than"
                    f" {self.until:%Y-%m-%d}: nothing earlier runs here"
                )
        ordered = tuple(chosen[name] for name in sorted(chosen))
        return Resolution(ordered, tuple(provider.notes))


def _attempt(provider: _Provider, wanted: list[Requirement]) -> dict[Place, Candidate] | None:
    if not wanted:
        return {}
    resolver: Resolver[Requirement, Candidate, Place] = Resolver(provider, BaseReporter())
    try:
        return dict(resolver.resolve(wanted, max_rounds=ROUNDS).mapping)
    except (ResolutionImpossible, ResolutionTooDeep):
        return None


@dataclass(slots=True)
class _Options:
    """The usable releases of one project, best first, checked only as far as looked at."""

    source: Iterator[Candidate]
    seen: list[Candidate] = field(default_factory=list)

    def __iter__(self) -> Iterator[Candidate]:
        position = 0
        while True:
            if position == len(self.seen):
                following = next(self.source, None)
                if following is None:
                    return
                self.seen.append(following)
            yield self.seen[position]
            position += 1


class _Provider(AbstractProvider[Requirement, Candidate, Place]):
    """What ``resolvelib`` asks while it resolves."""

    def __init__(
        self,
        dependencies: Dependencies,
        pins: dict[str, Chosen | None],
        *,
        content_with_less: bool,
    ) -> None:
        self._of = dependencies
        self._content_with_less = content_with_less
        self._conflicts: set[str] = set()
        self.pins = pins
        self.notes: list[str] = []
        self.absent: dict[str, str] = {}
        self._releases: dict[str, tuple[Release, ...]] = {}

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def identify(self, requirement_or_candidate: Requirement | Candidate) -> Place:
        one = requirement_or_candidate
        return (canonicalize_name(one.name), frozenset(one.extras))

    def get_preference(self, identifier: Place, *_: object, **__: object) -> tuple[bool, str]:
        return (identifier[0] not in self.pins, identifier[0])

    def find_matches(
        self,
        identifier: Place,
        requirements: Mapping[Place, Iterator[Requirement]],
        incompatibilities: Mapping[Place, Iterator[Candidate]],
    ) -> Callable[[], Iterator[Candidate]] | list[Candidate]:
        name, extras = identifier
        if name in self.pins:
            pinned = self.pins[name]
            version = Version("0") if pinned is None else _version(pinned.version)
            return [Candidate(name, version, extras, pinned)]
        specifiers = [requirement.specifier for requirement in requirements[identifier]]
        tried = {candidate.version for candidate in incompatibilities[identifier]}
        allowed = self._allowed(name, specifiers, tried)
        if not allowed and not tried and self._content_with_less and len(specifiers) > 1:
            self._conflicts.add(name)
            self.note(f"what is asked of the dependency {name} conflicts: the first asking counts")
            allowed = self._allowed(name, specifiers[:1], tried)
        if allowed:
            options = _Options(self._usable(name, extras, allowed, tried))
            return lambda: iter(options)
        alone = all(self._allowed(name, [one], set()) for one in specifiers)
        if alone and not self._content_with_less:
            return []
        self.absent.setdefault(name, "no release satisfies what is asked of it")
        return [Candidate(name, Version("0"), extras)]

    def _allowed(
        self, name: str, specifiers: list[SpecifierSet], tried: set[Version]
    ) -> list[tuple[Release, Version]]:
        allowed = [
            (release, version)
            for release in self._known(name)
            if release.ordered
            and (version := _version(release.version)) not in tried
            and all(one.contains(version, prereleases=True) for one in specifiers)
        ]
        stable = [pair for pair in allowed if not pair[1].is_prerelease and not pair[0].yanked]
        return stable if stable and not any(one.prereleases for one in specifiers) else allowed

    def is_satisfied_by(self, requirement: Requirement, candidate: Candidate) -> bool:
        if candidate.chosen is None or candidate.name in (*self.pins, *self._conflicts):
            return True
        return requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Candidate) -> list[Requirement]:
        chosen = candidate.chosen
        if chosen is None:
            return []
        unit = self._of.unit_of(chosen.name, chosen.artifact)
        found, notes = applicable(unit.requires, self._of.interpreter, candidate.extras)
        for note in notes:
            self.note(f"{candidate.name}: {note}")
        if candidate.extras:
            # The extras add to the project itself, which must be the same release.
            found.append(Requirement(f"{candidate.name}=={chosen.version}"))
        return found

    def _known(self, name: str) -> tuple[Release, ...]:
        if name not in self._releases:
            try:
                self._releases[name] = self._of.index.releases(name, until=self._of.until)
            except TargetNotFound:
                self.absent[name] = "no index has it"
                self._releases[name] = ()
        return self._releases[name]

    def _usable(
        self,
        name: str,
        extras: frozenset[str],
        allowed: list[tuple[Release, Version]],
        tried: set[Version],
    ) -> Iterator[Candidate]:
        """Yield the releases that can run here.

        First those of the time, newest first; then later ones, oldest first; then those whose
        import must fail; where there is none at all, the candidate that says so.
        """
        until = None if name in _UNDATED else self._of.until
        dated = until is not None and any(release.uploaded for release, _ in allowed)
        newest_first = sorted(allowed, key=lambda pair: pair[1], reverse=True)
        early = [pair for pair in newest_first if not dated or _by(pair[0], until)]
        late = [pair for pair in reversed(newest_first) if dated and not _by(pair[0], until)]
        doubtful: list[Candidate] = []
        found = False
        for later, pairs in ((False, early), (True, late)):
            for release, version in pairs:
                artifact = best_artifact(release, self._of.interpreter)
                if isinstance(artifact, NoneFits):
                    self.absent.setdefault(name, artifact.why)
                    continue
                chosen = Chosen(name, release.version, artifact)
                candidate = Candidate(name, version, extras, chosen, later)
                match self._judge(chosen):
                    case "good":
                        found = True
                        yield candidate
                    case "doubtful":
                        doubtful.append(candidate)
                    case _:
                        continue
        yield from doubtful
        if not found and not doubtful and (not tried or self._content_with_less):
            yield Candidate(name, Version("0"), extras)

    def _judge(self, chosen: Chosen) -> str:
        """Tell whether a release can be imported here, as far as reading shows."""
        try:
            obstacles = self._of.obstacles_of(self._of.unit_of(chosen.name, chosen.artifact))
        except TargetUnavailable as error:
            if error.reason in PASSING:
                raise
            self.absent.setdefault(chosen.name, error.message)
            return "bad"
        return "doubtful" if obstacles else "good"


def _by(release: Release, until: datetime | None) -> bool:
    return release.uploaded is not None and until is not None and release.uploaded <= until


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")
