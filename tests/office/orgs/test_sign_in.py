"""Signing in: password, codes, lock-out, sessions, and who is led to a second factor."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings

from clearhouse.errors import Invalid, NotFound, Refused, Unavailable
from clearhouse.office.config import Config
from clearhouse.office.orgs.actions import reset_sign_in
from clearhouse.office.orgs.models import User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role
from tests.office.orgs.cast import NOW, PASSWORD, organisation, person
from tests.office.orgs.site import MIDDLEWARE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _strict(settings: Settings) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.office.orgs.site"
    settings.MIDDLEWARE = MIDDLEWARE
    settings.SECOND_FACTOR_REQUIRED = True
    cache.clear()
    yield
    cache.clear()


def _sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    answer = client.post("/account/login/", {"login": email, "password": password})
    return answer.status_code


def _code(secret: str) -> str:
    """What an authenticator app shows now, by the library's own arithmetic."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def _set_up_codes(client: Client) -> str:
    """Add an authenticator app as a person does; returns its secret."""
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    page = client.get("/account/2fa/totp/activate/", follow=True).content.decode()
    found = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page)
    assert found, page
    answer = client.post("/account/2fa/totp/activate/", {"code": _code(found[1])})
    assert answer.status_code == 302
    return found[1]


def _office_person() -> Client:
    person(organisation("Office", Role.COORDINATOR), "Cora", is_manager=True)
    client = Client()
    assert _sign_in(client, "cora@example.org") == 302
    return client


def test_a_coordinator_without_a_second_factor_is_led_to_it_from_everywhere() -> None:
    client = _office_person()
    for path in ("/organisation/", "/organisation/all/", "/organisation/profile/", "/", "/x"):
        assert client.get(path).headers["Location"] == "/account/2fa/"
    assert "add an authenticator app" in client.get("/account/2fa/").content.decode()
    assert client.get("/api/organisations").status_code == 403


def test_a_coordinator_sets_codes_up_and_then_acts() -> None:
    client = _office_person()
    secret = _set_up_codes(client)
    # The session was begun without it: the code is asked for once.
    asked = client.get("/organisation/all/").headers["Location"]
    assert asked == "/account/2fa/reauthenticate/?next=%2Forganisation%2Fall%2F"
    back = client.post(asked, {"code": _code(secret), "next": "/organisation/all/"})
    assert back.headers["Location"] == "/organisation/all/"
    assert client.get("/organisation/all/").status_code == 200


def test_who_has_codes_signs_in_with_password_and_code_and_no_code_works_twice() -> None:
    secret = _set_up_codes(_office_person())
    first, second = Client(), Client()
    for client in (first, second):
        assert _sign_in(client, "cora@example.org") == 302
        assert "_auth_user_id" not in client.session
    code = _code(secret)
    assert first.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert first.post("/account/2fa/authenticate/", {"code": code}).status_code == 302
    assert first.get("/organisation/all/").status_code == 200
    assert second.post("/account/2fa/authenticate/", {"code": code}).status_code == 200
    assert "_auth_user_id" not in second.session


def test_a_recovery_code_lets_in_once() -> None:
    _set_up_codes(_office_person())
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    answers = []
    for _ in range(2):
        client = Client()
        _sign_in(client, "cora@example.org")
        answers.append(client.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code)
    assert answers == [302, 200]


def test_who_lost_everything_is_let_in_by_the_offices_command_line_alone() -> None:
    before = _office_person()
    _set_up_codes(before)
    owner = viewer_of(User.objects.get(), None)
    with pytest.raises(Refused):
        reset_sign_in(owner, email="cora@example.org", now=NOW)
    password = reset_sign_in(SYSTEM, email="cora@example.org", now=NOW)
    assert not Authenticator.objects.exists()
    assert before.get("/account/2fa/").status_code == 302  # signed out
    again = Client()
    assert _sign_in(again, "cora@example.org") == 200  # with the old password
    assert "_auth_user_id" not in again.session
    assert _sign_in(again, "cora@example.org", password) == 302
    assert again.get("/organisation/").headers["Location"] == "/account/2fa/"


def test_nobody_is_let_in_by_an_address_that_nobody_here_has() -> None:
    with pytest.raises(NotFound):
        reset_sign_in(SYSTEM, email="stranger@example.org", now=NOW)


def test_a_session_begun_with_a_password_gains_nothing_by_a_factor_set_up_in_another() -> None:
    stolen = _office_person()
    owner = Client()
    _sign_in(owner, "cora@example.org")
    _set_up_codes(owner)
    assert stolen.get("/organisation/all/").status_code == 302
    assert stolen.get("/api/organisations").status_code == 403


def test_a_viewer_without_the_factor_has_no_roles_whatever_it_acts_for() -> None:
    office = organisation("Office", Role.COORDINATOR)
    acme = organisation("Acme", Role.SUPPLIER)
    person(acme, "Cora", is_manager=True)
    user = person(office, "Cora")
    for acting in (None, office.pk, acme.pk):
        found = viewer_of(user, acting)
        assert found.is_public
        assert not found.roles
        assert not found.scopes
        assert found.person == user.pk


def test_others_are_only_told_of_the_second_factor() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona", is_manager=True)
    client = Client()
    _sign_in(client, "mona@example.org")
    page = client.get("/organisation/profile/")
    assert page.status_code == 200
    assert "no second factor yet" in page.content.decode()


def test_only_an_office_on_one_machine_does_without_a_second_factor() -> None:
    def needed(**given: str) -> bool:
        return Config.of(
            {f"CLEARHOUSE_{key}": value for key, value in given.items()} | {"HOME": "/nowhere"}
        ).needs_second_factor

    assert needed()
    assert not needed(SECOND_FACTOR="optional")
    assert needed(URL="https://office.example")
    for wrong in ({"SECOND_FACTOR": "optional", "URL": "https://o.example"}, {"SECOND_FACTOR": ""}):
        with pytest.raises(Invalid, match="CLEARHOUSE_SECOND_FACTOR"):
            needed(**wrong)


def test_the_seed_of_codes_is_sealed_in_the_database(settings: Settings) -> None:
    secret = _set_up_codes(_office_person())
    with connection.cursor() as cursor:
        cursor.execute("select data from mfa_authenticator where type = 'totp'")
        (kept,) = cursor.fetchone()
    assert secret not in str(kept)
    sealed = Authenticator.objects.get(type="totp").data["secret"]
    assert get_adapter().decrypt(sealed) == secret
    settings.SECRET_KEY = "another office's secret"
    with pytest.raises(Unavailable, match="secret key"):
        get_adapter().decrypt(sealed)


def test_five_failures_of_an_account_close_its_password_even_to_the_right_one() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona")
    person(organisation("Other", Role.SUPPLIER), "Olga")
    for n in range(5):
        guesser = Client(REMOTE_ADDR=f"192.0.2.{n}")
        assert _sign_in(guesser, "mona@example.org", "guess") == 200
    late = Client(REMOTE_ADDR="192.0.2.99")
    assert _sign_in(late, "mona@example.org") == 200
    assert "_auth_user_id" not in late.session
    assert _sign_in(late, "olga@example.org") == 302


def test_ten_failures_of_an_address_close_it_for_every_account() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona")
    client = Client(REMOTE_ADDR="192.0.2.7")
    for n in range(10):
        _sign_in(client, f"nobody{n}@example.org", "guess")
    assert _sign_in(client, "mona@example.org") == 200
    assert _sign_in(Client(REMOTE_ADDR="192.0.2.8"), "mona@example.org") == 302


def test_a_wrong_password_and_an_unknown_address_answer_alike() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona")

    def answer(email: str) -> str:
        page = Client().post("/account/login/", {"login": email, "password": "guess"})
        return re.sub(r'value="[^"]*"|csrftoken": "[^"]*"', "", page.content.decode())

    assert answer("mona@example.org") == answer("nina@example.org")


def test_a_closed_account_does_not_sign_in_and_loses_its_session() -> None:
    user = person(organisation("Acme", Role.SUPPLIER), "Mona")
    client = Client()
    _sign_in(client, "mona@example.org")
    assert client.get("/organisation/acme/").status_code == 200
    user.is_active = False
    user.save()
    assert client.get("/organisation/acme/").status_code == 302
    late = Client()
    _sign_in(late, "mona@example.org")
    assert "_auth_user_id" not in late.session


def test_signing_in_changes_the_session_and_signing_out_takes_a_post() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona")
    client = Client()
    session = client.session
    session["before"] = "kept by whoever planted it"
    session.save()
    planted = session.session_key
    _sign_in(client, "mona@example.org")
    assert client.session.session_key != planted
    client.get("/account/logout/")
    assert client.get("/organisation/acme/").status_code == 200
    client.post("/account/logout/")
    assert client.get("/organisation/acme/").status_code == 302


def test_a_changed_password_ends_the_other_sessions() -> None:
    person(organisation("Acme", Role.SUPPLIER), "Mona")
    mine, other = Client(), Client()
    for client in (mine, other):
        _sign_in(client, "mona@example.org")
    new = "a new sentence to keep in mind"
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert mine.post("/account/password/change/", sent).status_code == 302
    assert other.get("/organisation/acme/").status_code == 302
    assert _sign_in(Client(), "mona@example.org", new) == 302


def test_nothing_that_opens_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("django.db.backends").setLevel(logging.INFO)
        client = _office_person()
        secret = _set_up_codes(client)
        _sign_in(Client(), "cora@example.org", "guess-that-fails")
        client.get("/nowhere")
    for text in (PASSWORD, secret, "guess-that-fails", str(client.session.session_key)):
        assert text not in caplog.text
