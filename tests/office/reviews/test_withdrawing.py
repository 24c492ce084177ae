"""The developer withdraws at any moment, and nothing is left that others could hold against it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clearhouse.errors import NotFound
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import lending, submitting, windows
from tests.office.reviews import made
from tests.office.reviews.made import SUBMISSION, Cast, at, government, third

pytestmark = pytest.mark.django_db


@pytest.fixture
def who() -> Cast:
    return made.cast()


def _drafted(who: Cast) -> str:
    return submitting.draft(who.developer, SUBMISSION, now=at(0)).name


def _paused(who: Cast) -> str:
    name = made.opened(who)
    windows.pause_window(who.office, name, now=at(1))
    return name


def _returning(who: Cast) -> str:
    name = made.opened(who)
    made.lent(who, name)
    windows.end_window(who.office, name, now=at(1))
    return name


def _finished(who: Cast) -> str:
    name = made.opened(who)
    windows.end_window(who.developer, name, now=at(1))
    lending.finish(who.office, name, now=at(1))
    return name


def _declined(who: Cast) -> str:
    name = made.submitted(who)
    submitting.decline(who.office, name, "Too much to do.", now=at(1))
    return name


POINTS: dict[str, Callable[[Cast], str]] = {
    "drafted": _drafted,
    "submitted": made.submitted,
    "agreed": made.agreed,
    "open": made.opened,
    "paused": _paused,
    "returning": _returning,
    "finished": _finished,
    "declined": _declined,
}


@pytest.mark.parametrize("point", POINTS)
def test_from_everywhere_at_once_and_out_of_everybodys_sight(who: Cast, point: str) -> None:
    name = POINTS[point](who)
    figures = queries.published_figures(now=at(400))
    exact = queries.exact_figures(who.office)
    submitting.withdraw(who.developer, name, now=at(2))
    submitting.withdraw(who.developer, name, now=at(2))  # twice is once
    assert made.state(name) == "withdrawn"
    assert not government(name, at(2))
    assert queries.published_figures(now=at(400)) == figures
    assert queries.exact_figures(who.office) == exact
    assert entries_about(who.office, name) == []
    assert list(contradictions()) == []
    assert [one.name for one in queries.reviews_of(who.developer)] == [name]
    if point != "returning":
        assert queries.reviews_of(who.office) == []
        with pytest.raises(NotFound):
            queries.view(who.office, name, now=at(2))


def test_a_running_window_is_cut_for_everybody(who: Cast) -> None:
    name = made.opened(who)
    party = made.joined(who, name)
    assert government(name, at(1))
    assert third(name, party, at(1))
    submitting.withdraw(who.developer, name, now=at(1))
    assert not government(name, at(1))
    assert not third(name, party, at(1))
    with pytest.raises(NotFound):
        queries.view(who.partner, name, now=at(1))


def test_who_still_holds_something_sees_that_alone_until_it_is_back(who: Cast) -> None:
    name = made.opened(who)
    party = made.joined(who, name)
    loans = [made.lent(who, name), made.lent(who, name, party)]
    submitting.withdraw(who.developer, name, now=at(1))
    for viewer, loan in zip((who.office, who.partner), loans, strict=True):
        seen = queries.view(viewer, name, now=at(2))
        assert seen.title == "Something to give back"
        assert [one.name for one in seen.loans] == [loan]
        assert (seen.clock, seen.bound, seen.parties, seen.lines) == (None, None, None, None)
        assert queries.reviews_of(viewer)[0].title == "A review"
        lending.give_back(viewer, name, loan, now=at(2))
        lending.attest(viewer, name, loan, "Shredded.", now=at(2))
        with pytest.raises(NotFound):
            queries.view(viewer, name, now=at(2))
    mine = queries.view(who.developer, name, now=at(3))
    assert {one.state for one in mine.loans} == {"attested"}


def test_nobody_else_withdraws_it(who: Cast) -> None:
    name = made.opened(who)
    made.joined(who, name)
    for viewer in (who.office, who.partner, who.assessor, who.stranger):
        with pytest.raises(NotFound):
            submitting.withdraw(viewer, name, now=at(1))
    assert government(name, at(1))


def test_what_ends_before_it_is_over_is_counted_nowhere(who: Cast) -> None:
    for _ in range(8):
        submitting.withdraw(who.developer, made.opened(who, now=at(1)), now=at(2))
    assert queries.published_figures(now=at(400)).count == 0
    assert queries.exact_figures(who.office).review_sectors == ()


def test_reviews_that_are_over_are_counted_in_their_block(who: Cast) -> None:
    for _ in range(5):
        _finished(who)
    (block,) = queries.published_figures(now=at(400)).reviews
    assert (block.count, block.days) == (5, 1)
    assert [(one.group, one.asked, one.got) for one in block.sectors] == [("software", 5, 5)]
    assert queries.published_figures(now=at(2)).reviews == ()
