"""Inputs: who says it, what follows, what is assumed from a vector, and that unknown stays so."""

from __future__ import annotations

import pytest
from hypothesis import given

from clearhouse.errors import Invalid
from clearhouse.exposure.judging.facts import Epss, Fact, Flaw, System, published
from clearhouse.exposure.judging.inputs import Basis, inputs
from clearhouse.protocol.ssvc.points import POINTS
from tests.exposure.judging import cases

V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


@pytest.mark.parametrize(
    ("vector", "automatable", "impact"),
    [
        (cases.TOTAL, "Y", "T"),
        (V4, "Y", "T"),
        (cases.TOTAL.replace("AV:N", "AV:A"), "N", "T"),
        (cases.TOTAL.replace("AV:N", "AV:L"), "N", "T"),
        (cases.TOTAL.replace("PR:N", "PR:L"), "N", "T"),
        (cases.TOTAL.replace("UI:N", "UI:R"), "N", "T"),
        (cases.TOTAL.replace("AC:L", "AC:H"), None, "T"),
        (cases.TOTAL.replace("I:H", "I:N"), "Y", None),
        (cases.TOTAL.replace("C:H", "C:L"), "Y", None),
        (cases.TOTAL.replace("C:H/I:H", "C:L/I:N"), "Y", "P"),
        (V4.replace("AT:N", "AT:P"), None, "T"),
        (V4.replace("UI:N", "UI:P"), "N", "T"),
        (V4.replace("VC:H/VI:H", "VC:L/VI:N"), "Y", "P"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", None, "T"),  # 2.0 does not ask for a user's part
        ("AV:N/AC:L/Au:S/C:P/I:P/A:C", "N", "P"),
        ("AV:L/AC:L/Au:N/C:C/I:P/A:N", "N", None),
    ],
)
def test_a_vector_is_taken_for_an_assumption_only_where_it_is_clear(
    vector: str, automatable: str | None, impact: str | None
) -> None:
    found = inputs(Flaw("CVE-2026-1", scores=(cases.scored(vector),)))
    for key, expected in (("A", automatable), ("TI", impact)):
        one = found.by_key[key]
        if expected is None:
            assert one.basis is Basis.UNKNOWN
        else:
            assert (one.values, one.basis) == ((expected,), Basis.ASSUMED)
            assert "NVD, 2026-12-01" in one.because
            assert one.because.startswith(vector)


def test_what_is_published_goes_before_what_would_be_assumed() -> None:
    found = inputs(Flaw("CVE-2026-1", scores=(cases.scored(cases.TOTAL),), points=cases.LEAST))
    assert (found.by_key["A"].values, found.by_key["A"].basis) == (("N",), Basis.PUBLISHED)
    assert found.by_key["A"].because == "CISA, 2026-12-01"
    assert found.by_key["A"].names == ("No",)


def test_what_kev_lists_is_attacked_whatever_was_published_before() -> None:
    found = inputs(Flaw("CVE-2026-1", kev=cases.LISTED, points=cases.LEAST)).by_key
    assert (found["E"].values, found["E"].basis) == (("A",), Basis.DERIVED)
    assert found["KEV"].because == "listed on 2026-12-09 (KEV 2026.12.09, 2026-12-09)"


def test_what_kev_does_not_list_may_be_attacked_all_the_same() -> None:
    found = inputs(Flaw("CVE-2026-1", kev=cases.NOT_LISTED)).by_key
    assert found["KEV"].values == ("N",)
    assert found["E"].basis is Basis.UNKNOWN
    assert inputs(Flaw("CVE-2026-1")).by_key["KEV"].basis is Basis.UNKNOWN


def test_what_is_publicly_exposed_is_no_small_exposure() -> None:
    derived = inputs(Flaw("X"), cases.system(PE="Y")).by_key["EXP"]
    assert (derived.values, derived.basis) == (("C", "O"), Basis.DERIVED)
    assert inputs(Flaw("X"), cases.system(PE="Y", EXP="C")).by_key["EXP"].values == ("C",)
    assert inputs(Flaw("X"), cases.system(PE="N")).by_key["EXP"].basis is Basis.UNKNOWN


def test_a_criticality_stands_where_safety_and_mission_leave_it_possible() -> None:
    assert inputs(Flaw("X"), cases.system(HI="M")).answers() == {"HI": "M"}
    assert inputs(Flaw("X"), cases.system(HI="M", SI="R")).answers()["HI"] == "M"
    assert "HI" not in inputs(Flaw("X"), cases.system(HI="L", SI="C")).answers()
    assert "HI" not in inputs(Flaw("X"), cases.system(HI="VH", SI="N", MI="D")).answers()


@given(cases.flaws, cases.systems)
def test_every_point_has_an_answer_and_unknown_is_every_value(flaw: Flaw, system: System) -> None:
    found = inputs(flaw, system)
    assert set(found.by_key) == set(POINTS)
    for one in found.by_key.values():
        assert set(one.values) <= set(one.point.values)
        assert one.because
        if one.basis is Basis.UNKNOWN:
            assert one.values == tuple(one.point.values)
    assert set(found.answers(Basis.ASSUMED)) <= set(found.answers())


def test_facts_that_are_none_are_invalid() -> None:
    with pytest.raises(Invalid, match="probability: expected a number from 0 to 1"):
        Epss(float("nan"), 0.5)
    with pytest.raises(Invalid, match="percentile"):
        Epss(0.5, 50)
    for key in ("KEV", "XX"):
        with pytest.raises(Invalid, match=f"{key}: no decision point"):
            Flaw("X", points={key: Fact("Y", "somebody")})
    with pytest.raises(Invalid, match="PE: expected one of N"):
        System("s", "S", {"PE": Fact("maybe", "somebody")})


def test_points_read_as_cisa_publishes_them() -> None:
    assert published({"E": "PoC", "A": None}, "CISA", cases.DAY) == {
        "E": Fact("P", "CISA", cases.DAY)
    }
    with pytest.raises(Invalid, match="E: expected one of none, poc"):
        published({"E": "often"}, "CISA", None)
    with pytest.raises(Invalid, match="PE: expected one of E, A, TI"):
        published({"PE": "yes"}, "CISA", None)
