"""The exact figures are read from the ledger bit by bit, and are those of the whole ledger."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from clearhouse.office.ledgerbook.actions import Decision, record_many
from clearhouse.office.ledgerbook.queries import entries_of, head
from clearhouse.office.orgs.models import User
from clearhouse.office.oversight import actions, queries
from clearhouse.office.oversight.jobs import PUBLISH, read_on, tick
from clearhouse.office.oversight.models import Followed, Publication
from clearhouse.office.oversight.passages import KINDS, passages
from clearhouse.office.queue.models import Job
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.deficit import counts, intervals
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, somebody, work_off

pytestmark = pytest.mark.django_db

_KINDS = ("finding.received", "finding.proven", "finding.refused", "case.opened", "case.joined",
          "case.supplier-told", "case.supplier-fix_ready", "advisory.published")  # fmt: skip


def written(count: int, seed: int) -> None:
    """Entries in any order, about few things, so that much happens twice."""
    chance = random.Random(seed)

    def decisions() -> Iterator[Decision]:
        for _ in range(10):
            kind = chance.choice(_KINDS)
            finding, case = f"F-{chance.randrange(30)}", f"CH-{chance.randrange(8)}"
            subject = finding if kind.startswith("finding.") else case
            yield Decision(kind, subject, {"finding": finding})

    for place in range(count // 10):
        with transaction.atomic():
            record_many(decisions(), now=NOW + timedelta(hours=place, minutes=seed))


def is_as_the_whole_ledger_says() -> bool:
    """Whether what is kept is what the pure rules find."""
    known = list(passages(entries_of(SYSTEM, KINDS)))
    exact = queries.exact(SYSTEM)
    assert exact is not None
    return (
        exact.size == head().size
        and exact.counts == counts(known)
        and exact.intervals == intervals(known)
    )


@pytest.mark.parametrize("most", [1, 7, 64, 5_000])
def test_figures_are_those_of_the_whole_ledger_however_it_is_read(most: int) -> None:
    for seed in range(3):
        written(60, seed)
        while actions.follow(NOW, most=most):
            pass
        assert is_as_the_whole_ledger_says()


def test_figures_stay_as_they_were_until_all_of_it_is_read() -> None:
    written(20, 1)
    assert actions.follow(NOW) == 0
    before = queries.exact(SYSTEM)
    assert before is not None
    written(40, 2)
    assert actions.follow(NOW, most=30) == 10
    between = queries.exact(SYSTEM)
    assert between is not None
    assert between == before
    assert actions.follow(NOW) == 0
    assert is_as_the_whole_ledger_says()


def test_a_worker_reads_turn_by_turn_to_the_end() -> None:
    written(5_100, 3)
    read_on(NOW)
    assert Followed.objects.get().size == 5_000
    work_off(NOW)
    assert is_as_the_whole_ledger_says()


def test_what_is_due_is_published_once_by_a_job() -> None:
    written(100, 4)
    for _ in range(2):
        tick(NOW + timedelta(days=8))
    assert Job.objects.filter(kind=PUBLISH).count() == 1
    work_off(NOW + timedelta(days=8))
    assert Publication.objects.count() == 1
    tick(NOW + timedelta(days=8, hours=1))
    work_off(NOW + timedelta(days=8, hours=1))
    assert Publication.objects.count() == 1
    assert [one.agrees for one in queries.recompute(SYSTEM)] == [True]


def test_the_page_shows_how_much_of_the_ledger_was_read(client: Client) -> None:
    office = somebody("office", Role.COORDINATOR)
    client.force_login(User.objects.get(pk=office.person or 0))
    assert "exact counts" not in client.get("/oversight/").content.decode()
    written(50, 5)
    actions.follow(NOW)
    said = client.get("/oversight/").content.decode()
    assert f"first {head().size} entries" in said
    client.logout()
    assert "exact counts" not in client.get("/oversight/").content.decode()
