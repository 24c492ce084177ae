"""The day of a system's next planned upgrade: said by its owner, shown, and given to the API."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings

from clearhouse.errors import Invalid
from clearhouse.office.inventories.actions.systems import describe_system
from clearhouse.office.inventories.models import System
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.inventories.test_path import NOW, a_system, hospital

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def test_it_is_a_day_to_come_and_stays_known_when_it_is_past() -> None:
    viewer = hospital()
    system = a_system(viewer)
    described = partial(describe_system, viewer, system.name, "Records", answers={})
    for wrong in (NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=6 * 366)):
        with pytest.raises(Invalid, match="next_upgrade: expected a day from today on"):
            described(next_upgrade=wrong, now=NOW)
    assert described(next_upgrade=NOW.date(), now=NOW).next_upgrade == NOW.date()
    later = NOW + timedelta(days=40)
    assert described(next_upgrade=NOW.date(), now=later).next_upgrade == NOW.date()
    assert described(now=later).next_upgrade is None


def test_it_is_asked_on_a_page_and_shown() -> None:
    viewer = hospital()
    system = a_system(viewer)
    browser = client_of(viewer)
    place = f"/exposure/systems/{system.name}/"
    assert "Next planned upgrade</dt><dd>not known" in browser.get(place).content.decode()
    day = (timezone.now() + timedelta(days=20)).date()
    refused = browser.post(f"{place}describe/", {"title": "Records", "next_upgrade": "2020-01-01"})
    assert refused.status_code == 422
    assert "expected a day from today on" in refused.content.decode()
    kept = browser.post(f"{place}describe/", {"title": "Records", "next_upgrade": day.isoformat()})
    assert kept.status_code == 302
    assert (
        f"Next planned upgrade</dt><dd>{day.day} {day:%B %Y}" in browser.get(place).content.decode()
    )
    assert f'value="{day}"' in browser.get(f"{place}describe/").content.decode()


def test_it_is_told_to_the_api_and_by_it() -> None:
    viewer = hospital()
    caller = client_of(viewer)
    day = (timezone.now() + timedelta(days=20)).date().isoformat()
    sent = {"title": "Lab", "next_upgrade": day}
    made = caller.post("/api/systems", sent, content_type="application/json")
    assert (made.status_code, made.json()["next_upgrade"]) == (201, day)
    place = f"/api/systems/{made.json()['name']}"
    for wrong in ("soon", "2020-01-01", 7):
        answer = caller.put(place, sent | {"next_upgrade": wrong}, content_type="application/json")
        assert answer.status_code == 422, wrong
    gone = caller.put(place, {"title": "Lab"}, content_type="application/json")
    assert (gone.status_code, gone.json()["next_upgrade"]) == (200, None)
    assert System.objects.get().next_upgrade is None
