"""What a directive asks for a flaw on a system that was judged, by the judgement's own facts."""

from __future__ import annotations

from dataclasses import dataclass

from clearhouse.exposure.judging.judgement import Judgement, facts_of
from clearhouse.protocol.directives.conditions import Package
from clearhouse.protocol.directives.directive import Demand, Directive, Organisation, demand
from clearhouse.protocol.directives.selection import SystemFacts, VulnerabilityFacts
from clearhouse.protocol.ssvc.points import PUBLICLY_EXPOSED
from clearhouse.protocol.system_questions import Kind, criticalities


@dataclass(frozen=True, slots=True)
class Beside:
    """What directives select by and judging does not ask; None is not known."""

    names: frozenset[str] = frozenset()
    """Further identifiers of the flaw."""
    packages: frozenset[Package] = frozenset()
    weaknesses: frozenset[int] | None = None
    kinds: frozenset[Kind] | None = None
    """Of the system."""


def asked_by(
    directive: Directive, organisation: Organisation, judgement: Judgement, beside: Beside
) -> Demand | None:
    """What the directive asks, or may ask, of the owner of the system; None where nothing.

    The date is that of the judgement, assumptions included, where the directive goes by the table
    of BOD 26-04.
    """
    known = judgement.known
    return demand(
        directive,
        organisation,
        vulnerability_facts(judgement, beside),
        system_facts(judgement, beside),
        facts_of(known, judgement.inputs.answers()),
        upgrades=known.system.upgrades,
    )


def vulnerability_facts(judgement: Judgement, beside: Beside) -> VulnerabilityFacts:
    """What selectors of vulnerabilities go by."""
    flaw, rated = judgement.known.flaw, judgement.rating
    return VulnerabilityFacts(
        names=beside.names | {flaw.id},
        in_kev=None if flaw.kev is None else flaw.kev.value is not None,
        severity=None if rated is None else rated.severity,
        epss=None if flaw.epss is None else flaw.epss.value.probability,
        packages=beside.packages,
        weaknesses=beside.weaknesses,
    )


def system_facts(judgement: Judgement, beside: Beside) -> SystemFacts:
    """What selectors of systems go by."""
    system = judgement.known.system
    exposed = system.points.get(PUBLICLY_EXPOSED.key)
    return SystemFacts(
        sector=None if system.sector is None else system.sector.value,
        publicly_exposed=None if exposed is None else exposed.value == "Y",
        criticality=criticalities({key: fact.value for key, fact in system.points.items()}),
        kinds=beside.kinds,
    )
