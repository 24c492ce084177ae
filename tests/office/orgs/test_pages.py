"""The room's pages, as every kind of viewer."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.orgs import actions
from clearhouse.office.orgs.models import ApiKey, Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of_key
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Scope
from tests.office.orgs.cast import NOW, PASSWORD, Cast, key_text, the_cast
from tests.office.orgs.site import MIDDLEWARE

pytestmark = pytest.mark.django_db

PEOPLE = ("public", "member", "manager", "outsider", "coordinator", "closed")


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.office.orgs.site"
    settings.MIDDLEWARE = MIDDLEWARE


def _client(cast: Cast, kind: str) -> Client:
    client = Client()
    if kind != "public":
        user = (
            User.objects.get(email="ida@example.org") if kind == "closed" else getattr(cast, kind)
        )
        client.force_login(user)
    return client


#: What each page answers: 302 leads to the sign-in.
READS: dict[str, dict[str, int]] = {
    "/organisation/": {
        **dict.fromkeys(PEOPLE, 302),
    },
    "/organisation/acme/": {
        "public": 302,
        "closed": 302,
        "outsider": 404,
        **dict.fromkeys(("member", "manager", "coordinator"), 200),
    },
    "/organisation/all/": {
        "public": 302,
        "closed": 302,
        "coordinator": 200,
        **dict.fromkeys(("member", "manager", "outsider"), 404),
    },
    "/organisation/profile/": {
        "public": 302,
        "closed": 302,
        **dict.fromkeys(("member", "manager", "outsider", "coordinator"), 200),
    },
    "/start/": dict.fromkeys(PEOPLE, 404),
    "/join/": dict.fromkeys(PEOPLE, 404),
    "/account/signup/": {**dict.fromkeys(PEOPLE, 302), "public": 200, "closed": 200},
    "/account/email/": dict.fromkeys(PEOPLE, 404),
    "/account/3rdparty/signup/": dict.fromkeys(PEOPLE, 404),
}


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("kind", PEOPLE)
def test_each_page_answers_each_viewer_as_the_table_says(path: str, kind: str) -> None:
    assert _client(the_cast(), kind).get(path).status_code == READS[path][kind]


FORMS: dict[str, dict[str, object]] = {
    "details": {"name": "Acme"},
    "policy": {"route": "here", "scale": "cvss4"},
    "package": {"purl": "pkg:pypi/acme"},
    "invitation": {"email": "new@example.org"},
    "key": {"name": "Robot", "scopes": ["cases:read"], "days": "30"},
}
WRITES: dict[str, int] = {
    "public": 302,
    "closed": 302,
    "member": 403,
    "outsider": 404,
    "manager": 302,
    "coordinator": 302,
}


@pytest.mark.parametrize("what", FORMS)
@pytest.mark.parametrize("kind", PEOPLE)
def test_each_form_answers_each_viewer(what: str, kind: str) -> None:
    answer = _client(the_cast(), kind).post(f"/organisation/acme/{what}/", FORMS[what])
    shows = what in ("invitation", "key") and kind in ("manager", "coordinator")
    assert answer.status_code == (200 if shows else WRITES[kind])


@pytest.mark.parametrize("kind", PEOPLE)
def test_roles_are_a_coordinators_to_change(kind: str) -> None:
    cast = the_cast()
    answer = _client(cast, kind).post("/organisation/acme/roles/", {"roles": ["deployer"]})
    expected = {**WRITES, "manager": 404}
    assert answer.status_code == expected[kind]
    changed = Organisation.objects.get(slug="acme").roles == ["deployer"]
    assert changed == (kind == "coordinator")


BUTTONS = (
    *("confirm-package", "remove-package", "withdraw-invitation", "make-manager"),
    *("end-manager", "remove-member", "revoke-key"),
)


@pytest.mark.parametrize("what", BUTTONS)
@pytest.mark.parametrize("kind", PEOPLE)
def test_each_button_answers_each_viewer(what: str, kind: str) -> None:
    cast = the_cast()
    package = actions.add_package(SYSTEM, cast.acme.pk, purl="pkg:pypi/acme", now=NOW)
    invited = actions.invite(SYSTEM, cast.acme.pk, email="new@example.org", now=NOW)
    things = {
        "package": package.pk,
        "invitation": invited.invitation.pk,
        "manager": cast.member.pk,
        "member": cast.member.pk,
        "key": ApiKey.objects.filter(organisation=cast.acme)[0].pk,
    }
    thing = things[what.rpartition("-")[2]]
    answer = _client(cast, kind).post(f"/organisation/acme/{what}/{thing}/")
    expected = dict(WRITES)
    if what == "confirm-package":
        expected |= {"member": 404, "manager": 404}
    assert answer.status_code == expected[kind]


@pytest.mark.parametrize("what", BUTTONS)
def test_a_button_does_nothing_when_it_is_only_looked_at(what: str) -> None:
    cast = the_cast()
    answer = _client(cast, "coordinator").get(f"/organisation/acme/{what}/{cast.member.pk}/")
    assert answer.status_code == 405
    assert Membership.objects.filter(user=cast.member).exists()


def test_the_first_run_screen_opens_the_office_signs_in_and_is_gone() -> None:
    client = Client()
    assert client.get("/start/").status_code == 200
    sent = {"organisation": "O", "name": "Ada", "email": "a@example.org", "password": "short"}
    wrong = client.post("/start/", sent)
    assert wrong.status_code == 422
    assert "usa-error-message" in wrong.content.decode()
    assert client.post("/start/", sent | {"password": PASSWORD}).status_code == 302
    assert client.get("/organisation/all/").status_code == 200
    assert client.get("/start/").status_code == 404
    assert Client().post("/start/", sent | {"password": PASSWORD}).status_code == 404


def test_somebody_new_joins_by_the_link_and_its_token_leaves_the_address() -> None:
    cast = the_cast(timezone.now())
    page = _client(cast, "manager").post(
        "/organisation/acme/invitation/", {"email": "new@example.org"}
    )
    found = re.search(r"http://localhost:8600(/join/[^/]+/)", page.content.decode())
    assert found
    client = Client()
    moved = client.get(found[1])
    assert moved.headers["Location"] == "/join/"
    assert "Acme" in client.get("/join/").content.decode()
    assert client.post("/join/", {"name": "Nia", "password": "short"}).status_code == 422
    assert client.post("/join/", {"name": "Nia", "password": PASSWORD}).status_code == 302
    assert client.get("/organisation/acme/").status_code == 200
    assert Client().get(found[1], follow=True).status_code == 404


def test_somebody_with_an_account_signs_in_and_joins() -> None:
    cast = the_cast(timezone.now())
    link = actions.invite(SYSTEM, cast.acme.pk, email=cast.outsider.email, now=timezone.now()).link
    path = (link or "").removeprefix("http://localhost:8600")
    client = Client()
    shown = client.get(path, follow=True).content.decode()
    assert "/account/login/?next=/join/" in shown
    assert client.post("/join/").status_code == 403
    sent = {"login": cast.outsider.email, "password": PASSWORD, "next": "/join/"}
    assert client.post("/account/login/", sent).headers["Location"] == "/join/"
    assert client.post("/join/").status_code == 302
    assert client.get("/organisation/", follow=True).redirect_chain[-1][0] == "/organisation/acme/"


def test_a_key_is_shown_once_and_works() -> None:
    cast = the_cast(timezone.now())
    client = _client(cast, "manager")
    page = client.post("/organisation/acme/key/", FORMS["key"]).content.decode()
    found = re.search(r"chk_[0-9a-f]+_[\w-]{43}", page)
    assert found
    assert viewer_of_key(found[0], timezone.now()).organisation == cast.acme.pk
    assert found[0] not in client.get("/organisation/acme/").content.decode()


def test_what_was_wrong_in_a_form_stands_beside_its_field() -> None:
    client = _client(the_cast(), "manager")
    answer = client.post("/organisation/acme/package/", {"purl": "django"})
    assert answer.status_code == 422
    assert 'aria-describedby="package_purl_hint package_purl_error"' in answer.content.decode()


def test_somebody_of_two_organisations_switches_and_nobody_to_another() -> None:
    cast = the_cast()
    actions.add_member(
        SYSTEM, cast.other.pk, email=cast.member.email, name="M", password=PASSWORD, now=NOW
    )
    client = _client(cast, "member")
    assert client.get("/organisation/other/").status_code == 404
    assert client.get("/organisation/switch/").status_code == 405
    assert client.post("/organisation/switch/", {"organisation": "other"}).status_code == 302
    assert client.get("/organisation/other/").status_code == 200
    assert client.get("/organisation/acme/").status_code == 404
    assert client.post("/organisation/switch/", {"organisation": "office"}).status_code == 404


def test_forms_from_elsewhere_change_nothing() -> None:
    cast = the_cast()
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.coordinator)
    path = f"/organisation/acme/remove-member/{cast.member.pk}/"
    assert client.post(path).status_code == 403
    assert Membership.objects.filter(user=cast.member).exists()


@pytest.mark.parametrize(
    "path",
    [
        *("/organisation/acme/", "/organisation/all/", "/organisation/profile/"),
        *("/account/login/", "/account/2fa/", "/account/password/reset/", "/account/logout/"),
        *("/account/password/change/", "/account/3rdparty/", "/account/reauthenticate/"),
    ],
)
def test_pages_have_nothing_inline_and_one_heading(path: str) -> None:
    cast = the_cast()
    client = _client(cast, "public" if path == "/account/login/" else "coordinator")
    answer = client.get(path, follow=True)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "uswds.min.css" in html
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert all(
        " src=" in one or 'type="application/json"' in one
        for one in re.findall(r"<script[^>]*>", html)
    )
    assert html.count("<h1") == 1
    controls = re.findall(r"<(?:input|select|textarea|button)\b[^>]*>", html)
    assert all('class="usa-' in one or 'type="hidden"' in one for one in controls)


API = {
    "": {"public": 403, "closed": 403, "outsider": 200, "member": 200},
    "/acme": {"public": 404, "closed": 404, "outsider": 404, "member": 200},
    "/acme/members": {"public": 404, "closed": 404, "outsider": 404, "member": 200},
    "/acme/packages": {"public": 404, "closed": 404, "outsider": 404, "member": 200},
    "/acme/policy": {"public": 404, "closed": 404, "outsider": 404, "member": 200},
    "/acme/invitations": {"public": 404, "closed": 404, "outsider": 404, "member": 403},
    "/acme/keys": {"public": 404, "closed": 404, "outsider": 404, "member": 403},
}


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("kind", PEOPLE)
def test_the_api_answers_each_viewer(path: str, kind: str) -> None:
    expected = {"manager": 200, "coordinator": 200} | API[path]
    answer = _client(the_cast(), kind).get(f"/api/organisations{path}")
    assert answer.status_code == expected[kind]


@pytest.mark.parametrize("path", API)
def test_the_api_answers_each_key(path: str) -> None:
    now = timezone.now()
    cast = the_cast(now)
    reading = key_text(cast.acme, Scope.ORGANISATION_READ, now=now)
    blind = key_text(cast.acme, Scope.CASES_READ, now=now)
    ended = key_text(cast.acme, Scope.ORGANISATION_READ, now=now)
    actions.revoke_api_key(SYSTEM, cast.acme.pk, key=ApiKey.objects.latest("pk").pk, now=now)

    def answer(text: str) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return Client(headers=headers).get(f"/api/organisations{path}").status_code

    assert answer(reading) == (403 if path in ("/acme/invitations", "/acme/keys") else 200)
    assert answer(blind) == 403
    assert answer(ended) == 401


def test_everything_the_pages_do_is_done_by_the_api_and_by_no_key() -> None:
    now = timezone.now()
    cast = the_cast(now)
    package = actions.add_package(SYSTEM, cast.acme.pk, purl="pkg:pypi/acme", now=now)
    invited = actions.invite(SYSTEM, cast.acme.pk, email="old@example.org", now=now)
    key = ApiKey.objects.filter(organisation=cast.acme)[1]
    details = {"name": "Acme"}
    calls = [
        ("post", "", {**details, "name": "Newer", "roles": ["finder"]}, 201),
        ("put", "/acme", details, 200),
        ("put", "/acme/roles", {"roles": ["supplier"]}, 200),
        ("put", f"/acme/members/{cast.member.pk}", {"is_manager": True}, 200),
        ("delete", f"/acme/members/{cast.member.pk}", None, 204),
        ("post", "/acme/invitations", {"email": "new@example.org"}, 201),
        ("delete", f"/acme/invitations/{invited.invitation.pk}", None, 204),
        (
            "post",
            "/acme/keys",
            {
                "name": "R",
                "scopes": ["cases:read"],
                "expires_at": (now + timedelta(days=3)).isoformat(),
            },
            201,
        ),
        ("delete", f"/acme/keys/{key.pk}", None, 200),
        ("put", "/acme/policy", {"route": "mail", "embargo_days": 14}, 200),
        ("post", "/acme/packages", {"purl": "pkg:npm/acme"}, 201),
        ("post", f"/acme/packages/{package.pk}/confirm", None, 200),
        ("delete", f"/acme/packages/{package.pk}", None, 204),
    ]
    offices = key_text(cast.office, *Scope, now=now)
    machine = Client(headers={"Authorization": f"Bearer {offices}"})
    person = _client(cast, "coordinator")
    for method, path, body, status in calls:
        for client, expected in ((machine, 403), (person, status)):
            answer = getattr(client, method)(
                f"/api/organisations{path}", body, content_type="application/json"
            )
            assert answer.status_code == expected, (method, path, answer.content)
    assert person.get("/api/organisations/acme/policy").json()["embargo_days"] == 14
