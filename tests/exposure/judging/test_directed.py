"""What directives ask for flaws that were judged: by the judgement's own facts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from clearhouse.exposure.judging.directed import (
    Beside,
    asked_by,
    system_facts,
    vulnerability_facts,
)
from clearhouse.exposure.judging.facts import Epss, Fact, Flaw, Known, System
from clearhouse.exposure.judging.judgement import judge
from clearhouse.protocol.directives.conditions import Package
from clearhouse.protocol.directives.directive import Audience, Directive, Organisation
from clearhouse.protocol.directives.selection import Applies, SystemFacts, VulnerabilityFacts
from clearhouse.protocol.directives.shipped import BOD_26_04, NATIONAL_SECURITY, issued
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.system_questions import Kind
from tests.exposure.judging import cases
from tests.exposure.judging.cases import DAY, EXPOSED, LISTED, NOT_LISTED, NOW

EVERYBODY = Audience(everybody=True)
HOSPITAL = Organisation("st-anna")


def now_in_force(template: Directive) -> Directive:
    return issued(
        template, key="D-1", issuer="An office", audience=EVERYBODY, at=NOW - timedelta(days=30)
    )


@given(cases.known)
def test_bod_26_04_is_due_when_the_judgement_says(case: Known) -> None:
    judgement = judge(case)
    asked = asked_by(now_in_force(BOD_26_04), HOSPITAL, judgement, Beside())
    assert asked is not None
    assert asked.applies is Applies.YES
    assert asked.due.at == judgement.timeline.due
    assert asked.due.forensic == judgement.timeline.forensic
    assert bool(asked.due.unanswered) == bool(judgement.timeline.changes) or asked.due.at is None


def test_the_facts_of_selectors_are_those_of_the_judgement() -> None:
    flaw = Flaw("CVE-1", LISTED, Fact(Epss(0.5, 0.9), "EPSS"), (cases.scored(cases.TOTAL),))
    system = System("s", "S", EXPOSED.points, Fact(Sector.WATER, "its owner", DAY))
    package = Package("PyPI", "a")
    beside = Beside(
        frozenset({"GHSA-1"}), frozenset({package}), frozenset({79}), frozenset({Kind.MEDICAL})
    )
    judgement = judge(Known(flaw, system, NOW))
    assert vulnerability_facts(judgement, beside) == VulnerabilityFacts(
        frozenset({"CVE-1", "GHSA-1"}), True, Severity.CRITICAL, 0.5,
        frozenset({package}), frozenset({79}),
    )  # fmt: skip
    assert system_facts(judgement, beside) == SystemFacts(
        Sector.WATER, True, ("VH",), frozenset({Kind.MEDICAL})
    )


def test_what_is_not_known_is_not_known_to_selectors() -> None:
    judgement = judge(Known(Flaw("CVE-1"), System("s", "S"), NOW))
    assert vulnerability_facts(judgement, Beside()) == VulnerabilityFacts(frozenset({"CVE-1"}))
    assert system_facts(judgement, Beside()) == SystemFacts()


def test_a_directive_that_is_about_others_asks_nothing() -> None:
    judgement = judge(Known(Flaw("CVE-1", NOT_LISTED), EXPOSED, NOW))
    order = now_in_force(NATIONAL_SECURITY)
    assert asked_by(order, HOSPITAL, judgement, Beside(kinds=frozenset({Kind.MEDICAL}))) is None
    maybe = asked_by(order, HOSPITAL, judgement, Beside())
    assert maybe is not None
    assert maybe.unanswered == {"kind", "severity"}
