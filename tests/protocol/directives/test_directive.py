"""A directive, and what it asks: audience, vulnerability, system, date, and what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given

from clearhouse.errors import Invalid
from clearhouse.protocol.bod2604 import Facts
from clearhouse.protocol.directives.directive import (
    Audience,
    Directive,
    Force,
    Organisation,
    Way,
    demand,
)
from clearhouse.protocol.directives.obligation import oblige
from clearhouse.protocol.directives.selection import Applies, SystemFacts, VulnerabilityFacts
from clearhouse.protocol.directives.shipped import (
    BOD_26_04,
    CIVILIAN,
    MILITARY,
    NATIONAL_SECURITY,
    TEMPLATES,
    issued,
)
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.system_questions import Kind
from tests.protocol.directives import strategies

NOW = datetime(2026, 12, 10, tzinfo=UTC)
HOSPITAL = Organisation("st-anna", frozenset({Sector.HEALTHCARE}))
FLAW = VulnerabilityFacts(frozenset({"CVE-2026-1"}), in_kev=True, severity=Severity.HIGH)
EVERYBODY = Audience(everybody=True)
FACTS = Facts(NOW, date(2026, 12, 9), True, True, True)


@pytest.mark.parametrize(
    ("audience", "applies"),
    [
        (Audience(), Applies.NO),
        (EVERYBODY, Applies.YES),
        (Audience(organisations=frozenset({"st-anna"})), Applies.YES),
        (Audience(organisations=frozenset({"another"})), Applies.NO),
        (Audience(sectors=frozenset({Sector.HEALTHCARE, Sector.DAMS})), Applies.YES),
        (Audience(sectors=frozenset({Sector.DAMS})), Applies.NO),
    ],
)
def test_an_audience_reaches_whom_it_names(audience: Audience, applies: Applies) -> None:
    assert audience.reaches(HOSPITAL.key, HOSPITAL.sectors).applies is applies


def test_who_has_not_said_its_sector_may_be_addressed() -> None:
    open_one = Audience(sectors=frozenset({Sector.DAMS})).reaches("st-anna", None)
    assert (open_one.applies, set(open_one.unanswered)) == (Applies.MAYBE, {"sector"})
    assert Audience().reaches("st-anna", None).applies is Applies.NO


@pytest.mark.parametrize("directive", [BOD_26_04, *TEMPLATES], ids=lambda one: one.key)
def test_what_is_shipped_addresses_nobody_until_it_is_issued(directive: Directive) -> None:
    system = SystemFacts(kinds=frozenset({Kind.NATIONAL_SECURITY, Kind.MILITARY}))
    assert demand(directive, HOSPITAL, FLAW, system, FACTS) is None
    assert demand(directive.addressed_to(EVERYBODY), HOSPITAL, FLAW, system, FACTS) is not None
    assert directive.sources


def test_bod_26_04_asks_for_its_tables_date() -> None:
    asked = demand(BOD_26_04.addressed_to(EVERYBODY), HOSPITAL, FLAW, SystemFacts(), FACTS)
    assert asked is not None
    assert (asked.applies, asked.unanswered) == (Applies.YES, frozenset())
    assert asked.due.at == datetime(2026, 12, 12, tzinfo=UTC)
    assert asked.due.forensic
    started = oblige(BOD_26_04, asked)
    assert started.obligation.due == asked.due.at
    assert [one.what for one in started.news] == ["opened"]


@pytest.mark.parametrize(
    ("template", "kind"),
    [(NATIONAL_SECURITY, Kind.NATIONAL_SECURITY), (MILITARY, Kind.MILITARY)],
)
def test_the_hardening_orders_give_thirty_days_to_systems_of_their_kind(
    template: Directive, kind: Kind
) -> None:
    order = issued(template, key="ORDER-1", issuer="An office", audience=EVERYBODY, at=NOW)
    asked = demand(order, HOSPITAL, FLAW, SystemFacts(kinds=frozenset({kind})), FACTS)
    assert asked is not None
    assert asked.due.at == NOW + timedelta(days=30)
    assert demand(order, HOSPITAL, FLAW, SystemFacts(kinds=frozenset()), FACTS) is None
    harmless = replace(FLAW, in_kev=False, severity=Severity.LOW)
    known = SystemFacts(kinds=frozenset({kind}))
    assert demand(order, HOSPITAL, harmless, known, FACTS) is None


def test_a_system_of_unknown_kind_may_be_meant_and_its_owner_is_asked() -> None:
    order = NATIONAL_SECURITY.addressed_to(EVERYBODY)
    asked = demand(order, HOSPITAL, VulnerabilityFacts(frozenset({"X"})), SystemFacts(), FACTS)
    assert asked is not None
    assert asked.applies is Applies.MAYBE
    assert asked.unanswered == {"kind", "in-kev", "severity"}


def test_advice_is_not_binding() -> None:
    assert {one.key: one.force for one in (BOD_26_04, *TEMPLATES)} == {
        "CISA-BOD-26-04": Force.BINDING,
        "EO-14409-2a": Force.BINDING,
        "EO-14409-2b": Force.BINDING,
        "EO-14409-2c": Force.ADVICE,
    }
    asked = demand(CIVILIAN.addressed_to(EVERYBODY), HOSPITAL, FLAW, SystemFacts(), FACTS)
    assert asked is not None
    assert asked.due.at == datetime(2026, 12, 23, tzinfo=UTC)


def test_a_directive_asks_from_its_issue_to_its_end() -> None:
    short = replace(BOD_26_04, ends=NOW)
    assert not short.asks_at(short.issued - timedelta(seconds=1))
    assert short.asks_at(short.issued)
    assert not short.asks_at(NOW)
    assert BOD_26_04.asks_at(NOW)


@given(strategies.directives, strategies.known_vulnerabilities, strategies.known_systems)
def test_where_all_is_known_a_directive_asks_or_does_not(
    directive: Directive, flaw: VulnerabilityFacts, system: SystemFacts
) -> None:
    asked = demand(directive, HOSPITAL, flaw, system, FACTS)
    assert asked is None or (asked.applies is Applies.YES and not asked.unanswered)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": " "}, "title: expected a text"),
        ({"basis": "x" * 2001}, "basis: expected a text"),
        ({"actions": ()}, "actions: say what to do"),
        ({"ways": frozenset()}, "ways: say how"),
        ({"in_force": datetime(2026, 1, 1, tzinfo=UTC)}, "in_force: that is before"),
        ({"title": "a\u202eb"}, "title: expected one line"),
        ({"actions": ("a\nb",)}, "actions: expected one line"),
        ({"ends": datetime(2026, 1, 1, tzinfo=UTC)}, "ends: that is before"),
        ({"issued": datetime(2026, 6, 1)}, "issued: a time without a zone"),  # noqa: DTZ001
        ({"ends": datetime(2999, 1, 1, tzinfo=UTC)}, "ends: expected a year"),
        ({"stages": BOD_26_04.stages * 2}, "stages: each stage has a name"),
    ],
)
def test_a_directive_that_makes_no_sense_is_invalid(change: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        replace(BOD_26_04, **change)  # type: ignore[arg-type]


def test_every_way_says_what_to_hand_in() -> None:
    assert len({one.meaning for one in Way}) == len(Way)
