"""A feed at an address that nobody guesses."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from clearhouse.office.notices import actions
from clearhouse.office.notices.models import Channel
from clearhouse.protocol.notices import Agreement
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import NOW, SECRET, at, hospital, tell

pytestmark = pytest.mark.django_db
_A = "{http://www.w3.org/2005/Atom}"


def entries(answer: Any) -> list[ET.Element]:
    return ET.fromstring(answer.content).findall(f"{_A}entry")


def test_whoever_has_the_address_reads_the_feed_and_it_is_kept_as_a_digest() -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    assert made.channel.state == Channel.State.ACTIVE
    assert made.token not in repr(made)
    assert made.token not in str(Channel.objects.values_list().get())
    notice = tell(viewer)
    answer = Client().get(f"/notices/feed/{made.token}/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    [one] = entries(answer)
    assert notice.name in str(one.findtext(f"{_A}id"))
    assert SECRET in str(one.findtext(f"{_A}content"))
    assert Client().get(f"/notices/feed/{made.token[:-1]}x/").status_code == 404


def test_a_reader_that_has_it_already_is_told_so() -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    tell(viewer)
    path = f"/notices/feed/{made.token}/"
    first = Client().get(path)
    again = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    since = Client().get(path, headers={"If-Modified-Since": first["Last-Modified"]})
    assert since.status_code == 304
    tell(viewer, "another", now=at(hours=1))
    changed = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert len(entries(changed)) == 2


def test_what_may_not_be_passed_on_is_one_entry_without_a_number() -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    for topic in ("a", "b", "c"):
        tell(viewer, topic, tlp=Tlp.AMBER)
    answer = Client().get(f"/notices/feed/{made.token}/")
    [one] = entries(answer)
    assert one.findtext(f"{_A}title") == "Something waits for you"
    assert SECRET not in answer.content.decode()
    actions.agree(viewer, made.channel.name, Agreement.AMBER, now=NOW)
    assert len(entries(Client().get(f"/notices/feed/{made.token}/"))) == 3


def test_a_changed_address_ends_the_old_one_and_a_paused_feed_says_nothing() -> None:
    viewer = hospital()
    made = actions.add_channel(viewer, "feed", "", now=NOW)
    name = made.channel.name
    changed = actions.rotate(viewer, name, now=NOW)
    assert Client().get(f"/notices/feed/{made.token}/").status_code == 404
    assert Client().get(f"/notices/feed/{changed.token}/").status_code == 200
    actions.pause(viewer, name, now=NOW)
    assert Client().get(f"/notices/feed/{changed.token}/").status_code == 404
    actions.resume(viewer, name, now=NOW)
    assert Client().get(f"/notices/feed/{changed.token}/").status_code == 200
    actions.remove(viewer, name, now=NOW)
    assert Client().get(f"/notices/feed/{changed.token}/").status_code == 404
