"""Is a component affected by a vulnerability, and what says so.

OSV schema 1.7, "Evaluation": a version is affected that is listed, or inside any range.  A version
is listed when it is spelt so or when its key is one of theirs (``1.0`` and ``1.0.0``).  Where the
order cannot tell, the answer is that it cannot, never no.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.exposure.vulnerabilities import AffectedPackage, Vulnerability
from clearhouse.versions import OutsideGrammar
from clearhouse.versions.ecosystems import base_name, key_of


@dataclass(frozen=True, slots=True)
class Component:
    """A package in an inventory."""

    ecosystem: str
    name: str
    version: str
    purl: str = ""
    source: str = ""
    """Where it was read: the file, and the place in it."""


class Answer(StrEnum):
    """What is known of a component and a vulnerability of its package."""

    AFFECTED = "affected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Match:
    """A component that a vulnerability touches, or may touch."""

    component: Component
    vulnerability: Vulnerability
    answer: Answer
    because: str
    """What decided: the interval, the list, or why nothing can."""


class Vulnerabilities:
    """Vulnerabilities by the package they are about; withdrawn ones left out."""

    def __init__(self, records: Iterable[Vulnerability]) -> None:
        self._by_package: dict[tuple[str, str], list[tuple[Vulnerability, AffectedPackage]]]
        self._by_package = defaultdict(list)
        for one in records:
            if one.withdrawn is None:
                for package in one.affected:
                    self._by_package[package.ecosystem, package.name].append((one, package))

    def about(self, component: Component) -> list[tuple[Vulnerability, AffectedPackage]]:
        """Those about the component's package, in its release of a distribution."""
        ecosystem = normal_ecosystem(component.ecosystem)
        name = normal_name(ecosystem, component.name)
        return self._by_package.get((ecosystem, name), [])

    def matches(self, component: Component) -> Iterator[Match]:
        """What touches ``component``: one match for each vulnerability."""
        found: dict[str, Match] = {}
        for vulnerability, package in self.about(component):
            decided = decide(component, package)
            if decided is None:
                continue
            match = Match(component, vulnerability, *decided)
            earlier = found.get(vulnerability.id)
            if earlier is None or earlier.answer is Answer.UNDECIDED:
                found[vulnerability.id] = match
        yield from found.values()


def decide(component: Component, package: AffectedPackage) -> tuple[Answer, str] | None:
    """Whether ``component`` is affected as ``package`` says, and why; None where it is not.

    1. inside an interval; 2. listed, as it is spelt or by its key; 3. without version: undecided;
    4. without key, beside ranges: undecided; 5. part of what the record says cannot be drawn:
    undecided.
    """
    version = component.version.strip()
    key = key_of(package.ecosystem, version)
    # 1
    if isinstance(key, bytes):
        for interval in package.intervals:
            if interval.holds(key):
                return Answer.AFFECTED, str(interval)
    # 2
    if version in package.spellings:
        return Answer.AFFECTED, f"{version} is listed"
    if isinstance(key, bytes) and key in package.listed:
        return Answer.AFFECTED, f"{package.listed[key]} is listed"
    # 3
    if not version:
        return Answer.UNDECIDED, "the inventory names no version"
    # 4
    if isinstance(key, OutsideGrammar) and (package.intervals or package.undecided):
        kind = base_name(package.ecosystem)
        return Answer.UNDECIDED, f"{version} has no place in the order of {kind}'s versions"
    # 5
    if package.undecided:
        return Answer.UNDECIDED, package.undecided[0]
    return None
