"""Signing in with a real browser: a passkey, and an identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.office import browser
from tests.office.orgs.provider import Person, Provider, provider
from tests.office.orgs.running import PASSWORD, Office, office

pytestmark = pytest.mark.slow

_PEOPLE = f"""
from datetime import UTC, datetime
from clearhouse.office.orgs.actions import add_member, create_organisation
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role
now = datetime.now(UTC)
acme = create_organisation(SYSTEM, name="Acme", roles=[Role.SUPPLIER], now=now)
office = create_organisation(SYSTEM, name="Office", roles=[Role.COORDINATOR], now=now)
for one, name in ((acme, "Mona"), (office, "Cora")):
    add_member(
        SYSTEM, one.pk, email=name.lower() + "@example.org", name=name, password={PASSWORD!r},
        is_manager=True, now=now,
    )
"""
_COUNT = "from clearhouse.office.orgs.models import User\nprint(User.objects.count())"


@pytest.fixture(scope="module")
def identity() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def running(identity: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = office(
        tmp_path_factory.mktemp("home"),
        OIDC_ISSUER=identity.url,
        OIDC_CLIENT_ID=identity.client,
        OIDC_CLIENT_SECRET=identity.secret,
        OIDC_NAME="Example Identity",
    )
    made.run(_PEOPLE)
    with made.served():
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.browser() as chromium:
        yield chromium


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


def _watched(window: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what the content security policy stopped on it."""
    page, stopped = window.new_page(), list[str]()
    page.on(
        "console",
        lambda said: stopped.append(said.text) if "Content Security" in said.text else None,
    )
    return page, stopped


def test_a_passkey_is_registered_and_signs_in_without_a_password(
    running: Office, window: BrowserContext
) -> None:
    page, stopped = _watched(window)
    device = window.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.goto(f"{running.url}/account/login/")
    page.fill("#id_login", "cora@example.org")
    page.fill("#id_password", PASSWORD)
    page.click("form.usa-form button[type=submit]")
    page.wait_for_url(lambda url: "/account/login/" not in url)
    page.goto(f"{running.url}/organisation/all/")
    assert page.url.endswith("/account/2fa/")

    page.goto(f"{running.url}/account/2fa/webauthn/add/")
    page.fill("#id_password", PASSWORD)
    page.click("form.usa-form button[type=submit]")
    page.fill("#id_name", "My laptop")
    page.locator("label[for=id_passwordless]").click()
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/account/2fa/recovery-codes/**")

    window.clear_cookies()
    page.goto(f"{running.url}/account/login/")
    page.click("#passkey_login")
    page.wait_for_url(lambda url: "/account/login/" not in url)
    page.goto(f"{running.url}/organisation/all/")
    assert page.text_content("h1") == "Organisations"
    assert stopped == []


def test_the_key_is_the_second_factor_after_a_password_as_well(
    running: Office, window: BrowserContext
) -> None:
    page, stopped = _watched(window)
    device = window.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": False,
        "hasUserVerification": False,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    _sign_in(page, running)
    page.goto(f"{running.url}/account/2fa/webauthn/add/")
    page.fill("#id_password", PASSWORD)
    page.click("form.usa-form button[type=submit]")
    page.fill("#id_name", "On my ring")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/account/2fa/recovery-codes/**")

    window.clear_cookies()
    _sign_in(page, running)
    assert page.url.endswith("/account/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url(lambda url: "/authenticate/" not in url)
    page.goto(f"{running.url}/organisation/acme/")
    assert page.text_content("h1") == "Acme"
    assert stopped == []


@pytest.mark.parametrize(
    "claims",
    [
        Person("m-1", "nobody@example.org", confirmed=True),
        Person("m-2", "cora@example.org", confirmed=False),
        Person("m-3", "cora@example.org", confirmed="false"),
    ],
    ids=["unknown", "unconfirmed", "the text false"],
)
def test_an_identity_without_a_confirmed_address_of_an_account_does_not_come_in(
    running: Office, window: BrowserContext, identity: Provider, claims: Person
) -> None:
    people = running.run(_COUNT)
    page = _arrives(running, window, identity, claims)
    assert page.text_content("h1") == "Accounts come by invitation"
    page.goto(f"{running.url}/organisation/profile/")
    assert "/account/login/" in page.url
    assert running.run(_COUNT) == people


def test_an_identity_signs_in_to_the_account_with_its_confirmed_address_and_then_to_that_one(
    running: Office, window: BrowserContext, identity: Provider
) -> None:
    running.run(
        "from allauth.mfa.models import Authenticator\n"
        "Authenticator.objects.filter(user__email='cora@example.org').delete()"
    )
    people = running.run(_COUNT)
    for address in ("Cora@example.org", "new@example.org"):
        page = _arrives(running, window, identity, Person("m-4", address, confirmed=True))
        page.goto(f"{running.url}/organisation/profile/")
        # An office of coordinators: whoever comes in is led to the second factor first.
        assert page.url.endswith("/account/2fa/")
        window.clear_cookies()
    assert running.run(_COUNT) == people


def _arrives(running: Office, window: BrowserContext, identity: Provider, claims: Person) -> Page:
    """Sign in by the provider, as the person with these claims."""
    identity.person = claims
    page, stopped = _watched(window)
    page.goto(f"{running.url}/account/login/")
    page.click("text=Example Identity")
    page.click("form.usa-form button[type=submit]")
    page.wait_for_url(lambda url: "/callback/" in url or "/account/oidc/" not in url)
    assert stopped == []
    return page


def test_what_the_server_says_names_no_secret(
    running: Office, window: BrowserContext, identity: Provider
) -> None:
    _sign_in(window.new_page(), running)
    said = (Path(running.environment["CLEARHOUSE_HOME"]) / "server.log").read_text()
    assert "GET /account/login/" in said
    for secret in (PASSWORD, identity.secret):
        assert secret not in said


def _sign_in(page: Page, running: Office) -> None:
    page.goto(f"{running.url}/account/login/")
    page.fill("#id_login", "mona@example.org")
    page.fill("#id_password", PASSWORD)
    page.click("form.usa-form button[type=submit]")
    page.wait_for_url(lambda url: "/account/login/" not in url)
