"""The search over releases: what few runs must find, whatever the truth is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.search import (
    BESIDE,
    RUNS,
    RUNS_AT_BOUNDARY,
    Dated,
    Lines,
    Seen,
    Standing,
    Want,
    between_which,
    every_for,
    lines_of,
    unseen,
    wanted,
)

A, N, U = Standing.AFFECTED, Standing.UNAFFECTED, Standing.UNDECIDED
LETTERS = {"A": A, "N": N, "U": U}


def truth_of(text: str) -> list[Standing]:
    return [LETTERS[letter] for letter in text]


def search(
    truth: Sequence[Standing],
    *,
    lines: Lines | None = None,
    anchors: Sequence[int] = (),
    every: int = 2,
    hasty: bool = False,
) -> dict[int, Seen]:
    """Run the search to its end against a truth; ``hasty`` asks anew after each single run."""
    division = lines if lines is not None else tuple(0 for _ in truth)
    seen: dict[int, Seen] = {}
    for _ in range(20 * len(truth) + 20):
        wants = wanted(division, seen, anchors=anchors, every=every)
        for want in wants[:1] if hasty else wants:
            earlier = seen.get(want.place)
            assert earlier is None or earlier.runs < want.runs, "asked for again without need"
            seen[want.place] = Seen(truth[want.place], want.runs)
        if not wants:
            return seen
    raise AssertionError("the search does not end")


def concluded(truth: Sequence[Standing], seen: dict[int, Seen], lines: Lines) -> list[Standing]:
    """What the runs and the inference between them say of every release."""
    between = between_which(lines, seen)
    found = []
    for place in range(len(truth)):
        if place in seen:
            found.append(seen[place].standing)
        else:
            low, high = between[place]
            assert seen[low].standing is seen[high].standing
            found.append(seen[low].standing)
    return found


@st.composite
def truths(draw: st.DrawFn, shortest: int = 1) -> list[Standing]:
    """Releases in stretches of at least ``shortest`` that stand alike."""
    lengths = draw(st.lists(st.integers(shortest, shortest + 12), min_size=1, max_size=8))
    found: list[Standing] = []
    for length in lengths:
        others = [one for one in Standing if not found or one is not found[-1]]
        found += [draw(st.sampled_from(others))] * length
    return found


@st.composite
def divided(draw: st.DrawFn) -> tuple[list[Standing], Lines]:
    """Any truth at all, over several lines, with releases outside the grammar among them."""
    truth = draw(st.lists(st.sampled_from(Standing), min_size=1, max_size=60))
    steps = draw(st.lists(st.integers(0, 9), min_size=len(truth), max_size=len(truth)))
    lines: list[int | None] = []
    line = 0
    for step in steps:
        line += step == 0
        lines.append(None if step == 1 else line)
    return truth, tuple(lines)


@given(st.integers(2, 6), st.data())
def test_stretches_of_every_or_more_are_all_found(every: int, data: st.DataObject) -> None:
    truth = data.draw(truths(shortest=every))
    lines: Lines = tuple(0 for _ in truth)
    for hasty in (False, True):
        seen = search(truth, every=every, hasty=hasty)
        assert concluded(truth, seen, lines) == truth


@given(divided(), st.integers(1, 9), st.booleans())
def test_it_ends_and_leaves_only_what_lies_between_alike(
    case: tuple[list[Standing], Lines], every: int, hasty: bool
) -> None:
    truth, lines = case
    seen = search(truth, lines=lines, every=every, hasty=hasty)
    between = between_which(lines, seen)
    for place, line in enumerate(lines):
        if line is None:
            assert place in seen, "one outside the grammar has no neighbours to be inferred from"
            assert place not in between
        elif place not in seen:
            low, high = between[place]
            assert seen[low].standing is seen[high].standing
            assert all(p not in seen for p in range(low + 1, high) if lines[p] is not None)
    free = [place not in seen for place, line in enumerate(lines) if line is not None]
    longest = max((len(list(run)) for alone, run in groupby(free) if alone), default=0)
    assert longest < every


@given(divided(), st.integers(2, 9))
def test_what_could_run_between_different_ones_was_run(
    case: tuple[list[Standing], Lines], every: int
) -> None:
    truth, lines = case
    seen = search(truth, lines=lines, every=every)
    ladder = [place for place, line in enumerate(lines) if line is not None]
    decided = [p for p in ladder if p in seen and seen[p].standing is not U]
    for low, high in pairwise(decided):
        if seen[low].standing is seen[high].standing:
            continue
        assert all(p in seen for p in ladder if low < p < high)
        assert seen[low].runs == seen[high].runs == RUNS_AT_BOUNDARY
        for start, step in ((ladder.index(low), -1), (ladder.index(high), 1)):
            near = ladder[start + step] if 0 <= start + step < len(ladder) else None
            assert near is None or near in seen


@given(divided(), st.integers(2, 9))
def test_every_line_is_run_at_both_ends(case: tuple[list[Standing], Lines], every: int) -> None:
    truth, lines = case
    seen = search(truth, lines=lines, every=every)
    for line in {line for line in lines if line is not None}:
        places = [place for place, one in enumerate(lines) if one == line]
        assert places[0] in seen
        assert places[-1] in seen


@given(divided())
def test_every_of_one_runs_everything(case: tuple[list[Standing], Lines]) -> None:
    truth, lines = case
    assert set(search(truth, lines=lines, every=1)) == set(range(len(truth)))


@given(divided(), st.integers(2, 9))
def test_the_outcome_does_not_depend_on_when_it_is_asked_twice(
    case: tuple[list[Standing], Lines], every: int
) -> None:
    truth, lines = case
    assert search(truth, lines=lines, every=every) == search(truth, lines=lines, every=every)


@given(divided(), st.integers(1, 9))
def test_unseen_counts_the_places_where_nobody_looked(
    case: tuple[list[Standing], Lines], every: int
) -> None:
    truth, lines = case
    seen = search(truth, lines=lines, every=every)
    ladder = [place for place, line in enumerate(lines) if line is not None]
    for one in unseen(lines, seen):
        stretches = [ladder[n : n + one.length] for n in range(len(ladder) - one.length + 1)]
        missed = [s for s in stretches if not any(place in seen for place in s)]
        assert (one.of, one.unseen) == (len(stretches), len(missed))
    if ladder:
        assert unseen(lines, seen)[-1].unseen == 0
        assert len(unseen(lines, seen)) <= every


def test_a_fix_that_was_lost_again_is_found() -> None:
    # adm-zip 0.4.0 to 0.4.16: 0.4.8 and 0.4.9 are clean, 0.4.10 is affected again
    truth = truth_of("AAAAAAAA" + "NN" + "A" + "NNNNNN")
    seen = search(truth, anchors=(7, 11), every=9)
    assert concluded(truth, seen, tuple(0 for _ in truth)) == truth


@given(st.integers(8, 80), st.integers(1, BESIDE), st.integers(1, BESIDE), st.data())
def test_an_island_beside_a_boundary_is_found(
    size: int, away: int, length: int, data: st.DataObject
) -> None:
    last = data.draw(st.integers(2, size - 6))
    truth = [A] * last + [N] * away + [A] * length + [N] * size
    seen = search(truth, anchors=(last - 1, last + away + length), every=1000)
    assert concluded(truth, seen, tuple(0 for _ in truth)) == truth


def test_a_backport_on_an_older_line_is_found_without_any_sample() -> None:
    # json5: 1.0.2 has the fix, 2.0.0 until 2.2.1 do not
    truth = [A] * 20 + [N] + [A] * 7 + [N] * 2
    lines: Lines = tuple([0] * 21 + [1] * 9)
    seen = search(truth, lines=lines, anchors=(27, 28), every=1000)
    assert concluded(truth, seen, lines) == truth


def test_bisection_takes_few_runs() -> None:
    truth = [A] * 700 + [N] * 300
    seen = search(truth, every=1000)
    assert concluded(truth, seen, tuple(0 for _ in truth)) == truth
    assert len(seen) <= 2 + 10 + 2 * BESIDE


def test_undecided_ones_in_the_middle_of_a_bisection_are_stepped_around() -> None:
    truth = truth_of("AAAA" + "UUUUU" + "NNNN")
    seen = search(truth, every=1000)
    assert {p for p in seen if seen[p].standing is U} == {4, 5, 6, 7, 8}
    assert (seen[3].runs, seen[9].runs) == (RUNS_AT_BOUNDARY, RUNS_AT_BOUNDARY)


def test_a_boundary_that_varies_between_runs_is_looked_for_again() -> None:
    truth = [A] * 6 + [N] * 6
    seen = search(truth, every=1000)
    seen[5] = Seen(U, RUNS_AT_BOUNDARY)
    asked = wanted(tuple(0 for _ in truth), seen, anchors=(), every=1000)
    assert Want(4, RUNS_AT_BOUNDARY, "side of a boundary") in asked


def test_the_anchors_come_first() -> None:
    asked = wanted((0, 0, 0, 0, 0), {}, anchors=(2, 3), every=2)
    assert [want.place for want in asked[:2]] == [2, 3]
    assert all(want.runs == RUNS for want in asked)


def test_no_releases_need_no_runs() -> None:
    assert wanted((), {}, anchors=(), every=2) == ()
    assert unseen((), {}) == ()


def test_the_number_of_samples_stays_bounded() -> None:
    assert [every_for(n) for n in (0, 1, 36, 64, 65, 100, 448)] == [2, 2, 2, 2, 3, 4, 14]


# --- lines --------------------------------------------------------------------------------------

START = datetime(2020, 1, 1, tzinfo=UTC)


def releases(*listed: tuple[str, int | None], ordered: bool = True) -> list[Dated]:
    return [
        Dated(version, None if day is None else START + timedelta(days=day), ordered)
        for version, day in listed
    ]


def major(version: str) -> str:
    return version.partition(".")[0]


def test_a_line_ends_where_dates_fall_back() -> None:
    found = releases(("2.2.0", 0), ("2.2.28", 900), ("3.0a1", 300), ("3.0.1", 500), ("3.1", 600))
    assert lines_of(found, major) == (0, 0, 1, 1, 1)


def test_releases_of_one_moment_are_one_line() -> None:
    assert lines_of(releases(("1.0", 5), ("1.1", 5), ("1.2", 5)), major) == (0, 0, 0)


def test_an_undated_release_among_dated_ones_stays_in_its_line() -> None:
    assert lines_of(releases(("1.0", 5), ("2.0", None), ("2.1", 6)), major) == (0, 0, 0)


def test_without_any_dates_branches_are_lines() -> None:
    found = releases(("1.0", None), ("1.1", None), ("2.0", None), ("3.0", None), ("3.1", None))
    assert lines_of(found, major) == (0, 0, 1, 2, 2)


def test_what_is_outside_the_grammar_is_on_no_line_and_breaks_none() -> None:
    found = releases(("1.0", 1), ("1.1", 2))
    odd = releases(("trunk", 900), ordered=False)
    assert lines_of([found[0], *odd, found[1]], major) == (0, None, 0)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_dates_ascend_within_each_line_and_fall_back_between_them(days: list[int]) -> None:
    found = releases(*((f"{number}.0", day) for number, day in enumerate(days)))
    lines = lines_of(found, major)
    for place in range(1, len(days)):
        assert (lines[place] == lines[place - 1]) is (days[place] >= days[place - 1])
