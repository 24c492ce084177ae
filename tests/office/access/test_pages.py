"""A developer's endpoints by hand and by machine: the secrets go in, and never come out."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.contrib.sessions.models import Session
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from clearhouse.office.access.forms import hours_in, hours_text, prices_in
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.access.values import upstream_of
from clearhouse.protocol.prices import Price
from clearhouse.protocol.roles import Role
from tests.office.access.people import CANARY, SECRET, Sides, issued, sides
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.security.reviewing import member
from tests.office.story import somebody

pytestmark = pytest.mark.django_db
LIST = "/reviews/endpoints/"
FORM = {
    "address": "http://127.0.0.1:9", "credential": SECRET, "keyed": "bearer",
    "prices": "m, 3.00, 15, 64000\n\nname, with comma, 0.25, 1.5, 8", "canaries": CANARY,
    "cut": ["canary"], "hours": "7-9, 12",
}  # fmt: skip
JSON = {
    "address": "http://127.0.0.1:9", "credential": SECRET, "canaries": [CANARY],
    "prices": {"m": {"read": 1, "written": 2, "longest": 3}}, "cut": ["volume"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def people() -> Sides:
    return sides()


def opened(people: Sides) -> tuple[Client, str]:
    """A manager's browser, and the address of an endpoint that it opened."""
    client = client_of(people.developer)
    found = client.post(LIST, FORM)
    assert found.status_code == 302, found.content.decode()[-3000:]
    return client, found["Location"]


def kept() -> str:
    """Whatever sessions hold."""
    return str([one.get_decoded() for one in Session.objects.all()])


def test_an_endpoint_is_opened_listed_changed_and_closed(people: Sides) -> None:
    client, place = opened(people)
    made = upstream_of(Endpoint.objects.get())
    assert made.credential == SECRET
    assert made.canaries == (CANARY,)
    assert made.prices == {
        "m": Price(3_000_000, 15_000_000, 64_000),
        "name, with comma": Price(250_000, 1_500_000, 8),
    }
    assert Endpoint.objects.get().hours == [7, 8, 9, 12]
    page = client.get(place).content.decode()
    assert "name, with comma, 0.25, 1.5, 8" in page
    assert place in client.get(LIST).content.decode()
    found = client.post(place, FORM | {"credential": "", "canaries": "", "hours": "", "cut": []})
    assert found.status_code == 302, found.content.decode()[-3000:]
    changed = Endpoint.objects.get()
    assert (changed.hours, changed.consequences) == ([], {})
    assert upstream_of(changed).credential == SECRET
    assert upstream_of(changed).canaries == (CANARY,)
    client.post(place, FORM | {"credential": "", "canaries": "", "no_canaries": "on"})
    assert upstream_of(Endpoint.objects.get()).canaries == ()
    assert client.post(f"{place}close/").status_code == 302
    assert Endpoint.objects.get().closed_at is not None
    assert "destroyed" in client.get(place).content.decode()
    assert client.post(place, FORM).status_code == 422


def test_the_credential_is_in_no_page_no_message_and_no_session(people: Sides) -> None:
    client, place = opened(people)
    pages = [client.get(place), client.get(LIST), client.get("/reviews/")]
    wrong = FORM | {"prices": "m, many"}
    pages += [client.post(place, wrong), client.post(LIST, wrong)]
    assert [one.status_code for one in pages] == [200, 200, 200, 422, 422]
    for page in pages:
        assert SECRET not in page.content.decode()
        assert SECRET not in str(page.headers) + str(page.cookies)
    for page in pages[:3]:
        assert CANARY not in page.content.decode()
    assert SECRET not in kept()
    assert "write it again" in pages[3].content.decode()


def test_who_is_of_the_developer_and_manages_nothing_looks_and_closes(people: Sides) -> None:
    _, place = opened(people)
    bob = client_of(member("lab"))
    assert "Change this endpoint" not in bob.get(place).content.decode()
    assert "Open it" not in bob.get(LIST).content.decode()
    assert bob.post(LIST, FORM).status_code == 403
    assert bob.post(place, FORM).status_code == 403
    assert Endpoint.objects.count() == 1
    assert bob.post(f"{place}close/").status_code == 302
    assert Endpoint.objects.get().closed_at is not None


def test_for_all_others_there_is_no_such_page(people: Sides) -> None:
    _, place = opened(people)
    for viewer in (people.party, people.office):
        for path in (LIST, place):
            assert client_of(viewer).get(path).status_code == 404
            assert client_of(viewer).post(path, FORM).status_code == 404
        assert client_of(viewer).post(f"{place}close/").status_code == 404
    assert client_of(people.other).get(place).status_code == 404
    assert client_of(people.other).get(LIST).status_code == 200
    assert Client().get(LIST).status_code == 302
    assert Endpoint.objects.get().closed_at is None


def test_whoever_is_no_developer_any_more_still_closes_what_it_opened(people: Sides) -> None:
    client, place = opened(people)
    acting = Endpoint.objects.get().owner
    acting.roles = [Role.FINDER.value]
    acting.save()
    assert client.get(LIST).status_code == 200
    assert client.post(f"{place}close/").status_code == 302


def test_closing_ends_its_grants(people: Sides) -> None:
    client, place = opened(people)
    name = Endpoint.objects.get().name
    issued(people.developer, name, models=["m"])
    client.post(f"{place}close/")
    assert AccessGrant.objects.get().withdrawn_at is not None


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return getattr(client, method)(
        f"/api/reviews/endpoints{path}", data=json.dumps(body or {}),
        content_type="application/json", headers={one: headers[one] for one in headers},
    )  # fmt: skip


def test_the_same_by_the_api(people: Sides) -> None:
    client = client_of(people.developer)
    made = send(client, "post", "", JSON)
    assert made.status_code == 201
    name = made.json()["name"]
    assert made.json()["cut"] == ["volume"]
    assert [one["name"] for one in client.get("/api/reviews/endpoints").json()] == [name]
    changed = send(client, "patch", f"/{name}", {"credential": "sk-other", "hours": [8]})
    assert changed.json()["hours"] == [8]
    assert upstream_of(Endpoint.objects.get()).credential == "sk-other"
    moved = send(client, "patch", f"/{name}", {"address": "http://127.0.0.9:9"})
    assert (moved.status_code, moved.json()["key"]) == (422, "credential")
    assert send(client, "post", f"/{name}/close").json()["closed_at"] is not None
    said = (made, changed, moved, client.get(f"/api/reviews/endpoints/{name}"))
    for one in said:
        assert not any(word in one.content.decode() for word in (SECRET, CANARY, "sk-other"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"credential": SECRET * 200},
        {"credential": f"{SECRET}\u20ac"},
        {"credential": SECRET, "address": "nowhere"},
        {"credential": {"a": SECRET}},
        {"credential": SECRET, "canaries": [f"{CANARY}-"]},
    ],
)
def test_no_error_tells_the_secrets_that_were_sent(people: Sides, wrong: dict[str, Any]) -> None:
    found = send(client_of(people.developer), "post", "", JSON | wrong)
    assert found.status_code == 422
    assert SECRET not in found.content.decode()
    assert CANARY not in found.content.decode()


def test_nothing_of_a_request_with_a_secret_is_kept_for_who_sends_it_again(
    people: Sides,
) -> None:
    found = send(client_of(people.developer), "post", "", JSON, **{"Idempotency-Key": "k"})
    assert (found.status_code, found.json()["key"]) == (422, "Idempotency-Key")
    assert not Endpoint.objects.exists()


@given(st.sets(st.integers(0, 23)))
def test_hours_are_read_as_they_are_shown(hours: set[int]) -> None:
    assert hours_in(hours_text(hours)) == sorted(hours)


@pytest.mark.parametrize("text", ["9-7", "a", "1--2", "-3", "7-"])
def test_what_is_no_hours_is_told(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        hours_in(text)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**9))
def test_prices_are_read_to_the_millionth(read: int, written: int, longest: int) -> None:
    text = f"m, {Decimal(read) / 10**6}, {Decimal(written) / 10**6}, {longest}"
    assert prices_in(text) == {"m": Price(read, written, longest)}


@pytest.mark.parametrize(
    "text",
    ["m, 1, 2", "m, 1, 2, x", ", 1, 2, 3", "m, -1, 2, 3", "m, 1e99, 2, 3", "m, nan, 2, 3",
     "m, 0.0000001, 2, 3", "m, 1, 2, 3\nm, 1, 2, 3", "m, 1, 2, 1.5"],
)  # fmt: skip
def test_what_is_no_price_is_told_with_its_line(text: str) -> None:
    with pytest.raises(forms.ValidationError, match="Line"):
        prices_in(text)


def test_a_developer_without_endpoints_finds_the_page_empty() -> None:
    assert (
        "None is open." in client_of(somebody("newlab", Role.DEVELOPER)).get(LIST).content.decode()
    )
