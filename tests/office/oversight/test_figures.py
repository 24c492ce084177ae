"""The figures of the public page: made from the ledger alone, and again by whoever holds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from clearhouse.errors import NotFound
from clearhouse.ledger.entry import Entry
from clearhouse.office.cases.actions import people, states
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings.intake import of_bundle
from clearhouse.office.oversight import queries
from clearhouse.office.oversight.actions import follow, publish_figures
from clearhouse.office.oversight.models import Publication
from clearhouse.office.oversight.passages import passages
from clearhouse.office.viewer import PUBLIC, SYSTEM
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.deficit import Milestone
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, packed, proven, somebody

WEEK = timedelta(days=7)


def entry(index: int, kind: str, subject: str, **facts: str) -> Entry:
    at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=index)
    return Entry(index, kind, subject, at, facts, bytes(16))


def test_what_happens_to_a_case_happens_to_the_finding_that_opened_it() -> None:
    found = list(
        passages(
            [
                entry(0, "finding.received", "F-1"),
                entry(1, "finding.proven", "F-1"),
                entry(2, "case.opened", "CH-1", finding="F-1"),
                entry(3, "case.joined", "CH-1", finding="F-1"),
                entry(4, "case.joined", "CH-1", finding="F-2"),
                entry(5, "case.supplier-told", "CH-1"),
                entry(6, "advisory.published", "CH-1"),
            ]
        )
    )
    assert [(one.subject, one.milestone) for one in found] == [
        ("F-1", Milestone.RECEIVED),
        ("F-1", Milestone.PROVEN),
        ("F-2", Milestone.JOINED),
        ("F-1", Milestone.DISCLOSED),
        ("F-1", Milestone.PUBLISHED),
    ]


def test_entries_of_other_kinds_and_unknown_cases_count_nothing() -> None:
    others = [entry(0, "case.message", "CH-1"), entry(1, "case.supplier-told", "CH-9")]
    assert list(passages(others)) == []


@pytest.mark.django_db
def test_the_office_sees_exact_counts_and_the_public_none_that_are_small(client: Client) -> None:
    office = somebody("office", Role.COORDINATOR)
    somebody("team", Role.SUPPLIER)
    case = proven(somebody("hexfind", Role.FINDER))
    people.tell(office, case, "team", now=NOW)
    people.answer(somebody("team", Role.SUPPLIER), case, "accept", now=NOW)
    states.fix_progress(office, case, CaseEvent.FIX_READY, supplier="team", now=NOW)
    assert follow(NOW) == 0
    exact = queries.exact(office)
    assert exact is not None
    assert exact.counts[Milestone.RECEIVED] == exact.counts[Milestone.PATCHED] == 1
    with pytest.raises(NotFound):
        queries.exact(PUBLIC)
    assert publish_figures(NOW + WEEK) is not None
    published = client.get("/oversight/figures.json").json()["figures"]
    assert set(published["totals"].values()) == {0}
    assert {row["count"] for row in published["figures"]} <= {None, 0}
    assert client.get("/oversight/").status_code == 200


@pytest.mark.django_db
def test_figures_are_published_once_for_each_week_and_can_be_made_again() -> None:
    finder = somebody("hexfind", Role.FINDER)
    for sample in ("CVE-2019-14853", "CVE-2024-5569"):
        findings.submit(finder, [of_bundle(packed(sample), where=sample)], now=NOW)
    assert publish_figures(NOW + WEEK) is not None
    assert publish_figures(NOW + WEEK) is None
    proven(finder, sample="CVE-2026-41205", now=NOW + WEEK)
    assert publish_figures(NOW + 2 * WEEK) is not None
    assert [one.agrees for one in queries.recompute(SYSTEM)] == [True, True]


@pytest.mark.django_db
def test_figures_that_were_altered_are_found() -> None:
    proven(somebody("hexfind", Role.FINDER))
    publish_figures(NOW + WEEK)
    Publication.objects.update(digest="sha256:00")
    assert [one.agrees for one in queries.recompute(SYSTEM)] == [False]


@pytest.mark.django_db
def test_an_office_in_which_nothing_happened_has_a_page_all_the_same(client: Client) -> None:
    assert "No figures yet" in client.get("/oversight/").content.decode()
    assert client.get("/oversight/figures.json").status_code == 404
