"""Grants by HTTP: what a program of a developer's manager, of a party and of the office does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.access.actions import open_endpoint
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.access.models import AccessGrant
from clearhouse.office.api.models import KeptAnswer
from clearhouse.office.config import Config
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.unusual_use import Rule
from tests.office.access.people import terms
from tests.office.api.caller import Caller, key_for, said
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.reviews import made
from tests.office.reviews.made import Cast
from tests.office.reviews.test_grant_pages import used
from tests.office.security.reviewing import member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def who() -> Cast:
    return made.cast()


@pytest.fixture
def place(who: Cast) -> str:
    """The address of the grants of a review with a partner."""
    name = made.opened(who, now=timezone.now() - timedelta(days=1))
    made.joined(who, name, now=timezone.now() - timedelta(hours=1))
    return f"/reviews/{name}/grants"


@pytest.fixture
def demand(who: Cast) -> dict[str, Any]:
    """What is asked for: the least there is."""
    owner = who.developer.acting_for()
    endpoint = open_endpoint(who.developer, owner, terms(), now=timezone.now()).name
    return {"to": "clinic-net", "endpoint": endpoint, "networks": ["127.0.0.0/8"]}


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(
        f"/api{path}", json.dumps(body or {}), content_type="application/json", headers=headers
    )


def test_a_grant_is_given_seen_held_and_ended(
    who: Cast, place: str, demand: dict[str, Any]
) -> None:
    developer = client_of(who.developer)
    issued = said(post(developer, place, demand), 201)
    token, grant = issued["token"], issued["name"]
    assert bytes(AccessGrant.objects.get().token_digest) == OfficeBook().token_digest(token)
    assert issued["gateway"] == "http://127.0.0.1:8700"
    assert (issued["models"], issued["state"]) == (["m"], "open")
    assert issued["budget"] == {"requests": 10_000, "tokens": 20_000_000, "micros": 500_000_000}
    listed = developer.get(f"/api{place}")
    assert [one["name"] for one in said(listed)] == [grant]
    one = developer.get(f"/api{place}/{grant}")
    assert token not in listed.content.decode() + one.content.decode()
    assert said(one)["unusual"] == []
    here = f"{place}/{grant}"
    assert said(post(developer, f"{here}/pause"))["state"] == "paused"
    assert said(post(developer, f"{here}/resume"))["state"] == "open"
    end = timezone.now() + timedelta(hours=1)
    shorter = said(post(developer, f"{here}/shorten", {"ends_at": end.isoformat()}))
    assert shorter["ends_at"][:16] == end.isoformat()[:16]
    assert said(post(client_of(who.office), f"{here}/revoke"))["state"] == "revoked"
    said(post(developer, f"{here}/resume"))
    assert said(one := developer.get(f"/api{here}"))["state"] == "revoked"
    assert token not in one.content.decode()


def test_the_answer_with_the_token_is_not_kept_for_who_asks_again(
    who: Cast, place: str, demand: dict[str, Any]
) -> None:
    found = post(client_of(who.developer), place, demand, **{"Idempotency-Key": "k"})
    assert (found.status_code, found.json()["key"]) == (422, "Idempotency-Key")
    assert not AccessGrant.objects.exists()
    assert not KeptAnswer.objects.exists()


def test_keys_for_machines_read_and_give_nothing(
    who: Cast, place: str, demand: dict[str, Any]
) -> None:
    issued = said(post(client_of(who.developer), place, demand), 201)
    machine = Caller(key_for(who.developer))
    assert said(machine.get(place))[0]["name"] == issued["name"]
    said(machine.post(place, demand), 403)
    for verb in ("pause", "resume", "revoke"):
        said(machine.post(f"{place}/{issued['name']}/{verb}"), 403)
    said(Caller(key_for(who.developer, [Scope.ORGANISATION_READ])).get(place), 403)
    assert AccessGrant.objects.get().revoked_at is None


def test_who_manages_nothing_gives_nothing(who: Cast, place: str, demand: dict[str, Any]) -> None:
    bob = client_of(member("lab"))
    assert "only a manager" in said(post(bob, place, demand), 403)["detail"]
    for viewer in (who.office, who.partner, who.assessor, who.stranger):
        said(post(client_of(viewer), place, demand), 404)


def test_uses_are_read_in_pages_by_the_developer_and_the_party(
    who: Cast, place: str, demand: dict[str, Any]
) -> None:
    grant = said(post(client_of(who.developer), place, demand), 201)["name"]
    for number in range(5):
        used(grant, number, contents=b"sealed" if number else None)
    path = f"/api{place}/{grant}/uses"
    for viewer, sees_contents in ((who.developer, True), (who.partner, False)):
        client, names = client_of(viewer), []
        before: Any = ""
        for _ in range(3):
            page = said(client.get(f"{path}?most=2&before={before}"))
            names += [one["name"] for one in page["uses"]]
            assert any(one["has_contents"] for one in page["uses"]) is sees_contents
            before = page["next"]
        assert before is None
        assert names == [f"U-{number:016x}" for number in range(5)]
    first = f"{path}/U-{1:016x}/contents"
    assert client_of(who.developer).get(first).content == b"sealed"
    for viewer in (who.partner, who.office):
        assert client_of(viewer).get(first).status_code == 404
    assert client_of(who.developer).get(f"{path}/U-{0:016x}/contents").status_code == 404
    assert client_of(who.office).get(path).status_code == 404


def test_each_sees_of_the_grants_what_is_its_own(
    who: Cast, place: str, demand: dict[str, Any]
) -> None:
    developer = client_of(who.developer)
    own = said(post(developer, place, demand), 201)["name"]
    governments = said(post(developer, place, demand | {"to": "office"}), 201)["name"]
    OfficeBook().alert(own, Rule.CANARY, "a planted text stands in an answer", timezone.now())

    def seen(client: Client) -> dict[str, bool]:
        found = said(client.get(f"/api{place}"))
        return {one["name"]: one["spent"] is not None for one in found}

    assert seen(developer) == {own: True, governments: True}
    assert seen(client_of(who.partner)) == {own: True}
    assert seen(client_of(who.office)) == {own: False, governments: True}
    for viewer in (who.developer, who.partner, who.office):
        [alert] = said(client_of(viewer).get(f"/api{place}/{own}"))["unusual"]
        assert (alert["rule"], alert["cut"]) == ("canary", False)


def test_where_the_gateway_is_nobody_is_told_what_nobody_has_said(
    who: Cast, place: str, demand: dict[str, Any], settings: Settings
) -> None:
    config: Config = settings.CONFIG
    settings.CONFIG = type(config).of(
        {"CLEARHOUSE_HOME": str(config.home), "CLEARHOUSE_URL": "https://office.example"}
    )
    found = post(client_of(who.developer), place, demand)
    assert said(found, 201)["gateway"] is None
