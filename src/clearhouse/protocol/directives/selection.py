"""What a directive is about: conditions on vulnerabilities and on systems, which may stay open.

A condition on something that is not known is neither met nor missed: the directive may apply, and
what would have to be known is told (three values, Kleene's strong logic).  A selector without any
condition selects nothing: what is about everything says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    CriticalityAtLeast,
    EpssAtLeast,
    Exposed,
    InKev,
    InPackage,
    InSector,
    Named,
    OfKind,
    OfWeakness,
    Package,
    PubliclyExposed,
    SeverityAtLeast,
    SystemCondition,
    VulnerabilityCondition,
)
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import CRITICALITY, EXPOSURE, KIND, Kind


class Applies(StrEnum):
    """Whether something is selected; in order from the least to the most."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"

    @property
    def rank(self) -> int:
        """Its place in that order."""
        return list(Applies).index(self)


@dataclass(frozen=True, slots=True)
class Selection:
    """Whether it applies, and where it may: what has to be known to say.

    ``unanswered`` has keys of :data:`clearhouse.protocol.system_questions.QUESTIONS`, ``sector``,
    and of a vulnerability ``in-kev``, ``severity``, ``epss`` and ``weaknesses``.
    """

    applies: Applies
    unanswered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VulnerabilityFacts:
    """What is known of a vulnerability; None where it is not."""

    names: frozenset[str]
    """Every identifier that it has."""
    in_kev: bool | None = None
    severity: Severity | None = None
    epss: float | None = None
    """A probability, 0 to 1."""
    packages: frozenset[Package] = frozenset()
    weaknesses: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """What its owner said of a system; None where it is not known."""

    sector: Sector | None = None
    publicly_exposed: bool | None = None
    criticality: tuple[str, ...] = tuple(HUMAN_IMPACT.values)
    """What is still possible: values of SSVC's Human Impact."""
    kinds: frozenset[Kind] | None = None


@dataclass(frozen=True, slots=True)
class Vulnerabilities:
    """Which vulnerabilities: those that meet every condition of at least one line."""

    any_of: tuple[tuple[VulnerabilityCondition, ...], ...]

    def select(self, facts: VulnerabilityFacts) -> Selection:
        """Whether a vulnerability is among them."""
        return one_of(all_of(_of_vulnerability(one, facts) for one in line) for line in self.any_of)


@dataclass(frozen=True, slots=True)
class Systems:
    """Which systems: those that meet every condition of at least one line."""

    any_of: tuple[tuple[SystemCondition, ...], ...]

    def select(self, facts: SystemFacts) -> Selection:
        """Whether a system is among them."""
        return one_of(all_of(_of_system(one, facts) for one in line) for line in self.any_of)


def all_of(parts: Iterable[Selection]) -> Selection:
    """What applies where every part does; no parts apply to nothing.

    What is open in one part does not matter where another says no.
    """
    given = list(parts)
    least = min((one.applies for one in given), key=lambda one: one.rank, default=Applies.NO)
    return Selection(least, _open(given) if least is Applies.MAYBE else frozenset())


def one_of(parts: Iterable[Selection]) -> Selection:
    """What applies where one part does; no parts apply to nothing."""
    given = list(parts)
    most = max((one.applies for one in given), key=lambda one: one.rank, default=Applies.NO)
    return Selection(most, _open(given) if most is Applies.MAYBE else frozenset())


def _open(parts: Iterable[Selection]) -> frozenset[str]:
    return frozenset[str]().union(*(one.unanswered for one in parts))


def _told(key: str, *, met: bool | None) -> Selection:
    """A condition on what stands under ``key``; None where that is not known."""
    if met is None:
        return Selection(Applies.MAYBE, frozenset({key}))
    return Selection(Applies.YES if met else Applies.NO)


def _of_vulnerability(condition: VulnerabilityCondition, facts: VulnerabilityFacts) -> Selection:
    met: bool | None
    match condition:
        case AnyVulnerability():
            return Selection(Applies.YES)
        case InKev():
            return _told("in-kev", met=facts.in_kev)
        case SeverityAtLeast(least):
            met = None if facts.severity is None else facts.severity.rank >= least.rank
            return _told("severity", met=met)
        case EpssAtLeast(probability):
            met = None if facts.epss is None else facts.epss >= probability
            return _told("epss", met=met)
        case Named(names):
            return _told("names", met=not _folded(names).isdisjoint(_folded(facts.names)))
        case InPackage(packages):
            return _told("packages", met=bool(packages & facts.packages))
        case OfWeakness(numbers):
            met = None if facts.weaknesses is None else bool(numbers & facts.weaknesses)
            return _told("weaknesses", met=met)
        case _:
            assert_never(condition)


@lru_cache(maxsize=1024)
def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(one.casefold() for one in names)


def _of_system(condition: SystemCondition, facts: SystemFacts) -> Selection:
    match condition:
        case AnySystem():
            return Selection(Applies.YES)
        case InSector(sectors):
            return _told("sector", met=None if facts.sector is None else facts.sector in sectors)
        case PubliclyExposed(answers):
            exposed = facts.publicly_exposed
            said = Exposed.UNKNOWN if exposed is None else Exposed("yes" if exposed else "no")
            unsure = exposed is None and said not in answers
            return _told(EXPOSURE.key, met=None if unsure else said in answers)
        case CriticalityAtLeast(level):
            values = list(HUMAN_IMPACT.values)
            met = {values.index(one) >= values.index(level) for one in facts.criticality}
            return _told(CRITICALITY.key, met=met.pop() if len(met) == 1 else None)
        case OfKind(kinds):
            return _told(KIND.key, met=None if facts.kinds is None else bool(kinds & facts.kinds))
        case _:
            assert_never(condition)
