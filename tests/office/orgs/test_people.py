"""How people come into an organisation and leave it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from clearhouse.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from clearhouse.office.orgs import actions
from clearhouse.office.orgs.models import Invitation, Membership, Organisation, User
from clearhouse.office.orgs.queries import invitations, is_open, members, viewer_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role
from tests.office.orgs.cast import NOW, PASSWORD, organisation, person, the_cast

pytestmark = pytest.mark.django_db
WEEKS = timedelta(days=14)


def _opened(email: str = "first@example.org") -> User:
    return actions.create_first_coordinator(
        organisation="The Office", name="Ada", email=email, password=PASSWORD, now=NOW
    )


def _token(link: str | None) -> str:
    assert link is not None
    return link.rstrip("/").rpartition("/")[2]


def test_the_first_person_opens_the_office_and_coordinates() -> None:
    assert not is_open()
    user = _opened()
    viewer = viewer_of(user, None)
    assert viewer.coordinates
    assert Membership.objects.get(user=user).is_manager
    assert EmailAddress.objects.get(user=user).verified
    assert is_open()


def test_an_office_opens_once() -> None:
    _opened()
    with pytest.raises(NotFound):
        _opened("second@example.org")
    assert User.objects.count() == Organisation.objects.count() == 1


def test_an_office_that_has_any_account_does_not_open() -> None:
    person(organisation("Acme", Role.FINDER), "Ada")
    with pytest.raises(NotFound):
        _opened()


def test_an_attempt_that_failed_leaves_the_office_to_open() -> None:
    with pytest.raises(Invalid) as error:
        actions.create_first_coordinator(
            organisation="Office", name="Ada", email="a@example.org", password="short", now=NOW
        )
    assert error.value.key == "password"
    assert not is_open()
    assert _opened().pk


def test_somebody_new_comes_in_by_the_link_once() -> None:
    cast = the_cast()
    invited = actions.invite(
        cast.viewers["manager"], cast.acme.pk, email="New@Example.org", is_manager=True, now=NOW
    )
    token = _token(invited.link)
    user = actions.accept_invitation(token, person=None, name="Nia", password=PASSWORD, now=NOW)
    assert user.email == "new@example.org"
    assert user.check_password(PASSWORD)
    assert Membership.objects.get(user=user, organisation=cast.acme).is_manager
    with pytest.raises(NotFound):
        actions.accept_invitation(token, person=None, name="Nia", password=PASSWORD, now=NOW)


def test_somebody_with_an_account_joins_with_that_one_signed_in_only() -> None:
    cast = the_cast()
    invited = actions.invite(
        cast.viewers["manager"], cast.acme.pk, email=cast.outsider.email, now=NOW
    )
    token = _token(invited.link)
    for other in (None, cast.member.pk):
        with pytest.raises(Refused):
            actions.accept_invitation(
                token, person=other, name="Eve", password=PASSWORD + "x", now=NOW
            )
    joined = actions.accept_invitation(token, person=cast.outsider.pk, now=NOW)
    assert joined == cast.outsider
    assert joined.check_password(PASSWORD)
    assert viewer_of(joined, cast.acme.pk).organisation == cast.acme.pk


def test_an_account_that_was_closed_does_not_come_back_by_an_invitation() -> None:
    cast = the_cast()
    cast.outsider.is_active = False
    cast.outsider.save()
    link = actions.invite(SYSTEM, cast.acme.pk, email=cast.outsider.email, now=NOW).link
    with pytest.raises(Refused):
        actions.accept_invitation(_token(link), person=cast.outsider.pk, now=NOW)


def test_an_invitation_ends_with_its_two_weeks() -> None:
    acme = organisation("Acme", Role.FINDER)
    link = actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW).link
    assert invitations(SYSTEM, acme.pk, NOW + WEEKS) == []
    with pytest.raises(NotFound):
        actions.accept_invitation(
            _token(link), person=None, name="N", password=PASSWORD, now=NOW + WEEKS
        )
    assert not User.objects.exists()


def test_a_second_invitation_ends_the_first() -> None:
    acme = organisation("Acme", Role.FINDER)
    first = actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW)
    second = actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW)
    assert [one.pk for one in invitations(SYSTEM, acme.pk, NOW)] == [second.invitation.pk]
    with pytest.raises(NotFound):
        actions.accept_invitation(
            _token(first.link), person=None, name="N", password=PASSWORD, now=NOW
        )


def test_an_invitation_is_mailed_where_there_is_mail_and_shown_to_nobody(
    settings: Settings,
) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=("localhost", 25))
    acme = organisation("Acme", Role.FINDER)
    invited = actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW)
    assert invited.link is None
    (sent,) = mail.outbox
    assert sent.to == ["new@example.org"]
    token = str(sent.body).split("/join/")[1].split("/")[0]
    user = actions.accept_invitation(token, person=None, name="N", password=PASSWORD, now=NOW)
    assert user.email == "new@example.org"


def test_a_mail_that_does_not_go_out_leaves_no_invitation(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=("localhost", 9))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    acme = organisation("Acme", Role.FINDER)
    with pytest.raises(Unavailable):
        actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW)
    assert not Invitation.objects.exists()


def test_an_office_on_the_network_shows_no_links_instead_of_mail(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, is_local=False, mail=None)
    with pytest.raises(Unavailable, match="CLEARHOUSE_MAIL"):
        actions.invite(
            SYSTEM, organisation("Acme", Role.FINDER).pk, email="new@example.org", now=NOW
        )


def test_a_token_is_neither_kept_nor_logged_nor_shown_by_repr(
    caplog: pytest.LogCaptureFixture,
) -> None:
    acme = organisation("Acme", Role.FINDER)
    with caplog.at_level(logging.DEBUG, logger="clearhouse"):
        invited = actions.invite(SYSTEM, acme.pk, email="new@example.org", now=NOW)
        token = _token(invited.link)
        actions.accept_invitation(token, person=None, name="N", password=PASSWORD, now=NOW)
    kept = " ".join(str(value) for value in Invitation.objects.values_list().get())
    assert token not in kept
    assert token not in caplog.text
    assert token not in repr(invited)
    assert PASSWORD not in caplog.text


def test_the_last_manager_neither_leaves_nor_steps_down() -> None:
    cast = the_cast()  # the third manager's account is closed, and counts for nothing
    viewer = cast.viewers["manager"]
    deeds: tuple[Callable[[], object], ...] = (
        lambda: actions.remove_member(viewer, cast.acme.pk, person=cast.manager.pk, now=NOW),
        lambda: actions.change_member(
            viewer, cast.acme.pk, person=cast.manager.pk, is_manager=False, now=NOW
        ),
    )
    for deed in deeds:
        with pytest.raises(Refused, match="only manager"):
            deed()
    actions.change_member(viewer, cast.acme.pk, person=cast.member.pk, is_manager=True, now=NOW)
    deeds[0]()
    assert viewer_of(cast.manager, None).is_public


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["up", "down", "out"])), max_size=12))
def test_whatever_is_done_somebody_still_manages(
    moves: list[tuple[int, str]],
) -> None:
    from django.db import transaction

    with transaction.atomic():
        acme = organisation("Acme", Role.FINDER)
        people = [person(acme, f"P{n}", is_manager=n == 0).pk for n in range(4)]
        for who, what in moves:
            try:
                if what == "out":
                    actions.remove_member(SYSTEM, acme.pk, person=people[who], now=NOW)
                else:
                    actions.change_member(
                        SYSTEM, acme.pk, person=people[who], is_manager=what == "up", now=NOW
                    )
            except (Refused, NotFound):
                pass
            assert any(one.is_manager for one in members(SYSTEM, acme.pk))
        transaction.set_rollback(True)


def test_one_address_is_one_account_and_one_membership() -> None:
    acme = organisation("Acme", Role.FINDER)
    person(acme, "Ada")
    with pytest.raises(Conflict):
        actions.invite(SYSTEM, acme.pk, email="ADA@example.org", now=NOW)
    again = person(acme, "ADA", is_manager=True)
    assert again.name == "Ada"
    assert Membership.objects.get().is_manager


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org"])
def test_what_is_no_address_is_invited_to_nothing(email: str) -> None:
    with pytest.raises(Invalid) as error:
        actions.invite(SYSTEM, organisation("Acme", Role.FINDER).pk, email=email, now=NOW)
    assert error.value.key == "email"
