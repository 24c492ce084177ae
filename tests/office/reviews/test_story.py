"""A review from its draft to its end, by its actions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import (
    agreeing,
    choosing,
    lending,
    submitting,
    windows,
)
from clearhouse.office.reviews.models import Review, ThirdParty
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import Part
from clearhouse.protocol.terms import Subject
from tests.office.reviews import made
from tests.office.reviews.made import DAY, MODEL, Cast, at, government, third

pytestmark = pytest.mark.django_db


@pytest.fixture
def who() -> Cast:
    return made.cast()


def test_the_whole_way_leaves_its_entries_and_nothing_sealed_in_them(who: Cast) -> None:
    name = made.opened(who)
    party = made.joined(who, name, now=at(1))
    loan = made.lent(who, name, now=at(2))
    theirs = made.lent(who, name, party, now=at(2))
    windows.tick(at(20))
    assert made.state(name) == "returning"
    with pytest.raises(Refused, match="2 of the things"):
        lending.finish(who.office, name, now=at(21))
    for viewer, one in ((who.office, loan), (who.partner, theirs)):
        lending.give_back(viewer, name, one, now=at(21))
        lending.attest(viewer, name, one, "Deleted from disk and backup.", now=at(22))
    lending.finish(who.developer, name, now=at(22))
    assert made.state(name) == "finished"
    assert list(contradictions()) == []
    entries = entries_about(SYSTEM, name)
    kinds = [one.kind for one in entries]
    for kind in ("submitted", "terms-agreed", "opened", "window-ended", "attested", "finished"):
        assert f"review.{kind}" in kinds
    said = " ".join(str(dict(one.facts)) for one in entries)
    for sealed in (MODEL, "A system card", "Lab", "Clinic", "ada@lab"):
        assert sealed not in said


def test_a_draft_is_the_developers_own(who: Cast) -> None:
    draft = submitting.draft(who.developer, made.SUBMISSION, now=at(0))
    assert queries.reviews_of(who.office) == []
    with pytest.raises(NotFound):
        queries.view(who.office, draft.name, now=at(0))
    assert [one.title for one in queries.reviews_of(who.developer)] == [MODEL]


def test_nobody_but_a_developer_begins_one(who: Cast) -> None:
    for viewer in (who.office, who.partner, who.assessor):
        with pytest.raises(NotFound):
            submitting.draft(viewer, made.SUBMISSION, now=at(0))


def test_a_changed_text_is_agreed_on_anew(who: Cast) -> None:
    name = made.submitted(who)
    old = made.digest(name)
    agreeing.agree_to_terms(who.office, name, old, now=at(0))
    assert made.state(name) == "agreed"
    agreeing.change_text(who.office, name, Subject.DATA_RETENTION, "At once.", now=at(1))
    assert made.state(name) == "submitted"
    with pytest.raises(Refused, match="changed since you read them"):
        agreeing.agree_to_terms(who.developer, name, old, now=at(1))
    agreeing.agree_to_terms(who.developer, name, made.digest(name), now=at(1))
    assert made.state(name) == "agreed"


def test_the_terms_stand_while_the_window_runs(who: Cast) -> None:
    name = made.opened(who)
    for viewer in (who.developer, who.office):
        with pytest.raises(Refused):
            agreeing.change_text(viewer, name, Subject.CONFIDENTIALITY, "None.", now=at(1))


def test_no_window_starts_without_the_agreement_of_both_to_terms_and_length(who: Cast) -> None:
    name = made.submitted(who)
    with pytest.raises(Refused):
        windows.start_window(who.developer, name, now=at(0))
    agreeing.agree_to_terms(who.office, name, made.digest(name), now=at(0))
    windows.propose_window(who.developer, name, 30, now=at(0))
    with pytest.raises(Refused):
        windows.start_window(who.developer, name, now=at(0))
    with pytest.raises(Refused, match="other side"):
        windows.agree_window(who.developer, name, now=at(0))
    windows.agree_window(who.office, name, now=at(0))
    with pytest.raises(NotFound):
        windows.start_window(who.office, name, now=at(0))
    windows.start_window(who.developer, name, now=at(0))
    assert government(name, at(0))


def test_a_window_ends_by_itself_before_anybody_notes_it(who: Cast) -> None:
    name = made.opened(who)
    assert government(name, at(20) - timedelta(microseconds=1))
    assert not government(name, at(20))
    assert made.state(name) == "open"
    seen = queries.view(who.developer, name, now=at(20))
    assert seen.clock is not None
    assert seen.clock.is_over
    windows.tick(at(20))
    windows.tick(at(21))
    assert made.state(name) == "returning"
    ended = [one for one in entries_about(SYSTEM, name) if one.kind == "review.window-ended"]
    assert len(ended) == 1


def test_it_is_paused_resumed_shortened_and_never_extended(who: Cast) -> None:
    name = made.opened(who)
    windows.pause_window(who.developer, name, now=at(1))
    assert not government(name, at(1))
    with pytest.raises(Refused, match="the other side has paused"):
        windows.resume_window(who.office, name, now=at(2))
    windows.resume_window(who.developer, name, now=at(2))
    assert government(name, at(2))
    windows.shorten_window(who.office, name, at(5), now=at(2))
    for viewer in (who.developer, who.office):
        with pytest.raises(Refused, match="never longer"):
            windows.shorten_window(viewer, name, at(9), now=at(3))
        with pytest.raises(Refused):
            windows.propose_window(viewer, name, 30, now=at(3))
    assert not government(name, at(5))


def test_a_second_window_on_the_same_model_counts_from_the_first(who: Cast) -> None:
    made.opened(who)
    again = made.opened(who, now=at(15))
    review = Review.objects.get(name=again)
    assert review.ends_at == at(30)
    late = made.agreed(who, now=at(31))
    with pytest.raises(Refused, match="30 days are over"):
        windows.start_window(who.developer, late, now=at(31))


def test_a_partner_is_chosen_by_both_joins_and_comes_second(who: Cast) -> None:
    name = made.agreed(who)
    row = choosing.propose_party(
        who.developer, name, "clinic-net", Part.PARTNER, size=Size.LARGE, reason="fits",
        conflicts="", now=at(0),
    )  # fmt: skip
    with pytest.raises(NotFound):  # it does not learn of it
        queries.view(who.partner, name, now=at(0))
    choosing.agree_to_party(who.office, name, row.name, "fits", now=at(0))
    asked = queries.view(who.partner, name, now=at(0))
    assert asked.title == "Asked to join a review"
    assert asked.clock is None
    choosing.join(who.partner, name, made.digest(name), "", now=at(0))
    assert not third(name, row.name, at(0))
    windows.start_window(who.developer, name, now=at(1))
    assert not third(name, row.name, at(1))
    assert third(name, row.name, at(1) + timedelta(seconds=1))
    assert not third(name, row.name, at(21))


@pytest.mark.parametrize("by", ["developer", "office"])
def test_either_side_ends_a_partners_access_at_once(who: Cast, by: str) -> None:
    name = made.opened(who)
    party = made.joined(who, name)
    assert third(name, party, at(1))
    choosing.revoke_party(getattr(who, by), name, party, now=at(1))
    assert not third(name, party, at(1))
    with pytest.raises(NotFound):
        queries.view(who.partner, name, now=at(1))


def test_a_conflict_puts_a_partner_out_until_both_agree_again(who: Cast) -> None:
    name = made.opened(who)
    party = made.joined(who, name)
    choosing.declare_conflict(who.partner, name, "We own shares of the lab.", now=at(1))
    assert not third(name, party, at(1))
    for viewer in (who.developer, who.office):
        choosing.agree_to_party(viewer, name, party, "known, and small", now=at(2))
    choosing.join(
        who.partner, name, made.digest(name), "We own shares of the lab.", now=at(3)
    )  # fmt: skip
    assert third(name, party, at(3))


def test_criteria_published_after_the_submission_choose_nobody(who: Cast) -> None:
    name = made.submitted(who, now=at(0))
    choosing.publish_criteria(who.office, "Whoever we like.", now=at(1))
    party = made.chosen(who, name, now=at(2))
    assert ThirdParty.objects.get(name=party).criteria.version == 1


def test_who_is_no_partner_here_is_not_told_apart_from_who_is_nobody(who: Cast) -> None:
    name = made.submitted(who)
    said = set()
    for slug in ("measurers", "nobody-at-all"):
        with pytest.raises(Invalid) as told:
            made.chosen(who, name, slug)
        said.add(str(told.value))
    assert len(said) == 1


def test_a_declined_review_says_why(who: Cast) -> None:
    name = made.submitted(who)
    submitting.decline(who.office, name, "No reviewers until May.", now=at(1))
    seen = queries.view(who.developer, name, now=at(1))
    assert (seen.review.state, seen.review.closed_because) == (
        "declined", "No reviewers until May.",
    )  # fmt: skip


def test_what_is_handed_in_is_not_edited(who: Cast) -> None:
    name = made.submitted(who)
    with pytest.raises(Refused):
        submitting.edit(who.developer, name, made.SUBMISSION)
    assert at(0) + DAY == at(1)
