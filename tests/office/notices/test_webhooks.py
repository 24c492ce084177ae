"""Signed messages to a real receiver: confirmed, retried, given up, known again by their name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from clearhouse.errors import NotFound, Refused
from clearhouse.formats.standard_webhooks import check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.actions import sending
from clearhouse.office.notices.models import Channel, Delivery, Message
from clearhouse.office.notices.words import MOST_BYTES
from clearhouse.office.orgs.models import Membership
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.notices import Agreement, Urgency
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import (
    NOW,
    SECRET,
    Receiver,
    at,
    closed_port,
    hospital,
    passes,
    tell,
    webhook,
    work_due,
)
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def test_a_receiver_that_answers_its_trial_gets_signed_messages(receiver: Receiver) -> None:
    viewer = hospital()
    tell(viewer, urgency=Urgency.SOON)
    made = webhook(viewer, receiver)
    assert made.channel.state == Channel.State.ACTIVE
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    passes(at(hours=1, minutes=1))
    trial, told = receiver.bodies
    assert trial["type"] == "notices.trial"
    assert told["type"] == "notices.waiting"
    [notice] = told["data"]["notices"]
    assert notice["to_do"] == "Install 2.4.1."
    assert notice["tlp"] == "TLP:CLEAR"
    for headers, body in receiver.got:
        check(headers, body, made.secret, now=timezone.now())
        assert headers["content-type"] == "application/json"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2


def test_before_its_trial_was_answered_nothing_goes_to_a_receiver(receiver: Receiver) -> None:
    viewer = hospital()
    receiver.status = 500
    made = webhook(viewer, receiver)
    assert made.channel.state == Channel.State.UNCONFIRMED
    tell(viewer)
    passes(at(minutes=1))
    assert receiver.told == []
    receiver.status = 204
    actions.test(viewer, made.channel.name, now=at(minutes=2))
    work_due(at(minutes=2))
    passes(at(minutes=4))
    assert len(receiver.told) == 1


@pytest.mark.parametrize(
    ("label", "agreed", "shown"),
    [
        (Tlp.GREEN, False, True),
        (Tlp.AMBER, False, False),
        (Tlp.AMBER, True, True),
        (Tlp.AMBER_STRICT, True, False),
        (Tlp.RED, True, False),
    ],
)
def test_amber_goes_where_the_organisation_agreed_and_red_never(
    label: Tlp, agreed: bool, shown: bool, receiver: Receiver
) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    if agreed:
        actions.agree(viewer, made.channel.name, Agreement.AMBER, now=NOW)
        [entry] = entries_of(SYSTEM, ["channel.agreed"])
        assert entry.facts["agreement"] == "amber"
    tell(viewer, tlp=label)
    passes(at(minutes=1))
    [data] = receiver.told
    assert (SECRET in str(data)) is shown
    assert data["something_else_waits"] is not shown
    assert data["more"] == 0


def test_an_agreement_that_was_taken_back_holds_at_once(receiver: Receiver) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    actions.agree(viewer, made.channel.name, Agreement.AMBER, now=NOW)
    tell(viewer, tlp=Tlp.AMBER)
    sending.gather(made.channel.name, now=at(minutes=1))
    actions.agree(viewer, made.channel.name, Agreement.NONE, now=at(minutes=1))
    work_due(at(minutes=1))
    assert SECRET not in str(receiver.told)


def test_both_secrets_are_valid_for_a_day_after_a_change(receiver: Receiver) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    changed = actions.rotate(viewer, made.channel.name, now=timezone.now())
    assert changed.secret != made.secret
    tell(viewer)
    passes(at(minutes=1))
    headers, body = receiver.got[-1]
    for secret in (made.secret, changed.secret):
        check(headers, body, secret, now=timezone.now())
    Channel.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    tell(viewer, "another")
    passes(at(minutes=3))
    headers, body = receiver.got[-1]
    check(headers, body, changed.secret, now=timezone.now())
    with pytest.raises(Refused):
        check(headers, body, made.secret, now=timezone.now())


def test_a_receiver_that_fails_is_tried_over_a_day_under_one_name_and_then_paused(
    receiver: Receiver,
) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    receiver.got.clear()
    receiver.status = 503
    tell(viewer)
    passes(at(minutes=1))
    tried = at(minutes=1)
    while Message.objects.get(is_test=False).state == "sending":
        tried += timedelta(minutes=10)
        assert tried < at(hours=30)
        passes(tried)
    assert len(receiver.got) == 8
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    made.channel.refresh_from_db()
    assert made.channel.state == Channel.State.PAUSED
    assert made.channel.reason == "nothing arrived, tried for a day: it answered 503"
    receiver.status = 200
    tell(viewer, "while paused", now=tried)
    passes(tried + timedelta(minutes=2))
    assert len(receiver.got) == 8
    actions.resume(viewer, made.channel.name, now=tried + timedelta(hours=1))
    passes(tried + timedelta(hours=1, minutes=2))
    assert len(receiver.told[-1]["notices"]) == 2


def test_a_receiver_that_is_gone_for_good_is_paused_at_once(receiver: Receiver) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    receiver.status = 410
    tell(viewer)
    passes(at(minutes=1))
    made.channel.refresh_from_db()
    assert made.channel.state == Channel.State.PAUSED
    assert "410" in made.channel.reason


def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    receiver.status = 302
    receiver.headers = {"Location": receiver.url}
    count = len(receiver.got)
    tell(viewer)
    passes(at(minutes=1))
    assert len(receiver.got) == count + 1
    assert Message.objects.get(is_test=False).last_error == "it answered 302"


def test_huge_notices_fit_and_what_was_left_out_is_counted(receiver: Receiver) -> None:
    viewer = hospital()
    webhook(viewer, receiver)
    wide = "\U0001f512" * 4_000
    parts = dict.fromkeys(("what", "where", "by_when", "to_do", "if_not"), wide)
    for place in range(20):
        tell(viewer, f"t:{place}", **parts)
    passes(at(minutes=1))
    [data] = receiver.told
    assert len(receiver.got[-1][1]) <= MOST_BYTES
    assert len(data["notices"]) + data["more"] == 20


def test_removing_a_channel_destroys_its_secret(receiver: Receiver) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    tell(viewer)
    actions.remove(viewer, made.channel.name, now=NOW)
    passes(at(minutes=1))
    assert receiver.told == []
    assert not Delivery.objects.filter(message=None).exists()
    row = Channel.objects.get()
    assert bytes(row.sealed_secret) == b""
    assert row.address == ""
    with pytest.raises(NotFound):
        actions.resume(viewer, row.name, now=NOW)


def test_the_secret_is_sealed_in_the_database(receiver: Receiver) -> None:
    made = webhook(hospital(), receiver)
    kept = str([bytes(v) if isinstance(v, memoryview) else v
                for v in Channel.objects.values_list().get()])  # fmt: skip
    assert made.secret not in kept
    assert made.secret.removeprefix("whsec_") not in kept


def test_only_managers_change_channels_and_nobody_elses(receiver: Receiver) -> None:
    viewer = hospital()
    made = webhook(viewer, receiver)
    name = made.channel.name
    machine = Viewer(viewer.organisation, viewer.roles, frozenset(Scope), "a machine", key=1)
    others = (somebody("other", Role.DEPLOYER), somebody("office", Role.COORDINATOR))
    deeds = (
        lambda v: actions.pause(v, name, now=NOW),
        lambda v: actions.resume(v, name, now=NOW),
        lambda v: actions.rotate(v, name, now=NOW),
        lambda v: actions.test(v, name, now=NOW),
        lambda v: actions.agree(v, name, Agreement.AMBER, now=NOW),
        lambda v: actions.confirm(v, name, "1", now=NOW),
        lambda v: actions.remove(v, name, now=NOW),
    )
    for deed in deeds:
        with pytest.raises(Refused, match="sign in"):
            deed(machine)
        for other in others:
            with pytest.raises(NotFound):
                deed(other)
    Membership.objects.update(is_manager=False)
    for deed in deeds:
        with pytest.raises(Refused, match="only a manager"):
            deed(viewer)
    with pytest.raises(Refused):
        actions.add_channel(viewer, "feed", "", now=NOW)
    with pytest.raises(Refused):
        actions.set_hour(viewer, 3, now=NOW)
    assert Channel.objects.get().state == Channel.State.ACTIVE


def test_a_receiver_nobody_answers_at_is_an_attempt_that_failed() -> None:
    viewer = hospital()
    url = f"http://127.0.0.1:{closed_port()}/"
    actions.add_channel(viewer, "webhook", url, now=NOW)
    work_due(NOW)
    [channel] = queries.channels(viewer)
    last = queries.last_message(viewer, channel)
    assert last is not None
    assert last.last_error == "the connection failed (ConnectionRefusedError)"
