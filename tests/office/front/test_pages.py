"""The first page for each kind of viewer, and what every site has."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.cases.actions import people as participants
from clearhouse.office.front.contact import as_address
from clearhouse.office.orgs.models import User
from clearhouse.protocol.roles import Role
from tests.office.findings.people import MIDDLEWARE, client_of, everybody, handed_in
from tests.office.story import somebody, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.mark.parametrize("path", ["/cases/%00/", "/osv/%00.json", "/%00"])
def test_what_names_nothing_leads_nowhere(path: str) -> None:
    people = everybody()
    assert client_of(people.office).get(path).status_code == 404
    assert client_of(people.office).get("/cases/?q=%00&before=%00").status_code == 404
    assert client_of(people.office).get("/cases/?q=%00").status_code == 200


def test_an_office_without_people_leads_to_its_first_run() -> None:
    answer = client_of(None).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/start/")


def test_the_public_reads_what_the_office_is_and_where_to_go() -> None:
    everybody()
    text = client_of(None).get("/").content.decode()
    for link in ("/findings/report/", "/advisories/", "/oversight/", "/contact/", "/ledger/"):
        assert f'href="{link}"' in text


def test_each_role_finds_what_concerns_it_and_no_more() -> None:
    people = everybody()
    found = handed_in(people.finder)
    headings = {
        people.finder: {"Your latest findings"},
        people.office: {"What comes next"},
        people.supplier: set(),
        somebody("hospital", Role.DEPLOYER): {"First on your systems"},
        somebody("watch", Role.OBSERVER): set(),
        somebody("both", Role.SUPPLIER, Role.FINDER): {"Your latest findings"},
        somebody("none"): set(),
    }
    for viewer, expected in headings.items():
        text = client_of(viewer).get("/").content.decode()
        assert set(re.findall(r"<h2>([^<]*)</h2>", text)) == expected, viewer.name
        assert (found.name in text) is (viewer is people.finder)
        assert ("Nothing to do" in text) == (not expected)


def test_somebody_without_an_organisation_gets_the_public_page() -> None:
    everybody()
    User.objects.create_user("lone@example.org", name="Lone")
    browser = client_of(None)
    browser.force_login(User.objects.get(email="lone@example.org"))
    assert browser.get("/").status_code == 200
    assert browser.get("/findings/").status_code == 403


@pytest.mark.sandbox
@pytest.mark.network
def test_a_supplier_finds_its_case_with_its_clock() -> None:
    people = everybody()
    found = handed_in(people.finder)
    work_off(timezone.now())
    found.refresh_from_db()
    participants.tell(people.office, found.case, "ecdsa-team", now=timezone.now())
    invited = client_of(people.supplier).get("/").content.decode()
    assert "In your software" in invited
    assert found.title not in invited
    participants.answer(people.supplier, found.case, "accept", now=timezone.now())
    text = client_of(people.supplier).get("/").content.decode()
    assert f'href="/cases/{found.case}/"' in text
    assert "ch-deadline" in text
    queue = client_of(people.office).get("/").content.decode()
    assert 'href="/queue/"' in queue
    assert f'href="/cases/{found.case}/"' in queue


@pytest.mark.parametrize("address", ["/contact/", "/accessibility/"])
def test_anybody_reads_the_pages_about_the_office(address: str) -> None:
    people = everybody()
    for viewer in (None, people.finder, people.office):
        assert client_of(viewer).get(address).status_code == 200


def test_crawlers_are_sent_to_what_is_public_only() -> None:
    lines = client_of(None).get("/robots.txt").content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert lines[-1] == "Disallow: /"
    assert "Allow: /$" in lines
    allowed = {line.removeprefix("Allow: ") for line in lines if line.startswith("Allow: ")}
    assert not allowed & {"/", "/findings/", "/cases/", "/queue/", "/account/"}


def test_security_txt_has_what_rfc_9116_asks_for() -> None:
    answer = client_of(None).get("/.well-known/security.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert {"Contact", "Expires", "Canonical", "Policy"} <= set(fields)
    left = datetime.fromisoformat(fields["Expires"]) - timezone.now()
    assert timedelta(days=200) < left < timedelta(days=365)
    assert re.match(r"(https?|mailto|tel):", fields["Contact"])


@pytest.mark.parametrize(
    ("contact", "address"),
    [
        ("office@example.org", "mailto:office@example.org"),
        ("https://example.org/c", "https://example.org/c"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("+49 (30) 123-45", "tel:+493012345"),
        ("a@example.org\nPolicy: x", "mailto:a@example.org Policy: x"),
    ],
)
def test_a_contact_becomes_an_address(contact: str, address: str) -> None:
    assert as_address(contact) == address


def test_what_is_not_there_has_a_page() -> None:
    everybody()
    answer = client_of(None).get("/nothing/here")
    assert answer.status_code == 404
    assert b"There is no page at this address." in answer.content
    assert client_of(None).get("/favicon.ico").headers["Location"].endswith("icon.svg")
