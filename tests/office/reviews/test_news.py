"""Who is asked into a review is told by mail that something waits, and nothing of what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from pytest_django import Settings

from clearhouse.office.orgs.models import Organisation
from clearhouse.office.queue.inline import work_off
from clearhouse.office.reviews.actions import choosing, news, submitting
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.partners import Part
from tests.office.assessments.made import assessed
from tests.office.reviews import made
from tests.office.reviews.made import MODEL, Cast, at

pytestmark = pytest.mark.django_db
#: What no mail says: the model, the developer, and what it is at all.
SECRETS = (MODEL, "Lab", "lab", "review", "model", "measure", "determin")


@pytest.fixture(autouse=True)
def _relay(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=("localhost", 25))


@pytest.fixture
def who() -> Cast:
    who = made.cast()
    Organisation.objects.filter(slug="clinic-net").update(contact="desk@clinic.example")
    Organisation.objects.filter(slug="lab").update(contact="desk@developer.example")
    return who


def sent() -> list[mail.EmailMessage]:
    work_off(at(4), only=[news.MAIL])
    return list(mail.outbox)


def is_silent(one: mail.EmailMessage, name: str) -> bool:
    """Whether it says nothing but in which office to look."""
    said = f"{one.subject} {one.body}"
    return not any(word in said for word in (*SECRETS, name))


def test_a_party_is_told_once_both_sides_agreed_and_not_before(who: Cast) -> None:
    name = made.opened(who)
    row = choosing.propose_party(
        who.office, name, "clinic-net", Part.PARTNER, size=Size.LARGE, reason="fits",
        conflicts="", now=at(1),
    )  # fmt: skip
    assert sent() == []
    choosing.agree_to_party(who.developer, name, row.name, "it does", now=at(1))
    [one] = sent()
    assert one.to == ["desk@clinic.example"]
    assert is_silent(one, name)
    assert len(sent()) == 1


def test_nobody_is_told_of_a_review_that_was_withdrawn_meanwhile(who: Cast) -> None:
    name = made.opened(who)
    made.chosen(who, name, now=at(1))
    submitting.withdraw(who.developer, name, now=at(1))
    assert sent() == []


def test_a_party_that_is_asked_no_more_is_not_told(who: Cast) -> None:
    name = made.opened(who)
    party = made.chosen(who, name, now=at(1))
    choosing.revoke_party(who.developer, name, party, now=at(1))
    assert sent() == []


def test_the_developer_is_told_that_it_may_answer(who: Cast) -> None:
    found = assessed(who)
    [one] = sent()
    assert one.to == ["desk@developer.example"]
    assert is_silent(one, found.review.name)


def test_an_office_without_mail_sends_none(who: Cast, settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=None)
    made.chosen(who, made.opened(who), now=at(1))
    assert work_off(at(4), only=[news.MAIL]) == 0
