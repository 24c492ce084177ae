"""Claims on packages, as every kind of viewer."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.scans import actions
from clearhouse.office.scans.models import ScanClaim
from tests.office.findings.people import MIDDLEWARE, client_of, everybody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def test_claims_are_seen_by_who_made_them_and_by_the_office() -> None:
    people = everybody()
    actions.claim(
        people.finder, "pkg:pypi/ecdsa", timezone.now() + timedelta(days=1), now=timezone.now()
    )
    for viewer, status, sees in (
        (None, 302, False),
        (people.finder, 200, True),
        (people.other, 200, False),
        (people.supplier, 200, False),
        (people.office, 200, True),
    ):
        answer = client_of(viewer).get("/scans/")
        assert answer.status_code == status
        assert ("pkg:pypi/ecdsa</th>" in answer.content.decode()) is sees


@pytest.mark.parametrize("days", [0, 1, 29, 30])
def test_a_package_is_claimed_until_the_end_of_a_day_and_released(days: int) -> None:
    people = everybody()
    browser = client_of(people.finder)
    sent = {"package": "pkg:pypi/ecdsa@1.0", "until": in_days(days)}
    answer = browser.post("/scans/", sent, follow=True)
    assert "Claimed pkg:pypi/ecdsa." in answer.content.decode()
    made = ScanClaim.objects.get()
    address = f"/scans/{made.name}/release/"
    assert client_of(people.other).post(address).status_code == 404
    assert client_of(people.office).post(address).status_code == 404
    assert client_of(None).post(address).status_code == 302
    assert browser.get(address).status_code == 405
    assert "Released pkg:pypi/ecdsa." in browser.post(address, follow=True).content.decode()
    assert "No claims" in browser.get("/scans/").content.decode()


@pytest.mark.parametrize(
    ("package", "until"),
    [
        ("ecdsa", 1),
        ("", 1),
        ("pkg:pypi/a\x00b", 1),
        ("pkg:pypi/ecdsa", 31),
        ("pkg:pypi/ecdsa", -1),
        ("pkg:pypi/ecdsa", "9999-12-31"),
        ("pkg:pypi/ecdsa", "0001-01-01"),
        ("pkg:pypi/ecdsa", "soon"),
        ("pkg:pypi/" + "%20" * 99, 1),
    ],
)
def test_what_cannot_be_claimed_is_refused_and_kept_in_the_form(
    package: str, until: str | int
) -> None:
    day = in_days(until) if isinstance(until, int) else until
    answer = client_of(everybody().finder).post("/scans/", {"package": package, "until": day})
    assert answer.status_code == 422
    assert "usa-error-message" in answer.content.decode()
    assert ScanClaim.objects.count() == 0
    if until == 31:
        assert package in html.unescape(answer.content.decode())
