"""Asking whether something is known, from the page: blind, counted, and answered in one word."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.findings.deconfliction import MOST_IN_PERIOD
from clearhouse.office.findings.models import Finding, KnownQuestion
from clearhouse.office.scans import actions as scans
from clearhouse.protocol.deconfliction import fingerprint
from tests.office.findings.people import MIDDLEWARE, client_of, everybody, handed_in

pytestmark = pytest.mark.django_db
ADDRESS = "/findings/known/"
SIGNATURE = "sig1:" + "a" * 40


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def key_shown(browser: Client) -> bytes:
    found = re.search(r"<code>([0-9a-f]{64})</code>", browser.get(ADDRESS).content.decode())
    assert found is not None
    return bytes.fromhex(found[1])


def heading(browser: Client, **sent: str) -> str:
    answer = browser.post(ADDRESS, sent)
    assert answer.status_code == 200
    found = re.search(r'usa-alert__heading">([^<]*)<', answer.content.decode())
    assert found is not None
    return found[1]


def test_each_organisation_has_a_key_of_its_own_that_stays_the_same() -> None:
    people = everybody()
    browser = client_of(people.finder)
    assert key_shown(browser) == key_shown(browser)
    assert key_shown(browser) != key_shown(client_of(people.other))


def test_the_answer_is_one_of_three() -> None:
    people = everybody()
    handed_in(people.other)
    Finding.objects.update(signature=SIGNATURE, state="proven")
    now = timezone.now()
    scans.claim(people.other, "pkg:pypi/ecdsa", now + timedelta(days=1), now=now)
    browser = client_of(people.finder)
    key = key_shown(browser)
    assert heading(browser, signature=fingerprint(key, SIGNATURE)) == "Known"
    package = fingerprint(key, "pkg:pypi/ecdsa")
    assert heading(browser, package=package) == "Being scanned"
    assert heading(browser, signature=fingerprint(key, "sig1:other")) == "Not known"
    stranger = key_shown(client_of(people.supplier))
    assert heading(browser, signature=fingerprint(stranger, SIGNATURE)) == "Not known"


@pytest.mark.parametrize(
    "sent", [{}, {"signature": SIGNATURE}, {"package": "\x00" * 64}, {"signature": "z" * 64}]
)
def test_what_is_no_question_is_refused_and_not_counted(sent: dict[str, str]) -> None:
    answer = client_of(everybody().finder).post(ADDRESS, sent)
    assert answer.status_code == 422
    assert KnownQuestion.objects.count() == 0


def test_who_asks_too_often_is_told_to_wait() -> None:
    people = everybody()
    now = timezone.now()
    KnownQuestion.objects.bulk_create(
        KnownQuestion(organisation_id=people.finder.acting_for(), at=now)
        for _ in range(MOST_IN_PERIOD)
    )
    answer = client_of(people.finder).post(ADDRESS, {"signature": "a" * 64})
    assert answer.status_code == 422
    assert f"at most {MOST_IN_PERIOD} questions an hour" in answer.content.decode()
