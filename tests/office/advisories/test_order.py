"""Whoever writes an advisory locks its case first, and says in the ledger what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from clearhouse.errors import ClearhouseError, Conflict, NotFound
from clearhouse.office.advisories import actions
from clearhouse.office.advisories.models import Advisory, Revision
from clearhouse.office.cases.actions import versions
from clearhouse.office.cases.models import Case
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, proven, somebody

DAY = timedelta(days=1)


@pytest.fixture
def office(db: None) -> Viewer:
    return somebody("office", Role.COORDINATOR)


@pytest.fixture
def case(office: Viewer) -> str:
    name = proven(somebody("hexfind", Role.FINDER))
    versions.declare(office, name, "0", "0.13.3", now=NOW)
    actions.draft(office, name, title="A crash", summary="Update.", now=NOW)
    return name


Deed = Callable[[Viewer, str], object]
DEEDS: dict[str, Deed] = {
    "draft": lambda office, case: actions.draft(office, case, title="T", summary="S", now=NOW),
    "publish": lambda office, case: actions.publish(office, case, now=NOW + DAY),
    "withdraw": lambda office, case: actions.withdraw_draft(office, case, now=NOW + DAY),
}


def kinds_of(case: str) -> list[str]:
    rows = LedgerEntry.objects.filter(subject=case, kind__startswith="advisory.")
    return list(rows.order_by("index").values_list("kind", flat=True))


@pytest.mark.parametrize("deed", DEEDS)
def test_the_case_is_locked_before_the_advisory(office: Viewer, case: str, deed: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        DEEDS[deed](office, case)
    read = [one["sql"].partition(" FROM ")[2].split(" ")[0] for one in asked
            if one["sql"].startswith("SELECT")]  # fmt: skip
    # Once to see who may, once to lock it.
    assert [one for one in read if one in ('"cases_case"', '"advisories_advisory"')][:3] == [
        '"cases_case"', '"cases_case"', '"advisories_advisory"',
    ]  # fmt: skip


def test_a_draft_that_is_thrown_away_is_in_the_ledger(office: Viewer, case: str) -> None:
    actions.withdraw_draft(office, case, now=NOW + DAY)
    assert not Advisory.objects.exists()
    assert kinds_of(case) == ["advisory.drafted", "advisory.draft-withdrawn"]
    with pytest.raises(NotFound):
        actions.withdraw_draft(office, case, now=NOW + DAY)


def test_what_is_published_is_not_thrown_away_nor_said_to_be(office: Viewer, case: str) -> None:
    actions.publish(office, case, now=NOW + DAY)
    with pytest.raises(Conflict):
        actions.withdraw_draft(office, case, now=NOW + DAY)
    assert kinds_of(case) == ["advisory.drafted", "advisory.published"]


def test_a_case_without_an_advisory_has_none_to_publish(office: Viewer, case: str) -> None:
    actions.withdraw_draft(office, case, now=NOW + DAY)
    for deed in (DEEDS["publish"], DEEDS["withdraw"]):
        for name in (case, "CH-2026-0000000000"):
            with pytest.raises(NotFound):
                deed(office, name)
    assert Case.objects.get(name=case).public_at is None


@pytest.mark.django_db(transaction=True)
def test_all_at_once_end_in_one_order_and_nothing_breaks(office: Viewer, case: str) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the tests' database in memory locks tables; one writes at a time there")
    start, broken = threading.Barrier(6), []

    def do(deed: Deed) -> None:
        start.wait()
        for _ in range(5):
            try:
                deed(office, case)
            except ClearhouseError:
                pass  # there is none, or it is published: as whoever was first has it
            except Exception as error:  # noqa: BLE001 - what the test looks for
                broken.append(error)
        connections.close_all()

    threads = [threading.Thread(target=do, args=[one]) for one in (*DEEDS.values(),) * 2]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert broken == []
    published = Revision.objects.count()
    assert kinds_of(case).count("advisory.published") == published
