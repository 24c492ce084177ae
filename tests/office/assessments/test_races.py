"""Two that do something to an assessment at once: one of them is told why it may not."""

from __future__ import annotations

import pytest

from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.reviews.actions import submitting
from tests.office.assessments import made
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.reviews.made import at, cast, opened

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]


def sound() -> bool:
    return list(contradictions()) == []


def test_of_two_who_begin_at_once_the_second_is_refused() -> None:
    who = cast()
    review, plan = opened(who), made.committed(who.office)

    def begin() -> Assessment:
        return measuring.begin(who.office, review, plan.name, "Halcyon-9", now=at(1))

    with overtaken_by(begin) as start:
        begin()
        second = start()
    assert isinstance(second.error, Refused)
    assert Assessment.objects.count() == 1
    assert sound()


def test_of_two_reviews_that_begin_at_once_each_has_a_slot() -> None:
    who = cast()
    reviews, plan = [opened(who), opened(who)], made.committed(who.office)
    with overtaken_by(
        lambda: measuring.begin(who.office, reviews[1], plan.name, "Halcyon-9", now=at(1))
    ) as start:
        measuring.begin(who.office, reviews[0], plan.name, "Halcyon-9", now=at(1))
        second = start()
    assert second.error is None
    assert sorted(Assessment.objects.values_list("slot", flat=True)) == [0, 1]
    assert sound()


def test_the_same_plan_committed_by_two_at_once_is_one() -> None:
    who = cast()
    made.committed(who.office)  # the documents are kept already: nothing waits but the plan's row
    CommittedPlan.objects.all().delete()
    with overtaken_by(lambda: made.committed(who.office, now=at(0))) as start:
        made.committed(who.office, now=at(0))
        second = start()
    assert second.error is None
    assert CommittedPlan.objects.count() == 1


def test_two_workers_that_report_the_same_attempts_report_them_once() -> None:
    who = cast()
    found = made.begun(who)
    some = made.reports(made.outcomes())[:5]

    def report() -> None:
        measuring.report_attempts(who.office, found.name, some, now=at(2))

    with overtaken_by(report) as start:
        report()
        second = start()
    assert second.error is None
    assert found.attempts.count() == 5


def test_two_workers_that_report_different_outcomes_conflict() -> None:
    who = cast()
    found = made.begun(who)
    [first] = made.reports(made.outcomes(ends=made.weak)[:1])
    told = first.outcome
    other = made.reports((Outcome(told.item, Ending.REFUSED, told.verdict),))
    with overtaken_by(
        lambda: measuring.report_attempts(who.office, found.name, other, now=at(2))
    ) as start:
        measuring.report_attempts(who.office, found.name, [first], now=at(2))
        second = start()
    assert isinstance(second.error, Conflict)


def test_what_is_handed_in_while_it_is_given_up_stands_or_was_given_up_before() -> None:
    who = cast()
    found = made.begun(who)
    raw = made.evidence(found.name).as_zip()
    with overtaken_by(
        lambda: measuring.abandon(who.office, found.name, "Enough.", now=at(3))
    ) as start:
        measuring.hand_in(who.office, found.name, raw, now=at(3))
        second = start()
    assert isinstance(second.error, Refused)
    assert Assessment.objects.get().state == "assessed"
    assert sound()


def test_nothing_is_reported_nor_handed_in_behind_a_withdrawal() -> None:
    who = cast()
    found = made.begun(who)
    raw = made.evidence(found.name).as_zip()
    with overtaken_by(lambda: measuring.hand_in(who.office, found.name, raw, now=at(3))) as start:
        submitting.withdraw(who.developer, found.review.name, now=at(3))
        second = start()
    assert isinstance(second.error, NotFound)
    assert Assessment.objects.get().state == "running"
    assert sound()


def test_an_answer_that_waits_for_the_determination_is_still_heard() -> None:
    who = cast()
    found = made.assessed(who)
    with overtaken_by(
        lambda: deciding.reply(who.developer, found.name, "We differ.", now=at(9))
    ) as start:
        deciding.determine(who.office, found.name, now=at(9))
        second = start()
    assert second.error is None
    assert Assessment.objects.get().reply == "We differ."
    assert sound()
