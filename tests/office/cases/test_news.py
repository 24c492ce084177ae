"""Who is asked into a case is told by mail that there is one, and nothing of what it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from pytest_django import Settings

from clearhouse.errors import Unavailable
from clearhouse.office.cases.actions import news, people
from clearhouse.office.orgs.models import Organisation
from clearhouse.office.queue.inline import work_off
from clearhouse.protocol.roles import Role
from tests.office.cases.made import PACKAGE, at, cast, opened
from tests.office.story import somebody

pytestmark = pytest.mark.django_db
ADDRESS = "security@team.example"


@pytest.fixture(autouse=True)
def _relay(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=("localhost", 25))


def _told() -> str:
    one = cast()
    case = opened(one)
    team = Organisation.objects.get(pk=one.supplier.acting_for())
    team.contact = ADDRESS
    team.save()
    people.tell(one.office, case.name, team.slug, now=at(1))
    return case.name


def test_a_supplier_that_is_told_gets_one_mail_with_the_way_to_the_case() -> None:
    name = _told()
    assert mail.outbox == []  # it is sent once it is certain
    work_off(at(2), only=[news.MAIL])
    (sent,) = mail.outbox
    assert sent.to == [ADDRESS]
    assert f"/cases/{name}/" in sent.body
    for secret in (PACKAGE, PACKAGE.rpartition("/")[2], "flaw", "CWE"):
        assert secret not in f"{sent.subject} {sent.body}"
    work_off(at(2), only=[news.MAIL])
    assert len(mail.outbox) == 1


def test_an_office_without_mail_sends_none(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=None)
    _told()
    assert work_off(at(2), only=[news.MAIL]) == 0


def test_a_relay_that_takes_nothing_is_tried_again(settings: Settings) -> None:
    name = _told()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    supplier = Organisation.objects.get(contact=ADDRESS)
    with pytest.raises(Unavailable, match="takes no mail"):
        news.send(supplier.pk, name)


def test_an_invited_guest_is_told_as_well() -> None:
    one = cast()
    case = opened(one)
    somebody("hospital", Role.DEPLOYER)
    people.invite(one.office, case.name, "hospital", Role.DEPLOYER, now=at(1))
    assert work_off(at(2), only=[news.MAIL]) == 1
