"""The pages of notices and channels, as whoever looks."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from clearhouse.office.navigation import navigation_of
from clearhouse.office.notices import actions
from clearhouse.office.notices.models import Channel, Notice
from clearhouse.office.notices.queries import PAGE
from clearhouse.office.orgs.models import Membership
from clearhouse.office.viewer import PUBLIC
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.findings.people import client_of
from tests.office.notices.made import (
    NOW,
    SECRET,
    Receiver,
    Relay,
    at,
    hospital,
    passes,
    tell,
    work_due,
)
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_the_list_shows_what_waits_and_one_click_says_that_it_was_read() -> None:
    viewer = hospital()
    made = tell(viewer, tlp=Tlp.RED)
    browser = client_of(viewer)
    shown = text_of(browser.get("/notices/"))
    assert f"Update {SECRET} on 2 systems" in shown
    assert "Waits for you (1)" in shown
    answer = browser.post(f"/notices/{made.name}/acknowledge/", {"revision": "1"}, follow=True)
    assert "Noted that you have read" in text_of(answer)
    assert "Nothing waits" in text_of(answer)
    assert SECRET in text_of(browser.get("/notices/?shelf=acknowledged"))
    actions.end(viewer.acting_for(), made.topic, now=NOW)
    assert SECRET in text_of(browser.get("/notices/?shelf=ended"))


def test_one_notice_has_its_five_parts_and_says_where_it_went(relay: Relay) -> None:
    viewer = hospital()
    made = tell(viewer, due_at=at(days=3))
    passes(at(minutes=1))
    shown = text_of(client_of(viewer).get(f"/notices/{made.name}/"))
    for part in ("What it is", "Where you have it", "By when", "What to do", "If you cannot"):
        assert f"<h2>{part}</h2>" in shown
    assert "Mail: your contact address, else your managers" in shown
    assert "arrived" in shown
    other = client_of(somebody("other-hospital", Role.DEPLOYER))
    assert other.get(f"/notices/{made.name}/").status_code == 404


def test_what_was_told_differently_meanwhile_is_shown_instead_of_acknowledged() -> None:
    viewer = hospital()
    made = tell(viewer)
    tell(viewer, to_do="Install 2.4.2.", now=at(minutes=1))
    answer = client_of(viewer).post(
        f"/notices/{made.name}/acknowledge/", {"revision": "1"}, follow=True
    )
    assert "told differently meanwhile" in text_of(answer)
    assert "Install 2.4.2." in text_of(answer)
    assert Notice.objects.get().acknowledged_at is None


def test_many_notices_are_on_pages_of_fifty() -> None:
    viewer = hospital()
    for place in range(PAGE + 3):
        tell(viewer, f"t:{place}", headline=f"Matter {place:03}", urgency=Urgency.DIGEST)
    browser = client_of(viewer)
    first, second = (text_of(browser.get(f"/notices/?page={one}")) for one in (1, 2))
    assert len(set(re.findall(r"Matter \d{3}", first))) == PAGE
    assert len(set(re.findall(r"Matter \d{3}", second))) == 3
    for wrong in ("0", "-1", "x", "9" * 40, "\u0663"):
        assert browser.get("/notices/", {"page": wrong}).status_code == 200


def test_a_manager_adds_a_webhook_and_sees_its_secret_once(receiver: Receiver) -> None:
    browser = client_of(hospital())
    added = browser.post("/notices/channels/", {"kind": "webhook", "address": receiver.url})
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", text_of(added))
    assert secret is not None
    again = text_of(browser.get("/notices/channels/"))
    assert secret[0] not in again
    assert "To be confirmed" in again
    work_due(at(minutes=1))
    name = Channel.objects.get().name
    assert Channel.objects.get().state == "active"
    changed = text_of(browser.post(f"/notices/channels/{name}/rotate/"))
    assert "whsec_" in changed
    assert secret[0] not in changed
    for deed, said in (
        ("pause", "Paused."), ("resume", "Resumed."), ("agree", "TLP:AMBER goes there"),
        ("disagree", "stays out"), ("test", "A trial is on its way"), ("remove", "Removed."),
    ):  # fmt: skip
        answer = browser.post(f"/notices/channels/{name}/{deed}/", follow=True)
        assert said in text_of(answer), deed


def test_an_address_is_confirmed_on_the_page(relay: Relay) -> None:
    viewer = hospital()
    browser = client_of(viewer)
    answer = browser.post("/notices/channels/", {"kind": "mail", "address": "it@hospital.example"})
    assert "A code is on its way to it@hospital.example" in text_of(answer)
    name = Channel.objects.get().name
    from django.utils import timezone

    work_due(timezone.now())
    wrong = browser.post(f"/notices/channels/{name}/confirm/", {"code": "1"}, follow=True)
    assert "not the code that was sent" in text_of(wrong)
    text = relay.mails[0].get_content()
    code = next(line for line in text.splitlines() if line.isdecimal())
    right = browser.post(f"/notices/channels/{name}/confirm/", {"code": code}, follow=True)
    assert "Confirmed" in text_of(right)


@pytest.mark.parametrize(
    ("kind", "address"),
    [("mail", "nobody"), ("webhook", "http://10.0.0.1/"), ("webhook", ""), ("fax", "1"),
     ("webhook", "https://a.example/\x00")],
)  # fmt: skip
def test_what_cannot_be_added_comes_back_in_the_form(kind: str, address: str, relay: Relay) -> None:
    answer = client_of(hospital()).post("/notices/channels/", {"kind": kind, "address": address})
    assert answer.status_code == 422
    assert "usa-error-message" in text_of(answer)
    assert not Channel.objects.exists()


def test_who_manages_nothing_sees_channels_and_changes_none() -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    Membership.objects.update(is_manager=False)
    browser = client_of(viewer)
    shown = text_of(browser.get("/notices/channels/"))
    assert made.channel.name in shown
    assert "Add a way" not in shown
    for path in ("", "hour/", f"{made.channel.name}/pause/", f"{made.channel.name}/remove/"):
        assert browser.post(f"/notices/channels/{path}").status_code == 403
    assert Channel.objects.get().state == "active"


def test_a_paused_channel_is_told_of_on_the_page_of_notices(receiver: Receiver) -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    actions.pause(viewer, made.channel.name, now=NOW)
    assert "Atom feed is paused" in text_of(client_of(viewer).get("/notices/"))


def test_the_office_looks_at_delivery_and_at_nothing_else() -> None:
    viewer = hospital()
    tell(viewer, tlp=Tlp.AMBER)
    office = client_of(somebody("office", Role.COORDINATOR))
    shown = text_of(office.get("/notices/delivery/"))
    assert "Valley-Hospital" in shown
    assert SECRET not in shown
    assert client_of(viewer).get("/notices/delivery/").status_code == 404


def test_the_way_leads_there_for_deployers_and_for_whoever_was_told_something() -> None:
    def leads(viewer: Any) -> bool:
        return "/notices/" in {one.url for one in navigation_of(viewer, "/")}

    finder = somebody("hexfind", Role.FINDER)
    assert leads(hospital())
    assert not leads(finder)
    assert not leads(PUBLIC)
    tell(finder)
    assert leads(finder)


def test_the_bundle_is_saved_and_not_opened() -> None:
    answer = client_of(hospital()).get("/notices/bundle/")
    assert answer["Content-Disposition"] == 'attachment; filename="notices.zip"'
    assert client_of(None).get("/notices/bundle/").status_code == 302
