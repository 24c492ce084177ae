"""Ways round the rules that are closed: each was tried once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clearhouse.benchmark.bank import Bank, Item
from clearhouse.benchmark.determination import _departures
from clearhouse.benchmark.evidence import VERDICTS, Evidence, make_evidence
from clearhouse.benchmark.evidence import Attempts as Told
from clearhouse.benchmark.plan import make_plan
from clearhouse.benchmark.public_bank import Commitment
from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.api.models import KeptAnswer
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.actions.plans import commit_plan
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.office.reviews.actions import submitting
from tests.benchmark import banks
from tests.office.api.caller import Caller, key_for, said
from tests.office.assessments import made
from tests.office.findings.people import client_of
from tests.office.reviews.made import at, cast, opened

pytestmark = pytest.mark.django_db


def test_a_model_whose_measurement_was_handed_in_is_not_measured_again() -> None:
    who = cast()
    found = made.assessed(who, ends=made.weak)
    for _ in range(2):
        with pytest.raises(Refused, match=f"{found.name} was handed in"):
            measuring.begin(who.office, found.review.name, found.plan.name, "again", now=at(9))
        deciding.reply(who.developer, found.name, "", now=at(9)) if not found.replied_at else None
        found = Assessment.objects.select_related("plan", "review").get()
        if found.state == "assessed":
            deciding.determine(who.office, found.name, now=at(9))


def test_the_database_holds_one_measurement_of_a_review_beside_those_given_up() -> None:
    who = cast()
    found = made.assessed(who)
    row = Assessment.objects.get()
    row.pk, row.name, row.slot, row.state = None, "A-ANOTHER", 3, "abandoned"
    row.save()
    row.pk, row.name, row.slot, row.state = None, "A-THIRD", 4, "running"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    assert found.state == "assessed"


def test_the_page_offers_to_begin_only_where_one_may_and_says_why_not() -> None:
    who, now = cast(), timezone.now()
    review, plan = opened(who, now=now), made.committed(who.office, now=now)
    office, place = client_of(who.office), f"/assessments/of/{review}/"
    assert b"Begin one" in office.get(place).content
    found = measuring.begin(who.office, review, plan.name, "Halcyon-9", now=now)
    measuring.hand_in(who.office, found.name, made.evidence(found.name).as_zip(), now=now)
    assert b"Begin one" not in office.get(place).content
    refused = office.post(place, {"plan": found.plan.name, "system": "Halcyon-9"})
    assert refused.status_code == 422
    assert b"was handed in, and what was measured stands" in refused.content


def test_evidence_without_what_the_judge_said_is_refused() -> None:
    who = cast()
    found = made.begun(who)
    whole = made.evidence(found.name)
    for left_out in ([one for one in whole.members if one.startswith(VERDICTS)], None):
        names = left_out or [next(one for one in whole.members if one.startswith(VERDICTS))]
        members = {name: raw for name, raw in whole.members.items() if name not in names}
        with pytest.raises(Refused, match="lacks the judge's verdict of attempt"):
            measuring.hand_in(
                who.office, found.name, Evidence(members, "evidence").as_zip(), now=at(3)
            )


def test_evidence_is_computed_again_before_anything_is_held() -> None:
    who = cast()
    found = made.begun(who)
    raw = made.evidence(found.name).as_zip()
    _departures.cache_clear()
    computed: list[int] = []

    def watch(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("SAVEPOINT"):  # a transaction begins, in that of the test
            computed.append(_departures.cache_info().currsize)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        measuring.hand_in(who.office, found.name, raw, now=at(3))
    assert computed[0] == 1


def test_what_was_not_told_meanwhile_is_told_with_what_it_took() -> None:
    who = cast()
    found = made.begun(who)
    some = made.outcomes(found.slot)
    told = Told(found.name, banks.SEEDS.opening(found.slot), some)
    run = banks.run_of(some)
    raw = make_evidence(banks.plan(), banks.bank(), told, banks.verdicts_of(some), run=run).as_zip()
    measuring.report_attempts(who.office, found.name, made.reports(some[:2]), now=at(2))
    measuring.hand_in(who.office, found.name, raw, now=at(3))
    late = run.record.attempts[2:]
    cost = queries.view(who.developer, found.name).cost
    assert cost.tokens == 2 * 100 + sum(one.tokens for one in late)
    assert cost.seconds == 2 * 3 + sum(one.wall_ms // 1000 for one in late)


def test_who_may_not_measure_is_not_told_what_is_wrong_with_its_evidence() -> None:
    who = cast()
    found = made.begun(who)
    for viewer in (who.developer, who.assessor, who.partner, who.stranger):
        with pytest.raises(NotFound):
            measuring.hand_in(viewer, found.name, b"no evidence", now=at(3))


@pytest.mark.parametrize(
    ("item", "construct"),
    [("a" * 201, "fine"), ("item\0", "fine"), ("item\n2", "fine"), ("item", "a\0b"),
     ("item", "a" * 1001), ("item", "two\nlines")],
)  # fmt: skip
def test_a_plan_whose_texts_cannot_be_kept_or_shown_is_not_committed(
    item: str, construct: str
) -> None:
    who = cast()
    first, *others = banks.bank().items
    bank = Bank((Item(item, *(getattr(first, key) for key in Item.__slots__[1:])), *others))
    plan = make_plan(banks.terms(construct=construct), bank, banks.contents(bank))
    with pytest.raises(Invalid, match="one line of at most"):
        commit_plan(who.office, bytes(plan), bytes(bank), now=at(0))
    assert not CommittedPlan.objects.exists()


def test_the_same_plan_is_not_committed_again_with_another_set() -> None:
    who = cast()
    there = made.committed(who.office)
    documents = (bytes(banks.plan()), bytes(banks.bank()))
    assert commit_plan(who.office, *documents, now=at(0)).pk == there.pk
    with pytest.raises(Conflict, match=there.name):
        commit_plan(who.office, *documents, Commitment(40, "ab" * 32), now=at(0))


def test_nothing_is_made_public_once_the_review_is_withdrawn() -> None:
    who = cast()
    found = made.determined(who)
    submitting.withdraw(who.developer, found.review.name, now=at(5))
    with pytest.raises(Refused, match="withdrawn"):
        deciding.publish(who.developer, found.name, now=at(6))
    page = client_of(who.developer).get(f"/assessments/{found.name}/").content.decode()
    assert "do-publish" not in page


def test_what_ran_when_the_review_was_withdrawn_is_told_as_ended() -> None:
    who = cast()
    found = made.begun(who)
    submitting.withdraw(who.developer, found.review.name, now=at(2))
    developer = client_of(who.developer)
    for place in (f"/assessments/{found.name}/", f"/assessments/of/{found.review.name}/"):
        page = developer.get(place).content.decode()
        assert "It ended with the review" in page
        assert "every 4s" not in page


def test_a_deed_that_came_too_late_says_why_it_was_not_done() -> None:
    who = cast()
    found = made.determined(who)
    office = client_of(who.office)
    page = office.post(f"/assessments/{found.name}/abandon/", {"reason": "Too late."})
    assert page.status_code == 422
    assert "it takes nothing more" in page.content.decode()


def test_of_answers_that_name_items_none_is_kept_to_be_given_again() -> None:
    who = cast()
    found = made.begun(who)
    office = Caller(key_for(who.office), who.office)
    place = f"/assessments/{found.name}/attempts"
    problem = said(office.post(place, {"attempts": []}, Idempotency_Key="once"), 422)
    assert "nothing of it is kept" in problem["detail"]
    said(office.post(place, {"attempts": []}))
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"attempts": [{"number": 1e400}]}', b'{"attempts": "\\ud800"}', b"\xff",
     b'{"attempts":[{"number":1,"item":"\\ud800","ending":"failed"}]}',
     b'{"attempts":[{"number":1,"item":"a\\u0000","ending":"failed"}]}',
     b'{"attempts":[{"number":1,"item":"a","ending":"solved"}]}',
     b'{"attempts":[{"number":1,"item":"item-000","ending":"failed","tokens":9007199254740992}]}',
     b'{"attempts":[{"number":99999999999999999999,"item":"a","ending":"failed"}]}'],
)  # fmt: skip
def test_what_is_no_report_is_told_so(body: bytes) -> None:
    who = cast()
    found = made.begun(who)
    answer = Caller(key_for(who.office), who.office).post(
        f"/assessments/{found.name}/attempts", body
    )
    assert answer.status_code in (400, 422), answer.content
    assert found.attempts.count() == 0


def test_a_plan_in_broken_text_is_told_so() -> None:
    office = Caller(key_for((who := cast()).office), who.office)
    for body in (
        b'{"plan": "\\ud800", "bank": ""}',
        b'{"plan": "{}", "bank": "{}", "set": {"format": 1, "items": 1, "root": "x"}}',
        b'{"plan": "' + b"[" * 50_000 + b'", "bank": "{}"}',
    ):
        assert office.post("/assessments/plans", body).status_code in (400, 422)


def test_a_list_asks_as_much_of_many_plans_and_assessments_as_of_few() -> None:
    who = cast()
    found = made.begun(who)
    asked = []
    for number in range(3):
        with CaptureQueriesContext(connection) as queried:
            client_of(who.office).get(f"/assessments/of/{found.review.name}/")
        asked.append(len(queried))
        row = Assessment.objects.get(name=found.name)
        row.pk, row.name, row.slot, row.state = None, f"A-{number}", number + 1, "abandoned"
        row.begun_at = timezone.now()
        row.save()
    assert asked[1] == asked[2]
