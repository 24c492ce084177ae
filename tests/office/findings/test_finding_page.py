"""The page of a finding, as every kind of viewer, in every state."""

from __future__ import annotations

import html
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.ledger.receipt import Receipt
from clearhouse.office.cases.actions import people as participants
from clearhouse.office.findings import actions
from clearhouse.office.findings.models import Finding
from clearhouse.office.findings.standing import NEXT, STATES
from clearhouse.proof.zips import looks_like_zip
from tests.office.findings.people import (
    MIDDLEWARE,
    SAMPLE,
    client_of,
    everybody,
    handed_in,
    reported,
)
from tests.office.story import packed, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def page(browser: Client, found: Finding, more: str = "") -> tuple[int, str]:
    answer = browser.get(f"/findings/{found.name}/{more}")
    return answer.status_code, html.unescape(answer.content.decode("utf-8", "replace"))


PARTS = ("", "progress/", "content/")


@pytest.mark.parametrize("part", PARTS)
def test_a_finding_is_there_for_its_finder_and_the_office_and_for_nobody_else(part: str) -> None:
    people = everybody()
    found = handed_in(people.finder)
    answers = {
        "public": page(client_of(None), found, part)[0],
        "finder": page(client_of(people.finder), found, part)[0],
        "other": page(client_of(people.other), found, part)[0],
        "supplier": page(client_of(people.supplier), found, part)[0],
        "office": page(client_of(people.office), found, part)[0],
    }
    assert answers == {
        "public": 302, "finder": 200, "other": 404, "supplier": 404, "office": 200,
    }  # fmt: skip


def test_what_is_hidden_and_what_is_not_there_are_told_in_the_same_words() -> None:
    people = everybody()
    found = handed_in(people.finder)
    hidden = client_of(people.other).get(f"/findings/{found.name}/").content.decode()
    missing = client_of(people.other).get("/findings/F-AAAAAAAAAA/").content.decode()
    assert hidden.partition("<main")[2] == missing.partition("<main")[2]
    assert found.name not in hidden.partition("<main")[2]


@pytest.mark.parametrize(
    "address",
    ["/findings/F-%00AAAAAAAAA/", "/findings/f-aaaaaaaaaa/", "/findings/F-AAAAAAAAAAA/",
     "/findings/..%2f/", "/findings/F-AAAAAAAAAA/receipt/?entry=x", "/findings/C-AAAAAAAAAA/"],
)  # fmt: skip
def test_odd_addresses_are_not_found(address: str) -> None:
    assert client_of(everybody().finder).get(address).status_code == 404


def test_every_state_has_its_words_and_its_page() -> None:
    people = everybody()
    found = reported(people.finder)
    browser = client_of(people.finder)
    for state in Finding.State:
        Finding.objects.update(state=state)
        status, text = page(browser, found)
        assert status == 200
        assert STATES[state].meaning in text
        assert NEXT[state] in text


def test_one_that_waits_says_how_many_are_before_it_and_asks_again_by_itself() -> None:
    people = everybody()
    first, second = handed_in(people.other), handed_in(people.finder)
    third = reported(people.finder)
    status, text = page(client_of(people.finder), second)
    assert status == 200
    assert f'hx-get="/findings/{second.name}/progress/"' in text
    assert "It is the next." in page(client_of(people.other), first)[1]
    assert "About 2 before it." in page(client_of(people.finder), third)[1]


def test_once_it_is_decided_the_page_loads_anew() -> None:
    people = everybody()
    found = reported(people.finder)
    browser = client_of(people.finder)
    address = f"/findings/{found.name}/progress/"
    assert "HX-Refresh" not in browser.get(address).headers
    work_off(timezone.now())
    answer = browser.get(address)
    assert answer.headers["HX-Refresh"] == "true"
    assert "hx-get" not in answer.content.decode()


def test_what_was_handed_in_comes_back_byte_for_byte_and_is_never_shown() -> None:
    people = everybody()
    sent = packed(SAMPLE)
    found = handed_in(people.finder)
    answer = client_of(people.finder).get(f"/findings/{found.name}/content/")
    assert len(answer.content) == len(sent)
    assert not looks_like_zip(answer.content)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{found.name}.tar.gz"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_texts_of_strangers_are_text() -> None:
    people = everybody()
    evil = "<script>alert(1)</script>"
    found = reported(
        people.finder, title=evil, description=evil, effect=evil, found_by={"name": evil},
        origin_id=evil, references=["https://example.org/'onclick='x"], severity=evil,
    )  # fmt: skip
    answer = client_of(people.office).get(f"/findings/{found.name}/").content.decode()
    assert evil not in answer
    assert answer.count(html.escape(evil)) >= 5
    assert "'onclick='" not in answer


def test_its_finder_withdraws_it_and_nobody_else_does() -> None:
    people = everybody()
    found = handed_in(people.finder)
    address = f"/findings/{found.name}/withdraw/"
    assert client_of(None).post(address).status_code == 302
    for stranger in (people.other, people.supplier):
        assert client_of(stranger).post(address).status_code == 404
    assert "Withdraw" not in page(client_of(people.office), found)[1]
    browser = client_of(people.finder)
    assert browser.get(address).status_code == 405
    assert f"Withdraw {found.name}" in page(browser, found)[1]
    assert "Withdrawn." in browser.post(address, follow=True).content.decode()
    found.refresh_from_db()
    assert found.state == "withdrawn"
    assert work_off(timezone.now()) == 0


def test_one_that_could_not_be_run_is_run_again_by_a_coordinator_only() -> None:
    people = everybody()
    found = handed_in(people.finder)
    actions.could_not_run(found.name, "no sandbox here", now=timezone.now())
    address = f"/findings/{found.name}/run-again/"
    assert "no sandbox here" in page(client_of(people.finder), found)[1]
    assert "Run it again" not in page(client_of(people.finder), found)[1]
    assert client_of(people.finder).post(address).status_code == 404
    office = client_of(people.office)
    assert "Run it again" in page(office, found)[1]
    answer = office.post(address, follow=True).content.decode()
    assert "It will be run again." in answer
    found.refresh_from_db()
    assert found.state == "queued"
    assert "before it" in answer or "It is the next." in answer
    assert "waiting" in office.post(address, follow=True).content.decode()


def test_a_refused_one_shows_what_is_missing() -> None:
    people = everybody()
    found = reported(people.finder)
    missing = "example 1.2.3 has no file keys.py; did you mean key.py?"
    document = {"absent": [missing], "found": ["example", "1.2.3"], "undecided": ["no archive"]}
    actions.ground(found.name, document, now=timezone.now())
    _, text = page(client_of(people.finder), found)
    assert missing in text
    assert "What exists" in text
    assert "no archive" in text
    assert "Correct what is missing" in text


@pytest.mark.django_db(transaction=True)
def test_receipts_are_for_who_may_see_the_entry() -> None:
    people = everybody()
    found = handed_in(people.finder)
    made = actions.commit(people.finder, "a" * 64, now=timezone.now())
    for address, name in (
        (f"/findings/{found.name}/receipt/", f"{found.name}-receipt-{found.entry}.json"),
        (f"/findings/commitments/{made.name}/receipt/", f"{made.name}-receipt.json"),
    ):
        for viewer, status in (
            (None, 302), (people.other, 404), (people.supplier, 404), (people.office, 200),
        ):  # fmt: skip
            assert client_of(viewer).get(address).status_code == status
        answer = client_of(people.finder).get(address)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert Receipt.parse(answer.content).index in (found.entry, made.entry)
    other = client_of(people.finder).get(f"/findings/{found.name}/receipt/?entry={made.entry}")
    assert other.status_code == 404


@pytest.mark.sandbox
@pytest.mark.network
def test_a_proven_one_shows_its_evidence_and_its_case_to_who_takes_part() -> None:
    people = everybody()
    found = handed_in(people.finder)
    work_off(timezone.now())
    found.refresh_from_db()
    browser = client_of(people.finder)
    _, text = page(browser, found)
    for words in (
        "Differential", "Every run", "Stack at that moment", found.signature, "hit rate",
        f"clearhouse prove {found.name}.tar.gz --explain", f'href="/cases/{found.case}/"',
    ):  # fmt: skip
        assert words in text, words
    verdict = browser.get(f"/findings/{found.name}/verdict/")
    assert json.loads(verdict.content)["digest"] == found.verdict_digest
    assert "attachment" in verdict.headers["Content-Disposition"]
    supplier = client_of(people.supplier)
    assert page(supplier, found)[0] == 404
    now = timezone.now() + timedelta(hours=1)
    participants.tell(people.office, found.case, "ecdsa-team", now=now)
    assert page(supplier, found)[0] == 404
    participants.answer(people.supplier, found.case, "accept", now=now)
    status, text = page(supplier, found)
    assert status == 200
    assert f'href="/cases/{found.case}/"' in text
    assert supplier.get(f"/findings/{found.name}/verdict/").status_code == 200
