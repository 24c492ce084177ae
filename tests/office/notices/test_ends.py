"""Whoever was told of a matter is told once, quietly, that it is over; nobody else is."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.models import Channel, Delivery, Message
from clearhouse.protocol.notices import Agreement
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import (
    SECRET,
    Receiver,
    Relay,
    at,
    hospital,
    passes,
    tell,
    webhook,
)
from tests.office.notices.test_feeds import entries

pytestmark = pytest.mark.django_db
TOPIC = "exposure:CVE-2026-1"
_A = "{http://www.w3.org/2005/Atom}"


def end(**later: float) -> None:
    actions.end(hospital().acting_for(), TOPIC, now=at(**later))


def test_a_receiver_that_was_told_is_told_once_with_the_next_digest(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    notice = tell(viewer)
    passes(at(minutes=5))
    end(hours=1)
    end(hours=2)
    passes(at(hours=3))
    assert len(receiver.told) == 1, "nothing goes out before the hour of the digest"
    for later in (20, 44, 68):
        passes(at(hours=later))
    _, said = receiver.told
    [one] = said["over"]
    assert (said["notices"], one["name"], one["ended_at"]) == (
        [], notice.name, "2026-11-01T13:00:00Z",
    )  # fmt: skip
    assert "that it is over: arrived" in [one.state for one in queries.ways_of(viewer, notice)]
    assert not Delivery.objects.filter(message=None).exists()
    assert not list(contradictions())


def test_what_ends_before_anybody_was_told_ends_without_a_word(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    tell(viewer)
    end(seconds=5)
    passes(at(days=2))
    assert receiver.told == []
    assert not Message.objects.filter(is_test=False).exists()


def test_what_only_failed_to_arrive_ends_without_a_word(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    tell(viewer)
    receiver.status = 500
    passes(at(minutes=1))
    end(hours=1)
    receiver.status = 204
    for days in (1, 2, 3):
        passes(at(days=days))
    assert [one["over"] for one in receiver.told] == [[]], "only the attempt that was refused"


def test_what_begins_anew_before_its_end_was_told_is_told_as_it_is_now(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    tell(viewer)
    passes(at(minutes=5))
    end(hours=1)
    tell(viewer, now=at(hours=2))
    passes(at(hours=3))
    passes(at(days=2))
    assert [(len(one["notices"]), len(one["over"])) for one in receiver.told] == [(1, 0), (1, 0)]
    end(days=3)
    passes(at(days=5))
    assert len(receiver.told[-1]["over"]) == 1


def test_a_mail_tells_what_is_over_and_of_what_stands_in_no_mail_only_that_something_is(
    relay: Relay,
) -> None:
    viewer = hospital()
    tell(viewer)
    tell(viewer, "amber", tlp=Tlp.AMBER, headline="About the amber thing")
    passes(at(minutes=5))
    end(hours=1)
    actions.end(viewer.acting_for(), "amber", now=at(hours=1))
    passes(at(days=1))
    first, second = relay.mails
    assert "over" not in first["Subject"].lower()
    assert f"Over: Update {SECRET} on 2 systems" in second["Subject"]
    text = second.get_content()
    assert "There is nothing left to do" in text
    assert "Something else that you were told of is over" in text
    assert "amber thing" not in text


def test_a_receiver_learns_no_more_by_an_end_than_by_the_beginning(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    tell(viewer, tlp=Tlp.AMBER)
    passes(at(minutes=5))
    end(hours=1)
    passes(at(days=1))
    said = receiver.told[-1]
    assert (said["over"], said["something_else_is_over"]) == ([], True)
    assert SECRET not in json.dumps(receiver.told)


def test_a_channel_that_was_paused_meanwhile_is_told_when_it_is_resumed(receiver: Receiver) -> None:
    viewer = hospital()
    channel = webhook(viewer, receiver).channel
    tell(viewer)
    passes(at(minutes=5))
    actions.pause(viewer, channel.name, now=at(minutes=30))
    end(hours=1)
    actions.resume(viewer, channel.name, now=at(days=2))
    actions.pause(viewer, channel.name, now=at(days=2))
    actions.resume(viewer, channel.name, now=at(days=2))
    passes(at(days=3))
    assert [len(one["over"]) for one in receiver.told] == [0, 1]
    actions.pause(viewer, channel.name, now=at(days=4))
    actions.resume(viewer, channel.name, now=at(days=4))
    passes(at(days=6))
    assert len(receiver.told) == 2


def test_a_feed_keeps_what_ended_for_a_while_and_says_so() -> None:
    viewer, now = hospital(), timezone.now()
    made = actions.add_channel(viewer, "feed", "", now=now - timedelta(days=50))
    path = f"/notices/feed/{made.token}/"
    for topic, ended in (("new", 1), ("old", 31)):
        tell(viewer, topic, headline=f"The {topic} one", now=now - timedelta(days=40))
        actions.end(viewer.acting_for(), topic, now=now - timedelta(days=ended))
    tell(viewer, "amber", tlp=Tlp.AMBER, now=now - timedelta(days=40))
    actions.end(viewer.acting_for(), "amber", now=now - timedelta(days=1))
    [one] = entries(Client().get(path))
    assert one.findtext(f"{_A}title") == "Over: The new one"
    assert "nothing left to do" in str(one.findtext(f"{_A}content"))
    actions.agree(viewer, made.channel.name, Agreement.AMBER, now=now)
    assert len(entries(Client().get(path))) == 2
    later = actions.add_channel(viewer, "feed", "", now=now)
    assert not entries(Client().get(f"/notices/feed/{later.token}/")), "it was told of none"


def test_a_bundle_says_what_ended_a_short_while_ago() -> None:
    from clearhouse.office.notices.carrying import bundle_for

    viewer, now = hospital(), timezone.now()
    for topic, ended in (("new", 1), ("old", 31)):
        tell(viewer, topic, headline=f"The {topic} one", now=now - timedelta(days=40))
        actions.end(viewer.acting_for(), topic, now=now - timedelta(days=ended))
    with zipfile.ZipFile(io.BytesIO(bundle_for(viewer))) as archive:
        document = json.loads(archive.read("notices.json"))
        shown = archive.read("notices.html").decode()
    assert (document["notices"], [one["headline"] for one in document["over"]]) == (
        [], ["The new one"],
    )  # fmt: skip
    assert "over: there is nothing left to do" in shown


@given(deeds=st.lists(st.sampled_from(["tell", "end", "pass", "pause", "resume"]), max_size=14))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_however_it_goes_on_nobody_is_told_an_end_without_its_beginning_nor_twice(
    receiver: Receiver, deeds: list[str]
) -> None:
    viewer = hospital()
    receiver.got.clear()
    there = Channel.objects.filter(removed_at=None).first()
    if there is not None:
        actions.remove(viewer, there.name, now=at())
    Message.objects.all().delete()
    actions.end(viewer.acting_for(), TOPIC, now=at())
    name = webhook(viewer, receiver).channel.name
    for place, deed in enumerate(deeds, 1):
        now = at(days=place)
        if deed == "tell":
            tell(viewer, to_do=f"Install 2.4.{place}.", now=now)
        elif deed == "end":
            actions.end(viewer.acting_for(), TOPIC, now=now)
        elif deed == "pass":
            passes(at(days=place, hours=23))
        else:
            getattr(actions, deed)(viewer, name, now=now)
    stands = "over"
    for one in receiver.told:
        if one["over"]:
            assert stands == "begun"
            stands = "over"
        if one["notices"]:
            stands = "begun"
