"""Somebody who hands in or answers while the system is looked at: neither waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from clearhouse.office.directives.actions import evidence
from clearhouse.office.directives.actions.deriving import derive, mark_all
from clearhouse.office.directives.actions.issuing import (
    SPREAD,
    audience_of,
    draft,
    end,
    issue,
    spread,
)
from clearhouse.office.directives.actions.noting import keep as keep_it
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.inventories.models import System
from clearhouse.office.orgs.queries import hold
from clearhouse.office.queue.handlers import timers
from clearhouse.office.queue.inline import work_off
from clearhouse.office.queue.models import Job
from tests.office.directives.made import (
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    known,
    record,
)
from tests.office.racing import Second, needs_postgresql, overtaken_by

EVERYBODY = audience_of(everybody="yes")

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]


def obliged() -> System:
    deployer = hospital()
    system = a_system(deployer)
    installed(deployer, system, "jinja2==1.0")
    known(record("PYSEC-1", "jinja2"))
    in_force(agency())
    return system


def beside_a_look(system: System, deed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something, and let the look at the system start when the deed holds what it changes."""
    with overtaken_by(lambda: derive(system.pk, now=NOW)) as meanwhile:
        seconds = []

        def keep(*changes: Any, **more: Any) -> None:
            seconds.append(meanwhile())
            keep_it(*changes, **more)

        monkeypatch.setattr("clearhouse.office.directives.actions.evidence.keep", keep)
        deed()
    monkeypatch.undo()
    assert [one.error for one in seconds] == [None]


def test_who_hands_in_and_who_answers_beside_a_look_at_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = obliged()
    name = ObligationRow.objects.get().name
    beside_a_look(
        system,
        lambda: evidence.hand_in(hospital(), name, "removed", "Unplugged.", now=NOW),
        monkeypatch,
    )
    assert ObligationRow.objects.get().state == "evidence-handed-in"
    beside_a_look(
        system,
        lambda: evidence.answer(agency(), name, "refuse", "It answers.", now=NOW),
        monkeypatch,
    )
    work_off(NOW)
    assert ObligationRow.objects.get().state == "open"


def test_a_list_that_comes_while_every_system_is_marked() -> None:
    deployer = hospital()
    system = a_system(deployer)
    known(record("PYSEC-1", "jinja2"))
    issue(agency(), draft(agency(), "CISA-BOD-26-04", EVERYBODY, now=NOW).name, now=NOW)
    with overtaken_by(lambda: installed(deployer, system, "jinja2==1.0")) as meanwhile:
        mark_all(NOW)
        second = meanwhile()
    assert second.error is None


def test_a_directive_that_ends_while_an_obligation_begins() -> None:
    deployer = hospital()
    system = a_system(deployer)
    known(record("PYSEC-1", "jinja2"))
    directive = in_force(agency())
    installed(deployer, system, "jinja2==1.0")
    with overtaken_by(lambda: end(agency(), directive.name, "Enough.", now=NOW)) as meanwhile:
        derive(system.pk, now=NOW)
        second = meanwhile()
    assert second.error is None
    work_off(NOW)
    assert ObligationRow.objects.get().state == "withdrawn"


def test_an_obligation_that_begins_beside_the_end_of_its_directive_is_withdrawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployer = hospital()
    system = a_system(deployer)
    known(record("PYSEC-1", "jinja2"))
    directive = in_force(agency())
    installed(deployer, system, "jinja2==1.0")

    Job.objects.all().delete()

    def end_it() -> None:
        end(agency(), directive.name, "Enough.", now=NOW)
        # What the job does that is put in, at once.
        transaction.on_commit(lambda: spread(directive.name, now=NOW))

    with overtaken_by(end_it) as meanwhile:

        def keep(*changes: Any, **more: Any) -> None:
            seconds.append(meanwhile())
            keep_it(*changes, **more)

        seconds: list[Any] = []
        monkeypatch.setattr("clearhouse.office.directives.actions.deriving.keep", keep)
        derive(system.pk, now=NOW)
    monkeypatch.undo()
    assert [one.error for one in seconds] == [None]
    assert ObligationRow.objects.get().state == "open", "it began by what was read before"
    Job.objects.filter(kind=SPREAD).delete()
    work_off(NOW)
    assert ObligationRow.objects.get().state == "withdrawn"


def test_what_time_does_beside_a_list_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    system = obliged()
    soon = NOW + 12 * DAY
    list_it = lambda: installed(hospital(), system, "jinja2==1.1", now=soon)  # noqa: E731
    seconds: list[Second] = []
    for timer in timers():
        if not timer.name.startswith("directives."):
            continue
        with overtaken_by(list_it) as meanwhile, monkeypatch.context() as patch:

            def hold_them(organisation: int, meanwhile: Any = meanwhile) -> None:
                if not seconds:
                    seconds.append(meanwhile())
                hold(organisation)

            patch.setattr("clearhouse.office.directives.actions.news.hold", hold_them)
            timer.act(soon)
    assert [one.error for one in seconds] == [None]
    assert ObligationRow.objects.get().reminded
