"""How much is asked of the database does not grow with what a list or a review holds."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clearhouse.office.access.actions import open_endpoint
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import access
from clearhouse.protocol.unusual_use import Rule
from tests.office.access.people import terms
from tests.office.reviews import made
from tests.office.reviews.made import at

pytestmark = pytest.mark.django_db


def test_the_list_asks_as_much_of_ten_reviews_as_of_two() -> None:
    who = made.cast()
    for viewer in (who.office, who.developer, who.partner):
        found = []
        for more in (2, 8):
            for _ in range(more):
                name = made.agreed(who)
                made.joined(who, name)
                made.lent(who, name)
            with CaptureQueriesContext(connection) as asked:
                assert queries.reviews_of(viewer)
            found.append(len(asked))
        assert found[0] == found[1] <= 4


def test_a_review_asks_as_much_of_twenty_loans_as_of_two() -> None:
    who = made.cast()
    name = made.opened(who)
    made.joined(who, name)
    found = []
    for more in (2, 18):
        for _ in range(more):
            made.lent(who, name)
        with CaptureQueriesContext(connection) as asked:
            seen = queries.view(who.developer, name, now=at(1))
            assert all(one.holder is None for one in seen.loans)
        found.append(len(asked))
    assert found[0] == found[1]


def test_a_review_asks_as_much_of_twenty_grants_as_of_two() -> None:
    who = made.cast()
    name = made.opened(who)
    made.joined(who, name)
    endpoint = open_endpoint(who.developer, who.developer.acting_for(), terms(), now=at(1)).name
    for viewer in (who.developer, who.office, who.partner):
        found = []
        for more in (2, 18):
            for _ in range(more):
                given = access.give_grant(
                    who.developer, name, "clinic-net", made.allowance(endpoint), now=at(1)
                )
                OfficeBook().alert(given.grant.name, Rule.VOLUME, "many", at(1))
            with CaptureQueriesContext(connection) as asked:
                seen = queries.view(viewer, name, now=at(1))
                assert {one.row.party.slug for one in seen.grants or ()} == {"clinic-net"}
                assert all(one.grant.party.name for one in seen.alerts)
            found.append(len(asked))
        assert found[0] == found[1]
