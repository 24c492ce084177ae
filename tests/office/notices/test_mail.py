"""Mail through a real relay: grouped, whole where the label lets it, silent where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django import Settings

from clearhouse.errors import Invalid, Refused, Unavailable
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.actions.channels import MOST, MOST_TRIALS
from clearhouse.office.notices.models import Channel, Delivery, Message
from clearhouse.protocol.notices import MOST_A_DAY, PLACES, Urgency
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import (
    NOW,
    SECRET,
    Relay,
    at,
    closed_port,
    hospital,
    passes,
    tell,
    work_due,
)

pytestmark = pytest.mark.django_db
MANAGER = "ada@valley-hospital.example"
ADDRESS = "it@valley-hospital.example"


def test_what_may_be_passed_on_is_mailed_whole_to_the_managers_within_a_minute(
    relay: Relay,
) -> None:
    made = tell(hospital())
    passes(at(seconds=10))
    assert relay.raw == []
    passes(at(seconds=35))
    [mail] = relay.mails
    assert relay.recipients == [[MANAGER]]
    text = mail.get_content()
    assert f"Update {SECRET} on 2 systems" in str(mail["Subject"])
    assert "What to do\nInstall 2.4.1." in text.replace("\r\n", "\n")
    assert "If you cannot" in text
    assert f"/notices/{made.name}/" in text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert str(mail["Message-ID"]).startswith("<NM-")
    passes(at(hours=5))
    assert len(relay.raw) == 1
    assert Message.objects.get().state == Message.State.DELIVERED


@pytest.mark.parametrize("label", [Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED])
def test_of_what_may_not_be_passed_on_a_mail_says_only_that_something_waits(
    label: Tlp, relay: Relay
) -> None:
    viewer = hospital()
    for topic in ("a", "b"):
        tell(viewer, topic, tlp=label)
    passes(at(minutes=1))
    [mail] = relay.mails
    whole = relay.raw[0].decode() + mail.get_content()
    for word in (SECRET, "CVE", "2.4.1", "radiology", "2 ", label.value, "urgent", "now"):
        assert word not in mail.get_content() + str(mail["Subject"]), word
    assert SECRET not in whole
    assert "something waits for you" in str(mail["Subject"])


def test_open_and_sealed_ones_go_together_and_the_sealed_are_not_counted(relay: Relay) -> None:
    viewer = hospital()
    tell(viewer, "open", headline="An open matter", what="x")
    for topic in ("a", "b", "c"):
        tell(viewer, topic, tlp=Tlp.RED)
    passes(at(minutes=1))
    text = relay.mails[0].get_content()
    assert "An open matter" in text
    assert "Something else waits" in text
    assert SECRET not in text.replace("An open matter", "")
    assert "3" not in text.split("Something else waits")[1].split("http")[0]


def test_a_label_that_was_narrowed_before_the_mail_went_out_is_obeyed(relay: Relay) -> None:
    viewer = hospital()
    tell(viewer)
    tell(viewer, tlp=Tlp.AMBER, now=at(seconds=5))
    passes(at(minutes=1))
    assert SECRET not in relay.raw[0].decode()


def test_what_was_read_or_is_over_before_it_went_out_is_not_mailed(relay: Relay) -> None:
    viewer = hospital()
    actions.acknowledge(viewer, tell(viewer, "read").name, now=NOW)
    tell(viewer, "over")
    actions.end(viewer.acting_for(), "over", now=NOW)
    passes(at(minutes=1))
    assert relay.raw == []


def test_a_flood_becomes_few_mails_and_each_notice_is_in_one(relay: Relay) -> None:
    viewer = hospital()
    names = {
        tell(viewer, f"t:{place}", headline=f"Matter {place:03}", now=at(minutes=place)).name
        for place in range(0, 200, 2)
    }
    for minute in range(0, 60 * 24, 10):
        passes(at(minutes=minute))
    assert len(relay.raw) <= MOST_A_DAY
    text = "".join(mail.get_content() for mail in relay.mails)
    rows = Delivery.objects.exclude(message=None)
    assert {one.notice.name for one in rows.select_related("notice")} == names
    assert rows.count() == len(names)
    listed = rows.filter(is_listed=True).select_related("notice")
    assert all(text.count(f"/notices/{one.notice.name}/") == 1 for one in listed)


def test_more_than_fits_is_counted_with_the_way_to_the_page(relay: Relay) -> None:
    viewer = hospital()
    for place in range(PLACES + 7):
        tell(viewer, f"t:{place}", headline=f"Matter {place:03}")
    passes(at(minutes=1))
    [mail] = relay.mails
    assert "And 7 more on the page: http" in mail.get_content()
    assert f"{PLACES + 7} notices, first: Matter 000" in str(mail["Subject"])


def test_a_digest_comes_at_the_hour_that_the_organisation_named(relay: Relay) -> None:
    viewer = hospital()
    tell(viewer, "daily", urgency=Urgency.DIGEST)
    passes(at(hours=18, minutes=59))
    assert relay.raw == []
    actions.set_hour(viewer, 9, now=at(hours=18))
    passes(at(hours=19, minutes=1))  # 07:01, the usual hour
    assert relay.raw == []
    passes(at(hours=21, minutes=1))
    assert len(relay.raw) == 1
    with pytest.raises(Invalid):
        actions.set_hour(viewer, 24, now=NOW)


@pytest.mark.parametrize(
    "headline",
    [
        "Update\r\nBcc: eve@evil.example",
        "Update\nX-Evil: 1",
        "Update\x00\x1b[31m\u202etxt",
        "Обновите пакет: 更新 🔒",
        "\ud800 lone",
        "=?utf-8?q?x?=" * 20,
        "x" * 100_000,
    ],
)
def test_no_headline_adds_a_header_or_breaks_the_mail(headline: str, relay: Relay) -> None:
    tell(hospital(), headline=headline, what=headline * 3)
    passes(at(minutes=1))
    [mail] = relay.mails
    assert relay.recipients == [[MANAGER]]
    assert not mail["Bcc"]
    assert not mail["X-Evil"]
    assert "\n" not in str(mail["Subject"])
    assert "\u202e" not in mail.get_content()
    assert max(map(len, relay.raw[0].split(b"\r\n"))) <= 998  # RFC 5322, section 2.1.1


def test_an_address_gets_notices_once_it_was_confirmed_by_the_code(relay: Relay) -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "mail", ADDRESS, now=NOW)
    work_due(NOW)
    [mail] = relay.mails
    assert relay.recipients == [[ADDRESS]]
    tell(viewer)
    passes(at(minutes=1))
    assert len(relay.raw) == 1, "not before"
    name = made.channel.name
    with pytest.raises(Invalid, match="not the code"):
        actions.confirm(viewer, name, "00000000x", now=at(minutes=2))
    code = next(line for line in mail.get_content().splitlines() if line.isdecimal())
    assert code not in repr(made)
    actions.confirm(viewer, name, f" {code} ", now=at(minutes=2))
    passes(at(minutes=3))
    assert len(relay.raw) == 2
    assert SECRET in relay.mails[1].get_content()
    assert Channel.objects.get(name=name).sealed_secret == b""


def test_five_wrong_codes_end_a_code(relay: Relay) -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "mail", ADDRESS, now=NOW)
    for _ in range(5):
        with pytest.raises(Invalid):
            actions.confirm(viewer, made.channel.name, "1", now=NOW)
    with pytest.raises(Refused, match="too many"):
        actions.confirm(viewer, made.channel.name, "1", now=NOW)
    actions.test(viewer, made.channel.name, now=NOW)
    work_due(NOW)
    last = relay.mails[-1].get_content()
    code = next(line for line in last.splitlines() if line.isdecimal())
    assert actions.confirm(viewer, made.channel.name, code, now=NOW).state == "active"


def test_a_relay_that_takes_nothing_is_tried_for_a_day_and_then_the_channel_pauses(
    relay: Relay,
) -> None:
    viewer = hospital()
    tell(viewer)
    relay.refuses = {MANAGER}
    passes(at(minutes=1))
    message = Message.objects.get()
    assert (message.state, message.attempts) == ("sending", 1)
    hours = 0.0
    while Message.objects.get().state == "sending":
        hours += 0.5
        assert hours < 30
        work_due(at(hours=hours))
    assert hours > 20
    channel = Channel.objects.get()
    assert channel.state == "paused"
    assert "tried for a day" in channel.reason
    assert "valley" not in channel.reason
    relay.refuses = set()
    actions.resume(viewer, channel.name, now=at(hours=40))
    passes(at(hours=41))
    assert len(relay.raw) == 1
    assert queries.ways_of(viewer, tell(viewer))[-1].state == "arrived"


def test_a_relay_that_is_away_is_tried_again(settings: Settings, relay: Relay) -> None:
    tell(hospital())
    settings.EMAIL_PORT = closed_port()
    passes(at(minutes=1))
    assert "relay takes no mail" in Message.objects.get().last_error
    settings.EMAIL_PORT = relay.port
    work_due(at(minutes=2))
    assert len(relay.raw) == 1


def test_an_office_without_mail_takes_no_address(settings: Settings) -> None:
    settings.CONFIG = replace(settings.CONFIG, mail=None)
    with pytest.raises(Unavailable, match="no mail"):
        actions.add_channel(hospital(), "mail", ADDRESS, now=NOW)


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a@example.org\nBcc: b@example.org"])
def test_what_is_no_address_is_refused(address: str, relay: Relay) -> None:
    with pytest.raises(Invalid):
        actions.add_channel(hospital(), "mail", address, now=NOW)
    assert not Channel.objects.exists()


def test_channels_and_trials_are_limited(relay: Relay) -> None:
    viewer = hospital()
    for place in range(MOST):
        actions.add_channel(viewer, "mail", f"a{place}@example.org", now=NOW)
    with pytest.raises(Refused, match="at most"):
        actions.add_channel(viewer, "mail", "more@example.org", now=NOW)
    name = Channel.objects.latest("pk").name
    for _ in range(MOST_TRIALS - MOST):
        actions.test(viewer, name, now=NOW)
    with pytest.raises(Refused, match="trials a day"):
        actions.test(viewer, name, now=at(hours=23))
    actions.test(viewer, name, now=at(hours=25))


def test_mail_never_carries_amber_by_agreement(relay: Relay) -> None:
    from clearhouse.protocol.notices import Agreement

    viewer = hospital()
    tell(viewer)
    with pytest.raises(Refused):
        actions.agree(viewer, Channel.objects.get().name, Agreement.AMBER, now=NOW)


def test_what_comes_while_the_day_has_had_its_messages_is_looked_at_when_it_is_due(
    relay: Relay,
) -> None:
    viewer = hospital()
    for place in range(3):
        tell(viewer, f"t:{place}", now=at(minutes=place))
        passes(at(minutes=place, seconds=20))
    assert len(relay.raw) == 3
    tell(viewer, "held", now=at(minutes=3))
    passes(at(minutes=3, seconds=20))
    assert len(relay.raw) == 3
    until = Channel.objects.get().held_until
    assert until is not None
    passes(at(minutes=9))
    assert len(relay.raw) == 3
    passes(at(minutes=15))
    assert len(relay.raw) == 4
    assert Channel.objects.get().held_until is None
