"""What is known of a flaw and of a system, each fact with who says it and when.

What is not known is left out; nothing here stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Generic, TypeVar

from clearhouse.errors import Invalid
from clearhouse.exposure.matching import Answer
from clearhouse.formats.cvss import Cvss
from clearhouse.protocol.directives.deadlines import zoned
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    EXPLOITATION,
    IN_KEV,
    POINTS,
    TECHNICAL_IMPACT,
)

T = TypeVar("T")

#: SSVC as CISA's Vulnrichment writes it, by the keys of the decision points.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    EXPLOITATION.key: {"none": "N", "poc": "P", "public poc": "P", "active": "A"},
    AUTOMATABLE.key: {"no": "N", "yes": "Y"},
    TECHNICAL_IMPACT.key: {"partial": "P", "total": "T"},
}


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A value, who says so, and on which day."""

    value: T
    source: str
    at: date | None = None

    @property
    def said(self) -> str:
        """Who says it, and when."""
        return self.source if self.at is None else f"{self.source}, {self.at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Epss:
    """FIRST's estimate: the probability of attacks within 30 days, and the share of flaws below."""

    probability: float
    percentile: float

    def __post_init__(self) -> None:
        for value, key in ((self.probability, "probability"), (self.percentile, "percentile")):
            if not 0 <= value <= 1:  # NaN is refused too
                raise Invalid("expected a number from 0 to 1", key=key)


@dataclass(frozen=True, slots=True)
class Scored:
    """A CVSS vector, and whether the supplier itself gave it."""

    cvss: Cvss
    is_suppliers: bool = False


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is known of a vulnerability."""

    id: str
    kev: Fact[date | None] | None = None
    """When CISA's catalogue listed it, None where it does not; no fact where there is none."""
    epss: Fact[Epss] | None = None
    scores: tuple[Fact[Scored], ...] = ()
    points: Mapping[str, Fact[str]] = field(default_factory=dict)
    """Answers to SSVC's decision points as published, by the points' keys."""
    called: str = ""
    """What CISA's catalogue calls it, where it lists it."""
    described: str = ""
    """What the catalogue says of it."""

    def __post_init__(self) -> None:
        _check(self.points)


@dataclass(frozen=True, slots=True)
class System:
    """What its owner said of a system."""

    id: str
    name: str
    points: Mapping[str, Fact[str]] = field(default_factory=dict)
    """Answers to decision points: ``PE``, ``EXP``, ``MI``, ``SI``, and ``HI`` for criticality."""
    sector: Fact[Sector] | None = None
    upgrades: tuple[datetime, ...] = ()
    """When it is upgraded as planned, in order: past ones that count, and the next; with zones."""

    def __post_init__(self) -> None:
        _check(self.points)
        for one in self.upgrades:
            zoned(one, "upgrades")


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a judgement of one flaw on one system goes by."""

    flaw: Flaw
    system: System
    detected: datetime
    """When it was found there, with a time zone."""
    affected: Answer = Answer.AFFECTED
    obliged: Fact[datetime] | None = None
    """The earliest date that a directive sets, and which."""

    def __post_init__(self) -> None:
        zoned(self.detected, "detected")
        if self.obliged is not None:
            zoned(self.obliged.value, "obliged")


def published(
    words: Mapping[str, str | None], source: str, at: date | None
) -> dict[str, Fact[str]]:
    """Decision points as CISA publishes them: ``{"E": "active", "A": "yes", "TI": "total"}``.

    None is not given.  Raises :class:`Invalid` for a word that the point does not have.
    """
    found: dict[str, Fact[str]] = {}
    for key, word in words.items():
        known = _WORDS.get(key)
        if known is None:
            raise Invalid(f"expected one of {', '.join(_WORDS)}", key=key)
        if word is not None:
            value = known.get(word.strip().lower())
            if value is None:
                raise Invalid(f"expected one of {', '.join(known)}", key=key)
            found[key] = Fact(value, source, at)
    return found


def _check(points: Mapping[str, Fact[str]]) -> None:
    for key, fact in points.items():
        if key not in POINTS or key == IN_KEV.key:
            raise Invalid("no decision point that is answered so", key=key)
        POINTS[key].name_of(fact.value)
