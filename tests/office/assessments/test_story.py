"""From a committed plan to a determination, and everything that does not fit on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.benchmark.evidence import DECISION, Attempts, Evidence, make_evidence
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.ledger.receipt import Outcome as Holds
from clearhouse.ledger.receipt import check_receipt
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.actions import plans as actions
from clearhouse.office.assessments.cross_checks import assessments, committed_plans
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.office.ledgerbook.actions import receipt_for
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.reviews.actions import choosing, submitting, windows
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.assessment import REPLY_PERIOD
from clearhouse.protocol.partners import Part
from tests.benchmark import banks
from tests.office.assessments import made
from tests.office.reviews.made import at, cast, chosen, digest, opened, submitted

pytestmark = pytest.mark.django_db


def sound() -> list[str]:
    """What contradicts the ledger."""
    return [str(one) for check in (committed_plans, assessments) for one in check()]


def test_a_model_is_measured_told_to_its_developer_and_determined() -> None:
    who = cast()
    found = made.begun(who)
    some = made.outcomes(found.slot)
    measuring.report_attempts(who.office, found.name, made.reports(some[:5]), now=at(2))
    seen = queries.view(who.office, found.name)
    assert (seen.attempts, seen.cost.tokens, seen.cost.dollars) == (5, 500, 0.01)
    assert seen.live is not None
    assert seen.live.decision.verdict == "undecided"
    measuring.report_attempts(who.office, found.name, made.reports(some), now=at(2))
    raw = made.evidence(found.name).as_zip()
    done = measuring.hand_in(who.office, found.name, raw, now=at(3))
    assert (done.state, done.verdict) == ("assessed", "covered")
    deciding.reply(who.developer, found.name, "As we expected.", now=at(3.5))
    deciding.determine(who.office, found.name, now=at(3.5))
    seen = queries.view(who.developer, found.name)
    assert (seen.row.state, seen.row.reply) == ("determined", "As we expected.")
    assert sound() == []


def test_the_plan_is_in_the_ledger_before_the_first_attempt_and_everybody_has_its_receipt() -> None:
    who = cast()
    found = made.begun(who)
    [commitment] = entries_of(SYSTEM, ("assessment.plan-committed",))
    [begun] = entries_of(SYSTEM, ("review.assessment-begun",))
    assert commitment.index < begun.index
    assert commitment.facts["plan"] == begun.facts["plan"] == banks.plan().digest
    assert found.plan.entry == commitment.index


@pytest.mark.django_db(transaction=True)
def test_a_stranger_checks_the_receipt_of_a_plan() -> None:
    who = cast()
    plan = made.committed(who.office)
    receipt = receipt_for(who.stranger, plan.entry, now=at(0))
    checks = check_receipt(bytes(receipt), trusted_key=None, checkpoint=None)
    assert all(one.outcome is not Holds.FAILS for one in checks)


def test_the_developer_sees_how_far_it_is_and_no_item() -> None:
    who = cast()
    found = made.assessed(who)
    seen = queries.view(who.developer, found.name)
    assert seen.live is None
    assert seen.attempts == len(made.outcomes())
    page = queries.page_for(who.developer, found.name)
    assert "item-0" not in page
    assert "item-0" in queries.page_for(who.office, found.name)
    with pytest.raises(NotFound):
        queries.evidence_for(who.developer, found.name)


@pytest.mark.parametrize("whom", ["partner", "stranger", "assessor"])
def test_for_who_takes_no_part_there_is_no_assessment(whom: str) -> None:
    who = cast()
    found = made.begun(who)
    with pytest.raises(NotFound, match="there is no such assessment here"):
        queries.view(getattr(who, whom), found.name)
    with pytest.raises(NotFound):
        measuring.report_attempts(getattr(who, whom), found.name, [], now=at(2))


def test_an_assessor_that_joined_measures_as_the_office_does() -> None:
    who = cast()
    review = opened(who)
    chosen(who, review, "measurers", Part.ASSESSOR)
    choosing.join(who.assessor, review, digest(review), "", now=at(0.5))
    found = made.begun(who, review, by=who.assessor)
    some = made.reports(made.outcomes())
    measuring.report_attempts(who.assessor, found.name, some, now=at(2))
    raw = made.evidence(found.name).as_zip()
    measuring.hand_in(who.assessor, found.name, raw, now=at(3))
    with pytest.raises(NotFound):
        deciding.determine(who.assessor, found.name, now=at(20))


def test_nothing_begins_without_access() -> None:
    who = cast()
    plan = made.committed(who.office)
    waiting = submitted(who)
    with pytest.raises(Refused, match="no access"):
        measuring.begin(who.office, waiting, plan.name, "Halcyon-9", now=at(1))
    review = opened(who)
    windows.pause_window(who.developer, review, now=at(1))
    with pytest.raises(Refused, match="no access"):
        measuring.begin(who.office, review, plan.name, "Halcyon-9", now=at(1))


def test_one_assessment_runs_at_a_time_and_each_has_a_slot_of_its_own() -> None:
    who = cast()
    first = made.begun(who)
    with pytest.raises(Refused, match="runs already"):
        measuring.begin(who.office, first.review.name, first.plan.name, "again", now=at(1))
    measuring.abandon(who.office, first.name, "The endpoint was away.", now=at(1))
    second = measuring.begin(who.office, first.review.name, first.plan.name, "again", now=at(1))
    assert (first.slot, second.slot) == (0, 1)
    assert queries.view(who.developer, second.name).before == 1
    assert sound() == []


def test_a_plan_has_as_many_assessments_as_slots() -> None:
    who = cast()
    plan = made.committed(who.office)
    review = opened(who)
    for _ in range(banks.SEEDS.slots):
        found = measuring.begin(who.office, review, plan.name, "Halcyon-9", now=at(1))
        measuring.abandon(who.office, found.name, "Again.", now=at(1))
    with pytest.raises(Refused, match="all slots"):
        measuring.begin(who.office, review, plan.name, "Halcyon-9", now=at(1))


def test_nothing_begins_by_a_retired_plan_and_what_runs_goes_on() -> None:
    who = cast()
    found = made.begun(who)
    actions.retire_plan(who.office, found.plan.name, now=at(1))
    measuring.report_attempts(who.office, found.name, made.reports(made.outcomes()), now=at(2))
    measuring.abandon(who.office, found.name, "Enough.", now=at(2))
    with pytest.raises(Refused, match="retired"):
        measuring.begin(who.office, found.review.name, found.plan.name, "again", now=at(2))


def test_attempts_come_in_once_in_order_and_as_they_were() -> None:
    who = cast()
    found = made.begun(who)
    some = made.reports(made.outcomes())
    with pytest.raises(Conflict, match="attempt 1 has to be reported"):
        measuring.report_attempts(who.office, found.name, some[1:2], now=at(2))
    for _ in range(2):
        measuring.report_attempts(who.office, found.name, some[:3], now=at(2))
    assert found.attempts.count() == 3
    other = made.reports((Outcome(some[0].outcome.item, Ending.FAILED),))
    with pytest.raises(Conflict, match="another outcome"):
        measuring.report_attempts(who.office, found.name, other, now=at(2))
    strange = made.reports((Outcome("item-999", Ending.FAILED),), first=4)
    with pytest.raises(Invalid, match="item-999"):
        measuring.report_attempts(who.office, found.name, strange, now=at(2))


def test_there_is_no_attempt_after_the_rule_has_stopped() -> None:
    who = cast()
    found = made.begun(who)
    some = made.reports(made.outcomes())
    measuring.report_attempts(who.office, found.name, some, now=at(2))
    asked = {one.outcome.item for one in some}
    other = next(one.name for one in banks.bank().items if one.name not in asked)
    more = made.reports((Outcome(other, Ending.FAILED),), first=len(some) + 1)
    with pytest.raises(Refused, match="the rule has stopped"):
        measuring.report_attempts(who.office, found.name, more, now=at(2))


def test_evidence_that_tells_another_story_than_was_reported_is_refused() -> None:
    who = cast()
    found = made.begun(who)
    weak = made.reports(made.outcomes(ends=made.weak))
    measuring.report_attempts(who.office, found.name, weak[:4], now=at(2))
    raw = made.evidence(found.name).as_zip()
    with pytest.raises(Refused, match="other attempts than were reported"):
        measuring.hand_in(who.office, found.name, raw, now=at(3))
    found.refresh_from_db()
    assert found.state == "running"


def test_evidence_of_another_submission_slot_or_an_altered_one_is_refused() -> None:
    who = cast()
    found = made.begun(who)
    sound_one = made.evidence(found.name)
    altered = Evidence({**sound_one.members, DECISION: b"{}"}, "evidence")
    for wrong, why in (
        (made.evidence("A-ANOTHER"), "another submission"),
        (made.evidence(found.name, slot=1), "of slot 1"),
        (altered, "does not hold"),
    ):
        with pytest.raises(Refused, match=why):
            measuring.hand_in(who.office, found.name, wrong.as_zip(), now=at(3))
    with pytest.raises(Invalid):
        measuring.hand_in(who.office, found.name, b"PK nothing", now=at(3))


def test_evidence_of_a_test_that_has_not_ended_is_refused() -> None:
    who = cast()
    found = made.begun(who)
    some = made.outcomes()[:3]
    attempts = Attempts(found.name, banks.SEEDS.opening(0), some)
    early = make_evidence(banks.plan(), banks.bank(), attempts, banks.verdicts_of(some))
    with pytest.raises(Refused, match="stopped where the rule stops"):
        measuring.hand_in(who.office, found.name, early.as_zip(), now=at(3))


def test_what_was_measured_cannot_be_dropped() -> None:
    who = cast()
    found = made.assessed(who, ends=made.weak)
    with pytest.raises(Refused):
        measuring.abandon(who.office, found.name, "We hoped for more.", now=at(4))


def test_the_developer_has_its_time_to_answer_and_is_not_waited_for_longer() -> None:
    who = cast()
    found = made.assessed(who)
    assert found.assessed_at is not None
    end = found.assessed_at + REPLY_PERIOD
    with pytest.raises(Refused, match="may answer until"):
        deciding.determine(who.office, found.name, now=end - timedelta(seconds=1))
    done = deciding.determine(who.office, found.name, now=end)
    assert done.determined_at == end
    deciding.reply(who.developer, found.name, "Too late, and still heard.", now=end)
    with pytest.raises(Refused, match="answered already"):
        deciding.reply(who.developer, found.name, "Once more.", now=end)


def test_only_the_developer_makes_its_determination_public_and_it_takes_it_back() -> None:
    who = cast()
    found = made.determined(who)
    with pytest.raises(NotFound):
        deciding.publish(who.office, found.name, now=at(5))
    assert queries.published_determinations() == []
    deciding.publish(who.developer, found.name, now=at(5))
    [one] = queries.published_determinations()
    assert (one.model, one.verdict, one.reply) == (
        "Halcyon-9", "covered", "It was asked without tools.",
    )  # fmt: skip
    deciding.unpublish(who.developer, found.name, now=at(5))
    assert queries.published_determinations() == []


def test_after_a_withdrawal_nobody_else_sees_that_anything_was_measured() -> None:
    who = cast()
    found = made.determined(who)
    deciding.publish(who.developer, found.name, now=at(5))
    submitting.withdraw(who.developer, found.review.name, now=at(6))
    assert queries.published_determinations() == []
    with pytest.raises(NotFound):
        queries.view(who.office, found.name)
    assert queries.view(who.developer, found.name).row.verdict == "covered"
    assert deciding.count_those_over(at(7)) == 0


def test_the_same_plan_is_committed_once() -> None:
    who = cast()
    assert made.committed(who.office).pk == made.committed(who.office, now=at(3)).pk
    assert CommittedPlan.objects.count() == 1


def test_a_plan_that_does_not_follow_from_its_bank_is_not_committed() -> None:
    who = cast()
    with pytest.raises(Invalid, match=r"bank\.json is"):
        actions.commit_plan(
            who.office, bytes(banks.plan()), bytes(banks.bank(30)), now=at(0)
        )  # fmt: skip
    with pytest.raises(NotFound):
        made.committed(who.developer)


def test_a_row_that_was_changed_behind_the_ledgers_back_is_found() -> None:
    who = cast()
    found = made.determined(who)
    assert sound() == []
    Assessment.objects.filter(pk=found.pk).update(verdict="not-covered")
    assert any("another determination" in one for one in sound())
    Assessment.objects.filter(pk=found.pk).update(verdict="covered", state="assessed")
    assert any("review.determined" in one for one in sound())
    CommittedPlan.objects.update(entry=10**6)
    assert any("without an entry" in one for one in sound())
