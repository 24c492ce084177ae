"""Somebody who hands in or answers while the system is looked at: neither waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clearhouse.office.directives.actions import evidence
from clearhouse.office.directives.actions.deriving import derive
from clearhouse.office.directives.actions.noting import keep as keep_it
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.inventories.models import System
from clearhouse.office.queue.inline import work_off
from tests.office.directives.made import (
    NOW,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    known,
    record,
)
from tests.office.racing import needs_postgresql, overtaken_by

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
