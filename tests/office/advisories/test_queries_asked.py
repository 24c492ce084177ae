"""How much is asked of the database does not grow with the number of advisories."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clearhouse.office.advisories import queries
from clearhouse.office.advisories.models import Revision
from tests.office.advisories.made import another, first_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Revision:
    """An advisory as it is published, which others are made after."""
    return first_published()


def asked(act: Callable[[], object]) -> list[str]:
    """The statements that it makes."""
    with CaptureQueriesContext(connection) as context:
        act()
    return [one["sql"] for one in context]


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/advisories/", 6), ("/advisories/?q=crash", 6), ("/api/advisories", 6),
        ("/osv/all.zip", 2), ("/osv/modified_id.csv", 2),
    ],
)  # fmt: skip
def test_a_list_asks_as_much_of_twelve_advisories_as_of_two(
    first: Revision, client: Client, address: str, most: int
) -> None:
    found = []
    for more in (1, 10):
        for _ in range(more):
            another(first)
        client.get(address)
        found.append(len(asked(lambda: client.get(address))))
    assert found[0] == found[1] <= most


def test_no_list_reads_a_document(first: Revision, client: Client) -> None:
    another(first)
    for address in ("/advisories/?q=crash", "/api/advisories?q=crash"):
        for one in asked(lambda address=address: client.get(address)):  # type: ignore[misc]
            assert '"csaf"' not in one.partition(" FROM ")[0], one


def test_only_the_newest_revision_of_each_is_served(first: Revision) -> None:
    name = another(first, revisions=11)
    served = {one.advisory.name: one.number for one in queries.newest()}
    assert served == {first.advisory.name: 1, name: 11}
    assert {one["id"] for one in queries.osv_records()} == {f"x_{first.advisory.name}", f"x_{name}"}
    assert [one["document"]["tracking"]["id"] for one in queries.published_documents()] == [
        first.advisory.name, f"{first.advisory.name}-VEX", name, f"{name}-VEX",
    ]  # fmt: skip


def test_what_has_no_osv_record_is_in_no_list_of_them(first: Revision) -> None:
    changed = first.at + timedelta(days=1)
    Revision.objects.create(advisory=first.advisory, number=2, at=changed, osv=None)
    assert list(queries.osv_records()) == []
    assert queries.osv_changes() == []
