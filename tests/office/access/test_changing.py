"""An open endpoint is changed by its developer's managers, and gateways learn of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clearhouse.errors import ClearhouseError, Invalid, NotFound, Refused
from clearhouse.office.access import actions
from clearhouse.office.access.actions import Change
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.access.models import Endpoint
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.viewer import PUBLIC
from clearhouse.protocol.access import Keyed
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule
from tests.office.access.people import CANARY, NOW, SECRET, Sides, issued, sides, terms

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
OTHER = "sk-another-9876543210"


@pytest.fixture
def people() -> Sides:
    return sides()


@pytest.fixture
def endpoint(people: Sides) -> str:
    owner = people.developer.acting_for()
    return actions.open_endpoint(people.developer, owner, terms(canaries=[CANARY]), now=NOW).name


def change(people: Sides, endpoint: str, **what: Any) -> Endpoint:
    return actions.change_endpoint(people.developer, endpoint, Change(**what), now=LATER)


CHANGES: list[tuple[dict[str, Any], str, Any]] = [
    ({"credential": OTHER}, "credential", OTHER),
    ({"keyed": Keyed.X_API_KEY}, "keyed", Keyed.X_API_KEY),
    ({"prices": {"n": Price(1, 2, 3)}}, "prices", {"n": Price(1, 2, 3)}),
    ({"canaries": ["another0planted"]}, "canaries", ("another0planted",)),
    ({"canaries": []}, "canaries", ()),
    (
        {"consequences": {Rule.VOLUME: Consequence.CUT}}, "consequences",
        {Rule.VOLUME: Consequence.CUT},
    ),
    (
        {"address": "https://models.example", "credential": OTHER}, "address",
        "https://models.example",
    ),
    ({"address": "http://127.0.0.1:9/base"}, "address", "http://127.0.0.1:9/base"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "key", "value"), CHANGES)
def test_gateways_learn_of_a_change_and_of_nothing_else(
    people: Sides, endpoint: str, what: dict[str, Any], key: str, value: Any
) -> None:
    issued(people.developer, endpoint)
    number = OfficeBook().changes(0).number
    [before] = OfficeBook().changes(0).accesses
    change(people, endpoint, **what)
    [after] = OfficeBook().changes(number).accesses
    assert getattr(after.upstream, key) == value
    for same in {"credential", "keyed", "prices", "canaries", "consequences"} - set(what):
        assert getattr(after.upstream, same) == getattr(before.upstream, same)
    assert list(contradictions()) == []


def test_the_ledger_says_which_parts_changed_and_never_what_they_are(
    people: Sides, endpoint: str
) -> None:
    change(people, endpoint, credential=OTHER, canaries=["another0planted"], hours=[9])
    said = entries_about(people.developer, endpoint)[-1]
    assert said.kind == "access.endpoint-changed"
    assert said.facts["parts"] == ["hours", "sealed_canaries", "sealed_credential"]
    leaves = b"".join(bytes(one.leaf) for one in LedgerEntry.objects.all())
    for secret in (OTHER, SECRET, "another0planted"):
        assert secret.encode() not in leaves
    assert OTHER not in repr(Change(credential=OTHER, canaries=[OTHER]))


def test_what_differs_in_nothing_changes_nothing(people: Sides, endpoint: str) -> None:
    issued(people.developer, endpoint)
    number = OfficeBook().changes(0).number
    change(people, endpoint, address="http://127.0.0.1:9", hours=[])
    assert OfficeBook().changes(number).accesses == ()
    assert len(entries_about(people.developer, endpoint)) == 1


@pytest.mark.parametrize(
    "address", ["http://127.0.0.2:9", "http://127.0.0.1:10", "https://127.0.0.1:9"]
)
def test_another_host_gets_the_credential_from_its_developers_hand_only(
    people: Sides, endpoint: str, address: str
) -> None:
    with pytest.raises(Invalid) as refused:
        change(people, endpoint, address=address)
    assert refused.value.key == "credential"
    assert change(people, endpoint, address=address, credential=OTHER).address == address


@pytest.mark.parametrize("who", ["office", "party", "other"])
def test_nobody_else_changes_it(people: Sides, endpoint: str, who: str) -> None:
    with pytest.raises((NotFound, Refused)):
        actions.change_endpoint(getattr(people, who), endpoint, Change(hours=[1]), now=LATER)
    with pytest.raises(ClearhouseError):
        actions.change_endpoint(PUBLIC, endpoint, Change(hours=[1]), now=LATER)
    assert Endpoint.objects.get(name=endpoint).hours == []


def test_a_closed_endpoint_is_not_brought_back(people: Sides, endpoint: str) -> None:
    actions.close_endpoint(people.developer, endpoint, now=NOW)
    with pytest.raises(Refused, match="closed"):
        change(people, endpoint, credential=OTHER)
    assert bytes(Endpoint.objects.get(name=endpoint).sealed_credential) == b""


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ({"credential": "a\nb"}, "credential"),
        ({"prices": {}}, "prices"),
        ({"canaries": ["short"]}, "canaries"),
        ({"hours": [24]}, "hours"),
        ({"recipients": ["age1nobody"]}, "recipients"),
        ({"address": "http://user@127.0.0.1:9"}, "address"),
    ],
)
def test_what_would_not_open_does_not_come_by_a_change_either(
    people: Sides, endpoint: str, what: dict[str, Any], key: str
) -> None:
    before = Endpoint.objects.values().get(name=endpoint)
    with pytest.raises(Invalid) as refused:
        change(people, endpoint, **what)
    assert refused.value.key == key
    assert Endpoint.objects.values().get(name=endpoint) == before
