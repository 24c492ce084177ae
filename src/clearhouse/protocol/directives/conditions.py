"""Conditions on vulnerabilities and on systems, of which a directive's selectors are made.

A condition that names several things is met by any of them, and names at least one: raises
:class:`clearhouse.errors.Invalid` otherwise.  Whether one is met: ``selection.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from clearhouse.errors import Invalid
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import Kind


@dataclass(frozen=True, slots=True)
class Package:
    """A package by OSV's name of its ecosystem, without release, and its name there."""

    ecosystem: str
    name: str


class Exposed(StrEnum):
    """Whether a system is publicly exposed, not knowing being an answer."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AnyVulnerability:
    """Every vulnerability."""


@dataclass(frozen=True, slots=True)
class InKev:
    """Those that CISA's catalogue of known exploited vulnerabilities lists."""


@dataclass(frozen=True, slots=True)
class SeverityAtLeast:
    """Those that are at least so severe."""

    severity: Severity


@dataclass(frozen=True, slots=True)
class EpssAtLeast:
    """Those of which EPSS expects attacks at least so probably, 0 to 1."""

    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:  # NaN is refused too
            raise Invalid("expected a probability from 0 to 1", key="probability")


@dataclass(frozen=True, slots=True)
class Named:
    """Those that have one of these identifiers, whatever its capitals."""

    names: frozenset[str]

    def __post_init__(self) -> None:
        _name_one(self.names, "names")


@dataclass(frozen=True, slots=True)
class InPackage:
    """Those of one of these packages."""

    packages: frozenset[Package]

    def __post_init__(self) -> None:
        _name_one(self.packages, "packages")


@dataclass(frozen=True, slots=True)
class OfWeakness:
    """Those that have one of these weaknesses (numbers in CWE)."""

    weaknesses: frozenset[int]

    def __post_init__(self) -> None:
        _name_one(self.weaknesses, "weaknesses")


@dataclass(frozen=True, slots=True)
class AnySystem:
    """Every system."""


@dataclass(frozen=True, slots=True)
class InSector:
    """Those in one of these sectors."""

    sectors: frozenset[Sector]

    def __post_init__(self) -> None:
        _name_one(self.sectors, "sectors")


@dataclass(frozen=True, slots=True)
class PubliclyExposed:
    """Those of which one of these holds; with ``unknown``, those of which nobody has said."""

    answers: frozenset[Exposed]

    def __post_init__(self) -> None:
        _name_one(self.answers, "answers")


@dataclass(frozen=True, slots=True)
class CriticalityAtLeast:
    """Those that are at least so critical: a value of SSVC's Human Impact."""

    level: str

    def __post_init__(self) -> None:
        HUMAN_IMPACT.name_of(self.level)


@dataclass(frozen=True, slots=True)
class OfKind:
    """Those of one of these kinds."""

    kinds: frozenset[Kind]

    def __post_init__(self) -> None:
        _name_one(self.kinds, "kinds")


VulnerabilityCondition: TypeAlias = (
    AnyVulnerability | InKev | SeverityAtLeast | EpssAtLeast | Named | InPackage | OfWeakness
)
SystemCondition: TypeAlias = AnySystem | InSector | PubliclyExposed | CriticalityAtLeast | OfKind


def _name_one(named: frozenset[object], key: str) -> None:
    if not named:
        raise Invalid("name at least one", key=key)
