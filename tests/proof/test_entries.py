"""Statuses over releases, the ranges drawn over them, and an advisory held against them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.formats.osv import Affected, Bound, Event
from clearhouse.formats.osv_reading import affected_of
from clearhouse.proof.comparison import compare
from clearhouse.proof.entries import (
    Entry,
    Interval,
    Listed,
    Ran,
    entries_of,
    intervals_of,
    stretches_of,
    unknown_of,
)
from clearhouse.proof.history import History, Subject, history_of
from clearhouse.proof.search import Lines, Standing
from clearhouse.proof.standing import Finding, Status
from clearhouse.versions import pypi

LETTERS = {
    "A": Status.AFFECTED,
    "C": Status.CLEAN,
    "R": Status.REFUSED,
    "U": Status.UNRUNNABLE,
    "I": Status.INCONCLUSIVE,
}
STATUSES = st.sampled_from(list(Status))


def listed(count: int, odd: Sequence[int] = ()) -> list[Listed]:
    return [
        Listed(f"1.0-x{n}" if n in odd else f"{n + 1}.0", None, yanked=False, ordered=n not in odd)
        for n in range(count)
    ]


def ran(status: Status) -> Ran:
    return Ran(Finding(status, f"because {status.value}", 2), 2, 5, "sample")


def entries(text: str) -> tuple[Entry, ...]:
    """Releases 1.0, 2.0, ... from letters: capitals were run, ``.`` was not, ``(A)`` is odd."""
    statuses: dict[int, Ran] = {}
    odd: list[int] = []
    place = 0
    inside = False
    for letter in text:
        if letter in "()":
            inside = letter == "("
            continue
        if inside:
            odd.append(place)
        if letter != ".":
            statuses[place] = ran(LETTERS[letter])
        place += 1
    lines: Lines = tuple(None if n in odd else 0 for n in range(place))
    return entries_of(listed(place, odd), lines, statuses)


def ranges(text: str) -> list[str]:
    return [str(one) for one in intervals_of(entries(text))]


def test_a_range_begins_where_shown_affected_and_ends_where_shown_clean() -> None:
    assert ranges("CAAC") == ["2.0 until before 4.0"]
    assert ranges("A.AR") == ["1.0 until before 4.0"]


def test_several_ranges() -> None:
    assert ranges("ACAAC") == ["1.0 until before 2.0", "3.0 until before 5.0"]


def test_without_a_release_shown_clean_after_it_a_range_ends_with_the_last_affected() -> None:
    assert ranges("CA.A") == ["2.0 up to and including 4.0"]
    assert ranges("CAAUU") == ["2.0 up to and including 3.0"]


def test_undecided_ones_begin_and_end_nothing() -> None:
    assert ranges("UUAUUAIIC") == ["3.0 until before 9.0"]
    assert ranges("CUAUC") == ["3.0 until before 5.0"]
    assert ranges("UIU") == []


def test_what_is_outside_the_grammar_draws_no_range() -> None:
    assert ranges("C(A)A(C)AC") == ["3.0 until before 6.0"]
    assert ranges("C(A)C") == []


def test_undecided_ones_are_listed_with_where_the_events_put_them() -> None:
    found = entries("UAUIAUCU(A)")
    unknown = [(one.version, one.inside) for one in unknown_of(found, intervals_of(found))]
    assert unknown == [
        ("1.0", False), ("3.0", True), ("4.0", True), ("6.0", True), ("8.0", False),
        ("1.0-x8", False),
    ]  # fmt: skip


def test_undecided_ones_after_the_last_affected_are_outside() -> None:
    found = entries("AUU")
    assert [one.inside for one in unknown_of(found, intervals_of(found))] == [False, False]


def test_a_release_between_two_that_stand_alike_is_inferred_and_says_so() -> None:
    inferred = entries("A.A")[1]
    assert (inferred.status, inferred.run) == (Status.AFFECTED, False)
    assert inferred.why == "between 1.0 and 3.0, both affected; not run"
    assert (inferred.runs, inferred.hits) == (0, 0)


def test_between_clean_and_refused_is_the_weaker_one() -> None:
    inferred = entries("C.R")[1]
    assert inferred.status is Status.REFUSED
    assert inferred.why == "between 1.0 (clean) and 3.0 (refused); not run"


def test_between_different_ones_nothing_is_inferred() -> None:
    for text in ("A.C", "A.U", "U.C", "U.I"):
        assert entries(text)[1].status is Status.INCONCLUSIVE


def test_beyond_what_was_run_nothing_is_inferred() -> None:
    assert [e.status for e in entries(".A.")] == [
        Status.INCONCLUSIVE, Status.AFFECTED, Status.INCONCLUSIVE,
    ]  # fmt: skip


def test_stretches_put_neighbours_together() -> None:
    found = stretches_of(entries("A.AC(C)CC"))
    assert [(one.span, one.run, one.status) for one in found] == [
        ("1.0 to 3.0", 2, Status.AFFECTED),
        ("4.0", 1, Status.CLEAN),
        ("1.0-x4", 1, Status.CLEAN),
        ("6.0 to 7.0", 2, Status.CLEAN),
    ]


def test_a_difference_is_told_by_a_run_not_by_an_inference() -> None:
    found = compare(entries("A.A..C"), Affected((), ("1.0",), "ADV-1"), pypi.sort_key)
    (difference,) = found.differences
    assert difference.versions == ("2.0", "3.0")
    assert difference.run == ("3.0",)
    assert difference.evidence == "on 3.0, because affected"
    assert str(difference) == (
        "2.0 to 3.0 (2 releases, 1 of them run): declared not affected, executed affected:"
        " on 3.0, because affected"
    )


def test_every_kind_of_disagreement_is_named() -> None:
    advisory = Affected(((Event(Bound.INTRODUCED, "2.0"), Event(Bound.FIXED, "5.0")),), ())
    found = compare(entries("ACAUCAU"), advisory, pypi.sort_key)
    assert [(d.span, d.declared, d.executed) for d in found.differences] == [
        ("1.0", "not affected", "affected"),
        ("2.0", "affected", "clean"),
        ("6.0", "not affected", "affected"),
    ]
    assert [(d.span, d.declared, d.executed) for d in found.undecided] == [
        ("4.0", "affected", "unrunnable"),
        ("7.0", "not affected", "unrunnable"),
    ]
    assert found.agreed == 2
    assert found.declared == "introduced 2.0, fixed 5.0"


def test_what_is_outside_the_grammar_is_declared_by_name_only() -> None:
    everything = ((Event(Bound.INTRODUCED, "0"),),)
    by_range = compare(entries("A(A)A"), Affected(everything, ()), pypi.sort_key)
    assert [one.versions for one in by_range.differences] == [("1.0-x1",)]
    by_name = compare(entries("A(A)A"), Affected(everything, ("1.0-x1",)), pypi.sort_key)
    assert (by_name.differences, by_name.agreed) == ((), 3)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Any statuses in any order, those not run only where a search would leave them."""
    statuses = draw(st.lists(STATUSES, min_size=1, max_size=30))
    odd = draw(st.sets(st.integers(0, 29), max_size=4))
    lines: Lines = tuple(None if n in odd else 0 for n in range(len(statuses)))
    known: Mapping[int, Ran] = {n: ran(status) for n, status in enumerate(statuses)}
    return entries_of(listed(len(statuses), sorted(odd)), lines, known)


def history(found: Sequence[Entry], lines: Lines | None = None) -> History:
    return history_of(
        Subject("ID", "T", "sha256:0", "hang", "pypi", "pkg:pypi/demo", "demo", "2.0", None),
        [Listed(e.version, e.uploaded, e.yanked, e.ordered) for e in found],
        lines or tuple(0 if e.ordered else None for e in found),
        {n: ran(e.status) for n, e in enumerate(found) if e.run},
        every=2,
        verdict={},
        environment={"runtime": "Python 3.11.2"},
    )


def affected_by(document: dict[str, Any], version: str) -> bool:
    """What a consumer of the written OSV entry would say, ranges alone."""
    if document["osv"] is None:
        return False
    raw = json.loads(json.dumps({"id": "X", "affected": [document["osv"]]}))
    read = affected_of(raw, kind="pypi", name="demo", same_name=str, where="x")
    return read.spans(version, pypi.sort_key)


@given(histories())
def test_the_written_ranges_say_of_every_decided_version_what_the_runs_said(
    found: tuple[Entry, ...],
) -> None:
    document = history(found).as_json()
    unknown = {one["version"]: one["inside_a_range"] for one in document["unknown"]}
    for entry in found:
        if not entry.ordered:
            assert unknown[entry.version] is False
            continue
        spanned = affected_by(document, entry.version)
        if entry.status.standing is Standing.UNDECIDED:
            assert unknown[entry.version] is spanned
        else:
            assert spanned is (entry.status is Status.AFFECTED)
            assert entry.version not in unknown


@given(histories())
def test_a_history_compared_with_its_own_ranges_agrees(found: tuple[Entry, ...]) -> None:
    whole = history(found)
    named = tuple(e.version for e in found if not e.ordered and e.status is Status.AFFECTED)
    own = Affected(tuple(one.events for one in whole.intervals), named)
    compared = compare(found, own, pypi.sort_key)
    assert compared.differences == ()
    decided = [e for e in found if e.status.standing is not Standing.UNDECIDED]
    assert compared.agreed == len(decided)


@given(histories(), st.lists(st.sampled_from([f"{n}.0" for n in range(1, 31)]), max_size=10))
def test_a_comparison_speaks_of_every_release_once(
    found: tuple[Entry, ...], names: list[str]
) -> None:
    compared = compare(found, Affected((), tuple(names)), pypi.sort_key)
    told = [v for one in (*compared.differences, *compared.undecided) for v in one.versions]
    assert len(told) == len(set(told))
    assert compared.agreed + len(told) == len(found)


def test_the_document_has_what_the_interface_names() -> None:
    document = history(entries("A.AUC")).as_json()
    assert document["package"] == "pkg:pypi/demo"
    assert document["ranges"] == [{"introduced": "1.0", "fixed": "5.0"}]
    assert document["runs"] == 20
    assert document["versions_run"] == 4
    assert [(one["version"], one["status"], one["run"]) for one in document["versions"]] == [
        ("1.0", "affected", True), ("2.0", "affected", False), ("3.0", "affected", True),
        ("4.0", "unrunnable", True), ("5.0", "clean", True),
    ]  # fmt: skip
    assert document["unknown"] == [
        {"version": "4.0", "status": "unrunnable", "inside_a_range": True}
    ]
    assert document["not_affected_means"].startswith("Not affected means: by this bundle's inputs")
    assert document["osv"]["ranges"] == [
        {"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "5.0"}]}
    ]
    assert document["osv"]["versions"] == ["1.0", "2.0", "3.0"]
    assert json.loads(json.dumps(document)) == document


def test_the_digest_covers_the_comparison() -> None:
    plain = history(entries("AC"))
    compared = plain.compared_with(compare(plain.entries, Affected((), ()), pypi.sort_key))
    assert plain.as_json()["digest"] != compared.as_json()["digest"]
    assert plain.as_json()["digest"] == history(entries("AC")).as_json()["digest"]


def test_the_risk_is_told_in_numbers() -> None:
    assert history(entries("ACC")).risk == "Every release was run."
    assert history(entries("A.A.AC")).risk == (
        "Releases that differ from those around them would be missed: a single release at 2 of 6"
        " places, 2 neighbours or more nowhere."
    )


def test_an_interval_has_exactly_one_end() -> None:
    assert Interval("1", fixed="2").as_json() == {"introduced": "1", "fixed": "2"}
    assert Interval("1", last_affected="2").as_json() == {"introduced": "1", "last_affected": "2"}
