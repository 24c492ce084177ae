"""Likeness: bounded, the same both ways, for one package alone, and with its reasons."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.protocol.matching import LEAST, Described, cosine, likeness, suggestions

PACKAGE = "pkg:pypi/ecdsa"
words = st.text(alphabet="abcdef _.", max_size=40)
names = st.frozensets(st.sampled_from(["a.py", "src/a.py", "b.c", "f", "m.f", "ns::f", ""]))
described = st.builds(
    Described,
    package=st.sampled_from([PACKAGE, "pkg:npm/ini", ""]),
    text=words,
    files=names,
    functions=names,
    weaknesses=st.frozensets(st.integers(1, 5)),
    names=st.frozensets(st.sampled_from(["CVE-2026-1111", "CH-1"])),
)


@given(described, described)
def test_likeness_lies_between_nothing_and_all_and_is_the_same_both_ways(
    one: Described, other: Described
) -> None:
    there, back = likeness(one, other), likeness(other, one)
    assert 0.0 <= there.score <= 1.0
    assert there.score == back.score
    assert bool(there.reasons) == (one.package == other.package != "")


@given(described, described)
def test_another_package_or_none_is_never_alike(one: Described, other: Described) -> None:
    if one.package != other.package or not one.package:
        assert likeness(one, other).score == 0.0


@given(described)
def test_who_names_the_flaw_itself_means_it(one: Described) -> None:
    report = replace(one, package=PACKAGE, names=frozenset({"CVE-2026-1111"}))
    known = Described(PACKAGE, "", names=frozenset({"CVE-2026-1111", "GHSA-x"}))
    found = likeness(report, known)
    assert found.score == 1.0
    assert found.reasons == ("the report names CVE-2026-1111",)


def test_a_shared_function_is_worth_a_look_and_shared_words_are_not() -> None:
    text = "signature decoding raises an unexpected error"
    same_words = likeness(Described(PACKAGE, text), Described(PACKAGE, text))
    same_function = likeness(
        Described(PACKAGE, "", functions=frozenset({"der.remove_integer"})),
        Described(PACKAGE, "", functions=frozenset({"remove_integer"})),
    )
    assert same_words.score < LEAST <= same_function.score
    assert "both name the function remove_integer" in same_function.reasons


def test_the_same_file_in_another_folder_is_the_same_file() -> None:
    found = likeness(
        Described(PACKAGE, "", files=frozenset({"src\\ecdsa\\der.py"})),
        Described(PACKAGE, "", files=frozenset({"ecdsa/der.py"})),
    )
    assert "both name the file der.py" in found.reasons


@given(words, words)
def test_the_likeness_of_words_is_symmetric_and_whole_for_the_same(one: str, other: str) -> None:
    assert cosine(one, other) == cosine(other, one)
    assert 0.0 <= cosine(one, other) <= 1.0
    assert cosine(one, one) in (0.0, 1.0) or abs(cosine(one, one) - 1.0) < 1e-9


@given(described, st.lists(st.tuples(st.text("xyz", min_size=1, max_size=4), described)))
def test_suggestions_are_few_worth_a_look_and_the_likeliest_first(
    report: Described, known: list[tuple[str, Described]]
) -> None:
    found = suggestions(report, known)
    scores = [one.score for _, one in found]
    assert len(found) <= 5
    assert all(score >= LEAST for score in scores)
    assert scores == sorted(scores, reverse=True)
