"""Two at once: one notice for one matter, and nothing told is lost to a message being made."""

from __future__ import annotations

import pytest

from clearhouse.office.notices import actions
from clearhouse.office.notices.actions import sending
from clearhouse.office.notices.models import Channel, Delivery, Message, Notice
from tests.office.notices.made import NOW, at, hospital, tell
from tests.office.racing import needs_postgresql, overtaken_by

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]


def with_channel() -> str:
    made = actions.add_channel(hospital(), "webhook", "https://receiver.example/", now=NOW)
    Message.objects.all().delete()
    Channel.objects.update(state=Channel.State.ACTIVE)
    return made.channel.name


def test_a_matter_told_twice_at_once_is_one_notice() -> None:
    viewer = hospital()
    with overtaken_by(lambda: tell(viewer)) as meanwhile:
        tell(viewer)
        second = meanwhile()
    assert second.error is None
    assert Notice.objects.count() == 1


def test_what_is_told_anew_while_its_message_is_made_goes_out_once_more() -> None:
    viewer, channel = hospital(), with_channel()
    tell(viewer)
    with overtaken_by(lambda: tell(viewer, to_do="Install 2.4.2.", now=at(minutes=1))) as meanwhile:
        assert sending.gather(channel, now=at(minutes=1)) is not None
        second = meanwhile()
    assert second.error is None
    waiting = Delivery.objects.get(message=None)
    gone = Delivery.objects.exclude(message=None).get()
    assert (gone.revision, waiting.revision) == (1, 2)


def test_two_that_gather_at_once_make_one_message() -> None:
    viewer, channel = hospital(), with_channel()
    tell(viewer)
    with overtaken_by(lambda: sending.gather(channel, now=at(minutes=1))) as meanwhile:
        sending.gather(channel, now=at(minutes=1))
        second = meanwhile()
    assert second.error is None
    assert Message.objects.count() == 1
