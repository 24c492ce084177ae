"""How much is asked of the database does not grow with the number of advisories."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clearhouse.office.advisories import actions, queries
from clearhouse.office.advisories.models import Advisory, Revision
from clearhouse.office.cases.actions import versions
from clearhouse.office.cases.models import Case
from clearhouse.office.names import new_name
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, proven, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Revision:
    """An advisory as it is published, which others are made after."""
    office = somebody("office", Role.COORDINATOR)
    case = proven(somebody("hexfind", Role.FINDER))
    versions.declare(office, case, "0", "0.13.3", now=NOW)
    actions.draft(office, case, title="A crash", summary="Update.", now=NOW)
    return actions.publish(office, case, now=NOW)


def published(first: Revision, *, revisions: int = 2) -> str:
    """Another of the same words, revised once."""
    name, like = new_name("CH-2026"), first.advisory.name
    case = Case.objects.create(name=name, title="A crash", package="pkg:pypi/h11", opened_at=NOW)
    made = Advisory.objects.create(
        name=name, case=case, title="A crash", summary="Update.", made_at=NOW, changed_at=NOW,
        published_at=NOW,
    )  # fmt: skip
    for number in range(1, revisions + 1):
        documents = {kind: renamed(getattr(first, kind), like, name)
                     for kind in ("csaf", "vex", "osv")}  # fmt: skip
        Revision.objects.create(
            advisory=made, number=number, at=NOW, summary=f"Number {number}.",
            shown=first.shown | {"title": f"A crash, {number}"}, missing={"cve": "none"},
            **documents,
        )  # fmt: skip
    return name


def renamed(document: Any, like: str, name: str) -> Any:
    text = json.dumps(document).replace(like, name).replace(like.lower(), name.lower())
    return json.loads(text)


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
            published(first)
        client.get(address)
        found.append(len(asked(lambda: client.get(address))))
    assert found[0] == found[1] <= most


def test_no_list_reads_a_document(first: Revision, client: Client) -> None:
    published(first)
    for address in ("/advisories/?q=crash", "/api/advisories?q=crash"):
        for one in asked(lambda address=address: client.get(address)):  # type: ignore[misc]
            assert '"csaf"' not in one.partition(" FROM ")[0], one


def test_only_the_newest_revision_of_each_is_served(first: Revision) -> None:
    name = published(first, revisions=11)
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
