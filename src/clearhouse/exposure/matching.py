"""Is a component affected by a vulnerability, and what says so.

OSV schema 1.7, "Evaluation": a version is affected that is listed, or inside any range.  A version
is listed when it is spelt so or when its key is one of theirs (``1.0`` and ``1.0.0``).  Where the
order cannot tell, the answer is that it cannot, never no.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import filterfalse
from typing import Final

from clearhouse.exposure.aliases import Aliases
from clearhouse.exposure.intervals import FIRST, LAST, Interval
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.exposure.vulnerabilities import AffectedPackage, Vulnerability
from clearhouse.formats.instants import instant
from clearhouse.formats.osv import Bound
from clearhouse.versions import OutsideGrammar
from clearhouse.versions.ecosystems import base_name, key_of

_DIGIT: Final = re.compile("[0-9]")


@dataclass(frozen=True, slots=True)
class Component:
    """A package in an inventory."""

    ecosystem: str
    name: str
    version: str
    purl: str = ""
    file: str = ""
    """What it was read from."""
    place: str = ""
    """Where it stands there: ``components[3]``, ``line 12``."""
    lacks_epoch: bool = False
    """Whether it comes from a list that leaves out epochs, as ``rpm -qa`` does."""

    @property
    def label(self) -> str:
        """How a person names it: its package URL without qualifiers, or what is known."""
        short = self.purl.partition("?")[0]
        return short or f"{self.ecosystem} {self.name} {self.version}".rstrip()


class Answer(StrEnum):
    """What is known of a component and a vulnerability of its package."""

    AFFECTED = "affected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of a component and one record of its package."""

    answer: Answer
    because: str
    """What decided: the interval, the list, or why nothing can."""
    fixed: str | None = None
    """The first later version that is fixed, where the record names one."""


@dataclass(frozen=True, slots=True)
class Match:
    """A component that a vulnerability touches, or may touch."""

    component: Component
    vulnerability: Vulnerability
    """The record that decided."""
    ids: tuple[str, ...]
    """Every name under which the flaw is known, the most common one first."""
    decision: Decision

    @property
    def answer(self) -> Answer:
        """Affected, or undecided."""
        return self.decision.answer


class Vulnerabilities:
    """Vulnerabilities by the package they are about.

    Withdrawn records are left out, and so are older ones of the same identifier.
    """

    def __init__(self, records: Iterable[Vulnerability]) -> None:
        self._by_package: dict[tuple[str, str], list[tuple[Vulnerability, AffectedPackage]]]
        self._by_package = defaultdict(list)
        self._aliases = Aliases()
        # In the order of identifiers: where aliases contradict one another it would matter.
        for one in sorted(_newest(records), key=lambda one: one.id):
            if one.withdrawn is None:
                self._aliases.join(one.id, one.aliases)
                for package in one.affected:
                    self._by_package[package.ecosystem, package.name].append((one, package))
        self._ecosystems = {ecosystem for ecosystem, _ in self._by_package}

    def cover(self, ecosystem: str) -> bool:
        """Whether any record is about this ecosystem, in this release of a distribution.

        Where none is, that nothing matches says nothing.
        """
        return not self._ecosystems.isdisjoint(_named(ecosystem))

    def about(self, component: Component) -> list[tuple[Vulnerability, AffectedPackage]]:
        """Records about the component's package, in its release of a distribution."""
        return [
            one
            for ecosystem in _named(component.ecosystem)
            for one in self._by_package.get((ecosystem, normal_name(ecosystem, component.name)), ())
        ]

    def matches(self, component: Component) -> list[Match]:
        """What touches ``component``: one match for each flaw, what is affected before the rest."""
        found: dict[str, Match] = {}
        for one, package in self.about(component):
            decided = decide(component, package)
            if decided is None:
                continue
            flaw = self._aliases.flaw(one.id)
            earlier = found.get(flaw)
            if earlier is None or _weight(package, decided) > _weight(package, earlier.decision):
                found[flaw] = Match(component, one, self._aliases.names(one.id), decided)
        return sorted(found.values(), key=lambda m: (m.answer is Answer.UNDECIDED, m.ids))


def _newest(records: Iterable[Vulnerability]) -> list[Vulnerability]:
    """One record for each identifier: the one that was modified last."""
    found: dict[str, Vulnerability] = {}
    for one in records:
        if one.id not in found or _modified(found[one.id]) <= _modified(one):
            found[one.id] = one
    return list(found.values())


def _modified(one: Vulnerability) -> tuple[datetime, str]:
    """When it was modified; what is no time is before all that is."""
    return instant(one.modified) or datetime.min.replace(tzinfo=UTC), one.modified


def _named(ecosystem: str) -> tuple[str, ...]:
    """The names under which records are about ``ecosystem``: with its release and without."""
    whole = normal_ecosystem(ecosystem)
    return tuple(dict.fromkeys((whole, base_name(whole))))


def _weight(package: AffectedPackage, decided: Decision) -> tuple[bool, bytes]:
    """What counts of several records of one flaw: affected, and the latest fixed version."""
    fixed = key_of(package.ecosystem, decided.fixed) if decided.fixed else b""
    return decided.answer is Answer.AFFECTED, fixed if isinstance(fixed, bytes) else b""


def decide(component: Component, package: AffectedPackage) -> Decision | None:
    """Whether ``component`` is affected as ``package`` says, and why; None where it is not.

    1. every version is; 2. inside an interval, but where the component has no epoch and a bound has
    one, which is undecided; 3. listed, as it is spelt or by its key; 4. without version, or 5.
    without key beside ranges: undecided; 6. part of what the record says cannot be drawn:
    undecided.
    """
    version = component.version.strip()
    # 1
    for interval in package.intervals:
        if interval.low == FIRST and interval.high == LAST:
            return Decision(Answer.AFFECTED, str(interval))
    # 2
    key = comparable_key(package.ecosystem, version)
    if isinstance(key, bytes):
        if component.lacks_epoch and any(map(has_epoch, package.intervals)):
            why = "the advisory names an epoch, and the list of packages none"
            return Decision(Answer.UNDECIDED, why)
        for interval in package.intervals:
            if interval.holds(key):
                return Decision(Answer.AFFECTED, str(interval), _mended(interval, package))
    # 3
    if version in package.spellings:
        return Decision(Answer.AFFECTED, f"{version} is listed")
    if isinstance(key, bytes) and key in package.listed:
        return Decision(Answer.AFFECTED, f"{package.listed[key]} is listed")
    # 4
    if not version:
        return Decision(Answer.UNDECIDED, "the inventory names no version")
    # 5
    if isinstance(key, OutsideGrammar) and (package.intervals or package.undecided):
        kind = base_name(package.ecosystem)
        why = f"{version} has no place in the order of {kind}'s versions"
        return Decision(Answer.UNDECIDED, why)
    # 6
    if package.undecided:
        return Decision(Answer.UNDECIDED, package.undecided[0])
    return None


def comparable_key(ecosystem: str, version: str) -> bytes | OutsideGrammar:
    """A version's key; none for what is a word in place of one (``latest``, ``dev-main``).

    Some orders have a place for any text, below or above all versions; an inventory that says so
    does not know.
    """
    if is_word(ecosystem, version):
        return OutsideGrammar(version, "a version")
    return key_of(ecosystem, version)


def is_word(ecosystem: str, version: str) -> bool:
    """Whether a version is a word in place of one: it has no digit, or names a branch."""
    return bool(words_among(ecosystem, (version,)))


def words_among(ecosystem: str, versions: Collection[str]) -> set[str]:
    """Those of ``versions`` that are words in place of one, as :func:`is_word` says."""
    words = set(filterfalse(_DIGIT.search, versions))
    if ecosystem == "Packagist":
        words.update(one for one in versions if one.startswith("dev-") or one.endswith(".x-dev"))
    return words


def has_epoch(interval: Interval) -> bool:
    """Whether a bound of ``interval`` names an epoch other than zero."""
    bounds = (interval.opened, interval.closed)
    epochs = (one.version.partition(":") for one in bounds if one is not None)
    return any(colon and epoch.strip("0") for epoch, colon, _ in epochs)


def _mended(interval: Interval, package: AffectedPackage) -> str | None:
    """The first version from ``interval`` on of which the record says that it is fixed."""
    current: Interval | None = interval
    while current is not None:
        last, at = current, current.high
        inside = (one for one in package.intervals if one.holds(at))
        current = next(inside, None)
        if current is None and at not in package.listed:
            fixed = last.closed
            return fixed.version if fixed is not None and fixed.bound is Bound.FIXED else None
    return None
