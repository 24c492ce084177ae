"""Grants: who gives them, who ends them, and what of them is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers

from clearhouse.errors import ClearhouseError, Invalid, NotFound, Refused
from clearhouse.office.access import actions, queries
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.grants import Amounts, Why
from tests.office.access.people import CANARY, NOW, SECRET, Sides, issued, sides, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Sides:
    return sides()


@pytest.fixture
def endpoint(people: Sides) -> str:
    owner = people.developer.acting_for()
    return actions.open_endpoint(people.developer, owner, terms(canaries=[CANARY]), now=NOW).name


def test_a_token_is_shown_once_and_only_its_keyed_digest_is_kept(
    people: Sides, endpoint: str
) -> None:
    made = issued(people.developer, endpoint)
    assert made.token.startswith("chg_")
    kept = serializers.serialize("json", [*AccessGrant.objects.all(), *Endpoint.objects.all()])
    leaves = b"".join(bytes(one.leaf) for one in LedgerEntry.objects.all())
    for secret in (made.token, SECRET, CANARY):
        assert secret not in kept
        assert secret.encode() not in leaves
        assert secret not in repr(made)
    [access] = OfficeBook().changes(0).accesses
    assert access.token_digest == OfficeBook().token_digest(made.token)
    assert access.upstream.credential == SECRET
    assert SECRET not in repr(access)


@pytest.mark.parametrize(
    ("who", "may"), [("developer", True), ("office", False), ("party", False), ("other", False)]
)
def test_only_the_developer_issues_grants(
    people: Sides, endpoint: str, who: str, may: bool
) -> None:
    viewer: Viewer = getattr(people, who)
    if may:
        issued(viewer, endpoint)
    else:
        with pytest.raises((NotFound, Refused)):
            issued(viewer, endpoint)
    with pytest.raises(ClearhouseError):
        issued(PUBLIC, endpoint)
    assert AccessGrant.objects.count() == int(may)


ENDINGS: list[Callable[[Viewer, str], object]] = [
    lambda viewer, name: actions.pause(viewer, name, now=NOW),
    lambda viewer, name: actions.shorten(viewer, name, NOW + timedelta(hours=1), now=NOW),
    lambda viewer, name: actions.revoke(viewer, name, now=NOW),
]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("who", ["developer", "office", "party", "other"])
def test_both_sides_that_lend_end_a_grant_at_once(
    people: Sides, endpoint: str, who: str, end: Callable[[Viewer, str], object]
) -> None:
    name = issued(people.developer, endpoint).grant.name
    number = OfficeBook().changes(0).number
    viewer: Viewer = getattr(people, who)
    if who in ("party", "other"):
        with pytest.raises(NotFound):
            end(viewer, name)
        assert OfficeBook().changes(number).accesses == ()
        return
    end(viewer, name)
    end(viewer, name)
    changes = OfficeBook().changes(number)
    assert [one.grant.name for one in changes.accesses] == [name]
    assert changes.number == number + 1
    assert len(entries_about(people.office, name)) == 2


def test_the_end_of_a_window_ends_its_grants_and_no_others(people: Sides, endpoint: str) -> None:
    mine = [issued(people.developer, endpoint).grant.name for _ in range(3)]
    elsewhere = issued(people.developer, endpoint, window="W-2").grant.name
    assert actions.end_grants("W-1", of=people.other.organisation, now=NOW) == 0
    assert actions.end_grants("W-1", of=people.party.organisation, now=NOW) == 3
    assert actions.end_grants("W-1", now=NOW) == 0
    rows = {one.name: one for one in queries.grants(people.office)}
    whys = {name: queries.why_closed(row, now=NOW) for name, row in rows.items()}
    assert all((no := whys[name]) and no.why is Why.WITHDRAWN for name in mine)
    assert whys[elsewhere] is None


def test_a_closed_endpoint_has_no_credential_and_no_access(people: Sides, endpoint: str) -> None:
    name = issued(people.developer, endpoint).grant.name
    actions.close_endpoint(people.developer, endpoint, now=NOW)
    row = Endpoint.objects.get(name=endpoint)
    assert bytes(row.sealed_credential) == b""
    [access] = OfficeBook().changes(0).accesses
    assert access.upstream.credential == ""
    assert access.grant.name == name
    assert access.grant.withdrawn_at == NOW
    with pytest.raises(Refused, match="closed"):
        issued(people.developer, endpoint)


def test_only_the_developer_lets_go_on_what_was_paused(people: Sides, endpoint: str) -> None:
    name = issued(people.developer, endpoint).grant.name
    actions.pause(people.office, name, now=NOW)
    with pytest.raises(Refused, match="only the developer"):
        actions.resume(people.office, name, now=NOW)
    assert actions.resume(people.developer, name, now=NOW).paused_at is None


def test_a_window_is_shortened_and_never_extended(people: Sides, endpoint: str) -> None:
    name = issued(people.developer, endpoint).grant.name
    with pytest.raises(Refused, match="not extended"):
        actions.shorten(people.developer, name, NOW + timedelta(days=2), now=NOW)
    with pytest.raises(Invalid, match="30 days"):
        issued(people.developer, endpoint, end=NOW + timedelta(days=30, seconds=1))


@pytest.mark.parametrize(
    "changed",
    [
        {"models": []},
        {"models": ["other"]},
        {"calls": []},
        {"networks": []},
        {"networks": ["nowhere"]},
        {"budget": Amounts(-1, 1, 1)},
        {"window": ""},
        {"end": NOW - timedelta(days=1), "start": NOW - timedelta(days=2)},
    ],
)
def test_a_grant_that_would_allow_nothing_or_anything_is_refused(
    people: Sides, endpoint: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        issued(people.developer, endpoint, **changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "ftp://127.0.0.1/"},
        {"address": "http://user@127.0.0.1/"},
        {"address": "http://127.0.0.1/?a=b"},
        {"credential": ""},
        {"credential": "a\nb"},
        {"prices": {}},
        {"canaries": ["short"]},
        {"hours": [24]},
        {"recipients": ["age1nobody"]},
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(people: Sides, changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        actions.open_endpoint(
            people.developer, people.developer.acting_for(), terms(**changed), now=NOW
        )


def test_each_side_sees_its_own_grants_and_nobody_elses(people: Sides, endpoint: str) -> None:
    name = issued(people.developer, endpoint).grant.name
    for viewer, sees in (
        (people.developer, True),
        (people.party, True),
        (people.office, True),
        (people.other, False),
    ):
        assert [one.name for one in queries.grants(viewer)] == [name] * sees
        assert [one.subject for one in entries_about(viewer, name)] == [name] * sees
        if not sees:
            with pytest.raises(NotFound):
                queries.uses(viewer, name)
    assert queries.endpoints(people.party) == []
    with pytest.raises(ClearhouseError):
        queries.grants(PUBLIC)


def test_a_credential_that_was_put_in_anothers_place_does_not_open(
    people: Sides, endpoint: str
) -> None:
    other = actions.open_endpoint(
        people.other, people.other.acting_for(), terms(credential="another"), now=NOW
    )
    issued(people.other, other.name)
    Endpoint.objects.filter(name=other.name).update(
        sealed_credential=Endpoint.objects.get(name=endpoint).sealed_credential
    )
    [access] = OfficeBook().changes(0).accesses
    assert access.upstream.credential == ""
    assert access.grant.paused_at is not None
