"""Findings and questions of one organisation at once: no limit is passed, nobody waits for ever."""

from __future__ import annotations

import pytest

from clearhouse.errors import Refused
from clearhouse.office.findings import actions, deconfliction, jobs
from clearhouse.office.findings.deconfliction import MOST_IN_PERIOD
from clearhouse.office.findings.intake import of_bundle
from clearhouse.office.findings.models import Finding, KnownQuestion
from clearhouse.office.queue.models import Job
from clearhouse.protocol.roles import Role
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.story import NOW, packed, somebody, verdict

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]


def test_two_questions_at_once_are_counted_one_after_the_other() -> None:
    finder = somebody("hexfind", Role.FINDER)
    asked = KnownQuestion(organisation_id=finder.acting_for(), at=NOW)
    KnownQuestion.objects.bulk_create([asked] * (MOST_IN_PERIOD - 1))

    def ask() -> None:
        deconfliction.ask(finder, signature=None, package="f" * 64, now=NOW)

    with overtaken_by(ask) as meanwhile:
        ask()
        answered = meanwhile()
    assert isinstance(answered.error, Refused)
    assert KnownQuestion.objects.count() == MOST_IN_PERIOD


def test_who_withdraws_what_is_being_decided_waits_for_the_decision() -> None:
    finder = somebody("hexfind", Role.FINDER)
    sample = "CVE-2019-14853"
    [one] = actions.submit(finder, [of_bundle(packed(sample), where=sample)], now=NOW)
    with overtaken_by(lambda: actions.withdraw(finder, one.name, now=NOW)) as meanwhile:
        # As a worker: the job first, its effect then.
        Job.objects.filter(key=f"{actions.PROVE}:{one.name}").update(state=Job.State.DONE)
        withdrawn = meanwhile()
        jobs.Prove().store({"finding": one.name}, verdict(), NOW)
    assert withdrawn.error is None
    found = Finding.objects.get(name=one.name)
    assert (found.state, found.grade) == ("withdrawn", "differential")
