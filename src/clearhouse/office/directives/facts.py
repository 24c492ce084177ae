"""What a directive is held against: an organisation, a flaw and a system, as far as is known."""

from __future__ import annotations

from dataclasses import replace

from clearhouse.exposure.judging.judgement import Judgement
from clearhouse.office.inventories.present import Present, Touching
from clearhouse.protocol.directives.conditions import Package
from clearhouse.protocol.directives.directive import Demand, Directive, Organisation, demand
from clearhouse.protocol.directives.selection import Applies, SystemFacts, VulnerabilityFacts
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.system_questions import KIND, criticalities, kinds_of, points_of

#: What has to be known where it cannot be told whether the installed version is affected.
VERSION = "version"


def organisation_of(present: Present) -> Organisation:
    """Who owns a system; without any sector where neither it nor the system has one."""
    sectors = _sectors(present.sectors)
    return Organisation(present.slug, sectors or None)


def system_of(present: Present) -> SystemFacts:
    """What its owner said of a system."""
    single = {key: given for key, given in present.answers.items() if isinstance(given, str)}
    points = points_of(single)
    exposed = points.get("PE")
    kinds = present.answers.get(KIND.key, ())
    sector = _sectors(frozenset({present.sector} if present.sector else ()))
    return SystemFacts(
        sector=next(iter(sector), None),
        publicly_exposed=None if exposed is None else exposed == "Y",
        criticality=criticalities(points),
        kinds=kinds_of([kinds] if isinstance(kinds, str) else kinds),
    )


def vulnerability_of(one: Touching, judgement: Judgement) -> VulnerabilityFacts:
    """What is known of a flaw; weaknesses are not."""
    flaw = judgement.known.flaw
    return VulnerabilityFacts(
        names=frozenset(one.ids),
        in_kev=None if flaw.kev is None else flaw.kev.value is not None,
        severity=judgement.rating.severity if judgement.rating is not None else None,
        epss=flaw.epss.value.probability if flaw.epss is not None else None,
        packages=frozenset(Package(ecosystem, name) for ecosystem, name, _ in one.found),
    )


def asked_of(directive: Directive, present: Present, one: Touching) -> Demand | None:
    """What a directive asks for a flaw that touches a system; None where it asks nothing.

    Where it cannot be told whether the version is affected, it may apply.
    """
    if one.judgement is None:
        return None
    found = demand(
        directive,
        organisation_of(present),
        vulnerability_of(one, one.judgement),
        system_of(present),
        one.judgement.facts,
    )
    if found is None or not one.is_undecided:
        return found
    return replace(found, applies=Applies.MAYBE, unanswered=found.unanswered | {VERSION})


def _sectors(named: frozenset[str]) -> frozenset[Sector]:
    known = {one.value for one in Sector}
    return frozenset(Sector(one) for one in named if one in known)
