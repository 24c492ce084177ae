"""Judging: outcomes with their inputs, what is missing, and the order in which to act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.exposure.judging.facts import Epss, Fact, Flaw, Known, System
from clearhouse.exposure.judging.inputs import Basis
from clearhouse.exposure.judging.judgement import (
    Outcome,
    judge,
    judge_for_office,
    what_first,
)
from clearhouse.exposure.judging.reason import reason
from clearhouse.protocol.ssvc.points import POINTS
from tests.exposure.judging import cases
from tests.exposure.judging.cases import EXPOSED, HIDDEN, LISTED, NOT_LISTED, NOW


def known(flaw: Flaw, system: System = EXPOSED) -> Known:
    return Known(flaw, system, NOW)


def test_what_is_attacked_and_exposed_is_first_and_certain() -> None:
    found = judge(known(Flaw("CVE-2026-1", LISTED, points=cases.WORST)))
    assert (found.remediation.possible, found.priority.possible) == (("3DF",), ("I",))
    assert (found.remediation.name, found.priority.name) == (
        "3 days & forensic investigation",
        "Immediate",
    )
    assert found.due == datetime(2026, 12, 12, tzinfo=UTC)
    for outcome in (found.remediation, found.priority):
        assert (outcome.changes, outcome.missing, outcome.assumed) == ((), (), ())
        assert {one.basis for one in outcome.inputs} <= {Basis.PUBLISHED, Basis.DERIVED}


def test_what_a_given_answer_keeps_at_bay_is_told() -> None:
    found = judge(known(Flaw("CVE-2026-1", LISTED, points=cases.WORST))).remediation
    contrary = {(one.point.key, one.value): one.possible for one in found.contradictions}
    assert contrary["KEV", "N"] == ("3D",)
    assert all(possible != found.possible for possible in contrary.values())
    assert {point for point, _ in contrary} <= {one.point.key for one in found.inputs}


def test_what_nobody_attacks_or_reaches_waits() -> None:
    found = judge(known(Flaw("CVE-2026-1", NOT_LISTED, points=cases.LEAST), HIDDEN))
    assert (found.remediation.possible, found.priority.possible) == (("FSU",), ("D",))
    assert found.due is None


def test_what_waits_for_an_upgrade_waits_for_the_one_that_is_planned() -> None:
    calm = Flaw("CVE-2026-1", NOT_LISTED, points=cases.LEAST)
    planned = NOW + timedelta(days=40)
    system = replace(HIDDEN, upgrades=(planned,))
    found = judge(known(calm, system))
    assert (found.timeline.due, found.due) == (None, planned)
    assert reason(found).endswith(": at the next planned update, on Tuesday, 19 January 2027.")
    assert found.order < judge(known(calm, HIDDEN)).order
    later = Known(calm, system, planned)
    assert judge(later).due is None, "it came with that upgrade, or after it"
    twice = replace(HIDDEN, upgrades=(NOW + timedelta(days=3), planned))
    assert judge(known(calm, twice)).due == NOW + timedelta(days=3), "the first after it came"
    assert judge(Known(calm, twice, NOW + timedelta(days=3))).due == planned
    reached = replace(EXPOSED, upgrades=(planned,))
    urgent = judge(known(Flaw("CVE-2026-1", LISTED, points=cases.WORST), reached))
    assert urgent.due == datetime(2026, 12, 12, tzinfo=UTC), "no upgrade puts it off"


def test_nothing_known_leaves_everything_possible_and_is_planned_for_at_its_worst() -> None:
    found = judge(known(Flaw("CVE-2026-1"), System("a", "The archive")))
    assert found.remediation.possible == tuple(found.remediation.table.outcome.values)
    assert found.priority.possible == ("D", "S", "O", "I")
    assert found.due == NOW + timedelta(days=3)
    assert {one.point.key for one in found.remediation.missing} == {"KEV", "PE", "A", "TI"}
    assert {one.point.key for one in found.priority.missing} == {"E", "EXP", "SI", "MI"}
    assert found.rating is None


def test_an_assumption_stands_beside_what_would_be_so_without_it() -> None:
    flaw = Flaw("CVE-2026-1", NOT_LISTED, scores=(cases.scored(cases.TOTAL),))
    found = judge(known(flaw))
    assert found.remediation.possible == ("3D",)
    assert found.remediation.unassumed == ("60D", "14D", "3D")
    assert [one.point.key for one in found.remediation.assumed] == ["A", "TI"]
    assert [(one.point.key, one.value, one.possible) for one in found.remediation.changes] == [
        ("A", "N", ("14D",)),
        ("TI", "P", ("14D",)),
    ]
    assert found.due == found.unassumed.due


def test_an_assumption_that_relaxes_leaves_the_date_without_it_in_sight() -> None:
    local = cases.TOTAL.replace("AV:N", "AV:L")
    flaw = Flaw("CVE-2026-1", NOT_LISTED, scores=(cases.scored(local),))
    found = judge(known(flaw))
    assert found.due == NOW + timedelta(days=14)
    assert found.unassumed.due == NOW + timedelta(days=3)


def test_a_directives_date_counts_where_it_is_earlier() -> None:
    early = Fact(NOW + timedelta(days=1), "a directive")
    late = Fact(NOW + timedelta(days=99), "a directive")
    case = known(Flaw("CVE-2026-1", NOT_LISTED, points=cases.WORST))
    assert judge(replace(case, obliged=early)).due == early.value
    assert judge(replace(case, obliged=late)).due == NOW + timedelta(days=3)
    calm = known(Flaw("CVE-2026-1", NOT_LISTED, points=cases.LEAST), HIDDEN)
    assert judge(replace(calm, obliged=late)).due == late.value


def test_an_office_sees_what_ssvc_says_to_those_who_coordinate_and_mend() -> None:
    found = judge_for_office(Flaw("CVE-2026-1", LISTED, points=cases.WORST))
    assert found.supplier.possible == ("O", "I")
    assert [one.point.key for one in found.supplier.missing] == ["VD", "SI"]
    assert found.triage.possible == ("D", "T", "C")
    assert found.publication.possible == ("N", "P")
    assert found.levels.possible == ("AT", "AC")
    assert [one.point.key for one in found.levels.missing] == ["MWI"]


@given(cases.known)
def test_an_assumption_only_takes_away_and_changes_change(case: Known) -> None:
    found = judge(case)
    for outcome in (found.remediation, found.priority):
        assert set(outcome.possible) <= set(outcome.unassumed)
        assert all(one.possible != outcome.possible for one in outcome.changes)
        assert {one.point.key for one in outcome.missing} <= {
            one.point.key for one in outcome.changes
        }
        _no_missing_no_doubt(outcome)
    assert found.timeline.possible == found.remediation.possible
    assert found.unassumed.possible == found.remediation.unassumed


def _no_missing_no_doubt(outcome: Outcome) -> None:
    """Where several outcomes are possible, something that would change it is told."""
    assert len(outcome.possible) == 1 or outcome.changes


@given(st.lists(cases.known, min_size=3, max_size=3))
def test_the_order_is_total_and_transitive(three: list[Known]) -> None:
    orders = [judge(one).order for one in three]
    for a, b in permutations(orders, 2):
        assert (a < b) + (b < a) + (a == b) == 1
    for a, b, c in permutations(orders, 3):
        if a < b < c:
            assert a < c
    expected = sorted(three, key=lambda one: judge(one).order)
    assert [one.known for one in what_first(judge(case) for case in three)] == expected


@given(cases.known, cases.known)
def test_as_text_the_order_is_the_same(left: Known, right: Known) -> None:
    a, b = judge(left).order, judge(right).order
    rounded = abs(a.epss - b.epss) < 1e-6 and a.epss != b.epss  # text has six places of it
    if a < b and not rounded:
        assert a.text <= b.text
    same_but_names = replace(a, flaw=b.flaw, system=b.system)
    assert (a.text == b.text) or rounded or same_but_names != b


def test_as_text_what_nobody_scored_is_before_the_highest_score() -> None:
    scored = known(Flaw("X", NOT_LISTED, points=cases.LEAST), HIDDEN)
    highest = replace(
        scored,
        flaw=replace(
            scored.flaw,
            epss=Fact(Epss(1, 1), "EPSS"),
            scores=(cases.scored("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"),),
        ),
    )
    assert judge(scored).order.text < judge(highest).order.text
    unscored = replace(highest, flaw=replace(highest.flaw, scores=()))
    assert judge(unscored).order.text < judge(highest).order.text


def test_the_order_goes_by_date_then_priority_then_kev_epss_and_score() -> None:
    later = Known(Flaw("CVE-1", NOT_LISTED, points=cases.LEAST), HIDDEN, NOW)
    low_epss = Fact(Epss(0.1, 0.5), "EPSS")
    high_epss = Fact(Epss(0.9, 0.9), "EPSS")
    soon = Flaw("CVE-2", NOT_LISTED, low_epss, (cases.scored(cases.TOTAL),), points=cases.WORST)
    low = cases.scored(cases.TOTAL.replace("A:H", "A:N"))
    ordered = [
        known(replace(soon, kev=LISTED)),
        known(replace(soon, epss=high_epss)),
        known(soon),
        known(replace(soon, scores=(low,))),
        known(replace(soon, points=cases.WORST | {"E": Fact("P", "CISA")})),
        later,
    ]
    assert [one.known for one in what_first(map(judge, reversed(ordered)))] == ordered


HARMLESS = {"E": "N", "A": "N", "TI": "P", "PE": "N", "EXP": "S", "SI": "N", "MI": "D", "HI": "L"}


@given(cases.known, st.sampled_from(["kev", "epss", "scores", *HARMLESS]))
def test_unknown_never_sorts_behind_harmless(case: Known, what: str) -> None:
    flaw, system = case.flaw, case.system
    if what in ("kev", "epss", "scores"):
        none = replace(flaw, **{what: () if what == "scores" else None})  # type: ignore[arg-type]
        good = {
            "kev": replace(flaw, kev=NOT_LISTED),
            "epss": replace(flaw, epss=Fact(Epss(0, 0), "EPSS")),
            "scores": replace(flaw, scores=(cases.scored("AV:L/AC:H/Au:M/C:N/I:N/A:N"),)),
        }[what]
        unknown, harmless = replace(case, flaw=none), replace(case, flaw=good)
    else:
        assume(what != "E" or flaw.kev is not LISTED)
        fact = Fact(HARMLESS[what], "somebody")
        holder: Flaw | System = flaw if what in ("E", "A", "TI") else system
        without = {key: one for key, one in holder.points.items() if key != what}
        assert what in POINTS
        name = "flaw" if holder is flaw else "system"
        unknown = replace(case, **{name: replace(holder, points=without)})  # type: ignore[arg-type]
        harmless = replace(
            case,
            **{name: replace(holder, points={**without, what: fact})},  # type: ignore[arg-type]
        )
    assert judge(unknown).order <= judge(harmless).order


def test_a_time_without_zone_is_invalid() -> None:
    naive = datetime(2026, 12, 1)  # noqa: DTZ001
    with pytest.raises(Invalid, match="detected: a time without a zone"):
        Known(Flaw("X"), HIDDEN, naive)
    with pytest.raises(Invalid, match="obliged: a time without a zone"):
        Known(Flaw("X"), HIDDEN, NOW, obliged=Fact(naive, "a directive"))
    with pytest.raises(Invalid, match="upgrades: a time without a zone"):
        System("a", "The archive", upgrades=(naive,))
