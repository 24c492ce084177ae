"""A row that was altered behind the ledger's back is found, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.actions import plans as actions
from clearhouse.office.assessments.models import Assessment, Attempt, CommittedPlan
from clearhouse.office.blobs import store
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.reviews.actions import lending, windows
from clearhouse.office.reviews.models import Review
from tests.office.assessments import made
from tests.office.reviews.made import Cast, at, cast, opened

pytestmark = pytest.mark.django_db


def counted(who: Cast) -> Assessment:
    """A determination that is public, and in the figures."""
    found = made.determined(who)
    deciding.publish(who.developer, found.name, now=at(4))
    windows.end_window(who.developer, found.review.name, now=at(5))
    lending.finish(who.office, found.review.name, now=at(6))
    deciding.count_those_over(at(7))
    return found


def given_up(who: Cast) -> Assessment:
    """One that was given up after three attempts."""
    found = made.begun(who)
    some = made.reports(made.outcomes())[:3]
    measuring.report_attempts(who.office, found.name, some, now=at(2))
    return measuring.abandon(who.office, found.name, "It went badly.", now=at(2))


def every(**changed: Any) -> Callable[[Cast], object]:
    return lambda _: Assessment.objects.update(**changed)


def elsewhere(who: Cast) -> None:
    Assessment.objects.update(review=Review.objects.get(name=opened(who)))


def other_evidence(_: Cast) -> None:
    name = Assessment.objects.get().name
    raw = made.evidence(name, ends=made.weak).as_zip()
    Assessment.objects.update(evidence=store.put(raw))


ALTERED: dict[str, tuple[Callable[[Cast], object], str]] = {
    "verdict": (every(verdict="not-covered"), "decides covered"),
    "lower bound": (every(is_lower_bound=True), "decides covered"),
    "determination": (every(determination="sha256:" + "0" * 64), "another determination"),
    "evidence": (other_evidence, "other attempts"),
    "evidence gone": (every(evidence="0" * 64), "cannot be read"),
    "answer": (every(reply="We agree to everything."), "another answer"),
    "no answer": (every(reply="", replied_at=None, replied_by=""), "assessment-answered"),
    "published": (every(published_at=None), "determination-published"),
    "counted again": (every(counted_at=None), "assessment.counted"),
    "slot": (every(slot=3), "without an entry of its plan"),
    "review": (elsewhere, "in another review"),
    "running again": (every(state="running"), "assessment-handed-in"),
    "given up": (every(state="abandoned"), "assessment-abandoned"),
    "early": (every(determined_at=at(3.5), replied_at=at(3.9)), "could answer"),
    "gone": (lambda _: Assessment.objects.all().delete(), "is gone"),
    "attempt": (lambda _: Attempt.objects.filter(number=1).update(ending="failed"), "attempts"),
    "plan retired": (lambda _: CommittedPlan.objects.update(retired_at=at(1)), "plan-retired"),
    "bank": (lambda _: CommittedPlan.objects.update(bank_digest="sha256:0"), "another plan"),
    "set": (lambda _: CommittedPlan.objects.update(set_root="00" * 32), "another plan"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_of_a_determination_that_is_counted_nothing_is_altered_unseen(what: str) -> None:
    who = cast()
    counted(who)
    assert list(contradictions()) == []
    alter, says = ALTERED[what]
    alter(who)
    assert any(says in str(one) for one in contradictions()), list(map(str, contradictions()))


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"state": "running"}, "assessment-abandoned"), ({"published_at": at(3)}, "published")],
)
def test_nor_of_one_that_was_given_up(changed: dict[str, Any], says: str) -> None:
    given_up(cast())
    assert list(contradictions()) == []
    Assessment.objects.update(**changed)
    assert any(says in str(one) for one in contradictions())
    Assessment.objects.update(state="abandoned", published_at=None)
    Attempt.objects.filter(number=3).delete()
    assert any("number of attempts" in str(one) for one in contradictions())


def test_a_plan_that_is_gone_or_goes_on_after_its_end_is_found() -> None:
    who = cast()
    plan = made.committed(who.office)
    actions.retire_plan(who.office, plan.name, now=at(0))
    assert list(contradictions()) == []
    CommittedPlan.objects.update(retired_at=None)
    assert any("plan-retired" in str(one) for one in contradictions())
    CommittedPlan.objects.all().delete()
    assert any("plan of this entry is gone" in str(one) for one in contradictions())
