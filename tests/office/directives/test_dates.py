"""A directive's date counts where a deployer reads what to do, and only while it is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest

from clearhouse.formats.directive import parse
from clearhouse.office.directives.actions.evidence import answer, hand_in
from clearhouse.office.directives.actions.issuing import draft_own, end, issue
from clearhouse.office.directives.models import ObligationRow
from clearhouse.office.inventories.models import Exposure
from clearhouse.office.inventories.queries import exposures_of
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.directives.conditions import AnySystem, InPackage, Package
from clearhouse.protocol.directives.directive import Audience
from clearhouse.protocol.directives.selection import Systems, Vulnerabilities
from tests.office.directives.made import (
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    installed,
    kev,
    known,
    obligations,
    record,
)
from tests.office.directives.test_own import SAMPLE

pytestmark = pytest.mark.django_db
QUIET: Final[dict[str, Any]] = {"exposure": "protected", "kind": ["none"]}


def fourteen_days(now: datetime = NOW) -> str:
    """Fourteen days for every flaw of jinja2, issued to everybody; its name."""
    asks = replace(
        parse(SAMPLE.read_bytes(), "sample").addressed_to(Audience(everybody=True)),
        vulnerabilities=Vulnerabilities(((InPackage(frozenset({Package("PyPI", "jinja2")})),),)),
        systems=Systems(((AnySystem(),),)),
    )
    row = draft_own(agency(), asks, now=now)
    issue(agency(), row.name, now=now)
    work_off(now)
    return row.name


def due(flaw: str) -> datetime | None:
    return Exposure.objects.get(flaw=flaw, gone_at=None).due


def touched() -> None:
    deployer = hospital()
    installed(deployer, a_system(deployer, **QUIET), "jinja2==1.0", "flask==1.0")
    known(record("PYSEC-1", "jinja2"), record("PYSEC-2", "flask"), kev())
    work_off(NOW)


def test_what_a_directive_sets_a_date_for_comes_first_and_says_who_asks() -> None:
    touched()
    before = due("PYSEC-1")
    name = fourteen_days()
    assert before is None or before > NOW + 14 * DAY
    assert due("PYSEC-1") == NOW + 14 * DAY
    assert due("PYSEC-2") == before
    rows, _ = exposures_of(hospital())
    assert [one.flaw for one in rows] == ["PYSEC-1", "PYSEC-2"]
    why = rows[0].judged["why"]
    assert f"as {agency().name} (Mend template engines that strangers can reach) asks" in why
    end(agency(), name, "over", now=NOW)
    work_off(NOW)
    assert due("PYSEC-1") == before


def test_while_the_authority_examines_it_the_date_does_not_count_and_a_refusal_brings_it_back() -> (
    None
):
    touched()
    before = due("PYSEC-2")
    fourteen_days()
    [one] = obligations()
    hand_in(hospital(), one.name, "removed", "We unplugged it.", now=NOW)
    work_off(NOW)
    assert due("PYSEC-1") == before
    answer(agency(), one.name, "refuse", "It answers still.", now=NOW)
    work_off(NOW)
    assert due("PYSEC-1") == NOW + 14 * DAY


def test_a_date_follows_a_flaw_that_comes_later_and_looking_again_changes_nothing() -> None:
    deployer = hospital()
    system = a_system(deployer, **QUIET)
    fourteen_days()
    installed(deployer, system, "jinja2==1.0", now=NOW + DAY)
    known(record("PYSEC-1", "jinja2"), kev(), now=NOW + DAY)
    work_off(NOW + DAY)
    assert due("PYSEC-1") == NOW + 15 * DAY
    entries = ObligationRow.objects.get().entry
    known(record("PYSEC-1", "jinja2"), now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert ObligationRow.objects.get().entry == entries
    assert due("PYSEC-1") == NOW + 15 * DAY
