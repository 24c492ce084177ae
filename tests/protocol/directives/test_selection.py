"""Selectors: what is not known stays open, and what is told to be open is what decides."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
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
)
from clearhouse.protocol.directives.selection import (
    Applies,
    Selection,
    SystemFacts,
    Systems,
    Vulnerabilities,
    VulnerabilityFacts,
    all_of,
    one_of,
)
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.system_questions import Kind
from tests.protocol.directives import strategies

YES, NO = Selection(Applies.YES), Selection(Applies.NO)


def maybe(*keys: str) -> Selection:
    return Selection(Applies.MAYBE, frozenset(keys))


KNOWN = VulnerabilityFacts(
    frozenset({"CVE-2026-1"}),
    False,
    Severity.MEDIUM,
    0.2,
    frozenset({Package("PyPI", "a")}),
    frozenset({79}),
)
OPEN = VulnerabilityFacts(frozenset({"CVE-2026-1"}))


@pytest.mark.parametrize(
    ("condition", "known", "open_one"),
    [
        (AnyVulnerability(), YES, YES),
        (InKev(), NO, maybe("in-kev")),
        (SeverityAtLeast(Severity.MEDIUM), YES, maybe("severity")),
        (SeverityAtLeast(Severity.HIGH), NO, maybe("severity")),
        (EpssAtLeast(0.2), YES, maybe("epss")),
        (EpssAtLeast(0.21), NO, maybe("epss")),
        (Named(frozenset({"cve-2026-1"})), YES, YES),
        (Named(frozenset({"CVE-2026-11"})), NO, NO),
        (InPackage(frozenset({Package("PyPI", "a")})), YES, NO),
        (OfWeakness(frozenset({79, 80})), YES, maybe("weaknesses")),
        (OfWeakness(frozenset({80})), NO, maybe("weaknesses")),
    ],
)
def test_each_condition_on_vulnerabilities(
    condition: AnyVulnerability, known: Selection, open_one: Selection
) -> None:
    selector = Vulnerabilities(((condition,),))
    assert selector.select(KNOWN) == known
    assert selector.select(OPEN) == open_one


SYSTEM = SystemFacts(Sector.WATER, True, ("M",), frozenset({Kind.MEDICAL}))
YES_UNKNOWN = PubliclyExposed(frozenset({Exposed.YES, Exposed.UNKNOWN}))


@pytest.mark.parametrize(
    ("condition", "known", "open_one"),
    [
        (AnySystem(), YES, YES),
        (InSector(frozenset({Sector.WATER})), YES, maybe("sector")),
        (InSector(frozenset({Sector.ENERGY})), NO, maybe("sector")),
        (PubliclyExposed(frozenset({Exposed.YES})), YES, maybe("exposure")),
        (PubliclyExposed(frozenset({Exposed.NO})), NO, maybe("exposure")),
        (YES_UNKNOWN, YES, YES),
        (CriticalityAtLeast("M"), YES, maybe("criticality")),
        (CriticalityAtLeast("H"), NO, maybe("criticality")),
        (CriticalityAtLeast("L"), YES, YES),
        (OfKind(frozenset({Kind.MEDICAL, Kind.MILITARY})), YES, maybe("kind")),
        (OfKind(frozenset({Kind.MILITARY})), NO, maybe("kind")),
    ],
)
def test_each_condition_on_systems(
    condition: AnySystem, known: Selection, open_one: Selection
) -> None:
    selector = Systems(((condition,),))
    assert selector.select(SYSTEM) == known
    assert selector.select(SystemFacts()) == open_one


def test_several_that_are_still_possible_decide_where_they_agree() -> None:
    selector = Systems(((CriticalityAtLeast("M"),),))
    assert selector.select(SystemFacts(criticality=("M", "VH"))) == YES
    assert selector.select(SystemFacts(criticality=("L", "VH"))) == maybe("criticality")


def test_a_selector_without_conditions_selects_nothing() -> None:
    for lines in ((), ((),)):
        assert Vulnerabilities(lines).select(KNOWN) == NO
        assert Systems(lines).select(SYSTEM) == NO


@pytest.mark.parametrize(("left", "right"), list(product([YES, NO, maybe("a")], repeat=2)))
def test_all_and_one_follow_kleenes_tables(left: Selection, right: Selection) -> None:
    ranks = [one.applies.rank for one in (left, right)]
    assert all_of([left, right]).applies.rank == min(ranks)
    assert one_of([left, right]).applies.rank == max(ranks)
    for found in (all_of([left, right]), one_of([left, right])):
        assert bool(found.unanswered) == (found.applies is Applies.MAYBE)


@given(st.data(), strategies.vulnerabilities, strategies.known_vulnerabilities)
def test_to_know_more_of_a_vulnerability_never_contradicts(
    data: st.DataObject, selector: Vulnerabilities, facts: VulnerabilityFacts
) -> None:
    unknown = data.draw(st.sets(st.sampled_from(["in_kev", "severity", "epss", "weaknesses"])))
    before = selector.select(replace(facts, **dict.fromkeys(unknown)))  # type: ignore[arg-type]
    after = selector.select(facts)
    assert after.applies is not Applies.MAYBE
    assert before.applies in (Applies.MAYBE, after.applies)
    assert before.unanswered <= {one.replace("_", "-") for one in unknown}


@given(st.data(), strategies.systems, strategies.known_systems)
def test_to_know_more_of_a_system_never_contradicts_where_not_knowing_was_not_asked_for(
    data: st.DataObject, selector: Systems, facts: SystemFacts
) -> None:
    unknown = data.draw(st.sets(st.sampled_from([one.name for one in fields(SystemFacts)])))
    default = SystemFacts()
    open_facts = replace(facts, **{name: getattr(default, name) for name in unknown})
    before, after = selector.select(open_facts), selector.select(facts)
    assert after.applies is not Applies.MAYBE
    asks_for_unknown = any(
        isinstance(one, PubliclyExposed) and Exposed.UNKNOWN in one.answers
        for line in selector.any_of
        for one in line
    )
    assert asks_for_unknown or before.applies in (Applies.MAYBE, after.applies)


def test_a_condition_names_at_least_one_thing_and_a_probability_is_one() -> None:
    for make in (Named, InPackage, OfWeakness, InSector, PubliclyExposed, OfKind):
        with pytest.raises(Invalid, match="name at least one"):
            make(frozenset())
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(Invalid, match="probability"):
            EpssAtLeast(wrong)
    with pytest.raises(Invalid, match="HI: expected one of"):
        CriticalityAtLeast("XL")
