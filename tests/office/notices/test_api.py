"""Notices and channels over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.notices.bundle import key_of, verify
from clearhouse.office.notices.models import Channel
from clearhouse.protocol.roles import Role
from tests.office.findings.people import client_of
from tests.office.notices.made import Receiver, at, hospital, tell, work_due
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


def ask(viewer: Any, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return client_of(viewer).generic(
        method, f"/api/notices{path}", json.dumps(body) if body is not None else b"",
        content_type="application/json", headers=headers,
    )  # fmt: skip


def test_notices_are_listed_read_and_acknowledged() -> None:
    viewer = hospital()
    made = tell(viewer)
    [one] = ask(viewer, "GET", "").json()
    assert (one["name"], one["urgency"], one["to_do"]) == (made.name, "now", "Install 2.4.1.")
    assert ask(viewer, "GET", f"/{made.name}").json() == one
    assert ask(viewer, "POST", f"/{made.name}/acknowledge?revision=2").status_code == 409
    read = ask(viewer, "POST", f"/{made.name}/acknowledge?revision=1").json()
    assert read["acknowledged_at"] is not None
    assert ask(viewer, "GET", "").json() == []
    assert len(ask(viewer, "GET", "?shelf=acknowledged").json()) == 1
    other = somebody("other-hospital", Role.DEPLOYER)
    assert ask(other, "GET", f"/{made.name}").status_code == 404


def test_a_channel_goes_through_its_life(receiver: Receiver) -> None:
    viewer = hospital()
    demand = {"kind": "webhook", "address": receiver.url}
    again = ask(viewer, "POST", "/channels", demand, **{"Idempotency-Key": "k"})
    assert again.status_code == 422, "nothing of a secret is kept"
    added = ask(viewer, "POST", "/channels", demand)
    assert added.status_code == 201
    assert added.json()["secret"].startswith("whsec_")
    path = f"/channels/{added.json()['name']}"
    work_due(at(minutes=1))
    [listed] = ask(viewer, "GET", "/channels").json()
    assert listed["state"] == "active"
    assert "secret" not in listed
    assert ask(viewer, "POST", f"{path}/pause").json()["state"] == "paused"
    assert ask(viewer, "POST", f"{path}/resume").json()["state"] == "active"
    agreed = ask(viewer, "PUT", f"{path}/agreement", {"agreement": "amber"}).json()
    assert agreed["agreed_at"] is not None
    assert ask(viewer, "POST", f"{path}/test").status_code == 200
    assert ask(viewer, "POST", f"{path}/rotate").json()["secret"] != added.json()["secret"]
    assert ask(viewer, "POST", f"{path}/confirm", {"code": "1"}).status_code == 403
    assert ask(viewer, "DELETE", path).status_code == 204
    assert ask(viewer, "GET", "/channels").json() == []


def test_a_feed_tells_its_address_once() -> None:
    viewer = hospital()
    feed = ask(viewer, "POST", "/channels", {"kind": "feed"}).json()["feed"]
    assert client_of(None).get(feed.removeprefix("http://localhost:8600")).status_code == 200
    assert ask(viewer, "PUT", "/channels/hour", {"hour": 5}).status_code == 204
    assert ask(viewer, "PUT", "/channels/hour", {"hour": 24}).status_code == 422


def test_a_private_address_is_a_field_that_is_wrong() -> None:
    answer = ask(
        hospital(), "POST", "/channels", {"kind": "webhook", "address": "https://10.0.0.1/"}
    )
    assert answer.status_code == 422
    assert answer.json()["key"] == "address"
    assert not Channel.objects.exists()


def test_the_bundle_verifies_and_the_office_reads_counts() -> None:
    viewer = hospital()
    tell(viewer)
    raw = ask(viewer, "GET", "/bundle")
    assert raw["Content-Type"] == "application/zip"
    assert verify(raw.content, key_of(str(signing_key().verifier))).count == 1
    office = somebody("office", Role.COORDINATOR)
    [row] = ask(office, "GET", "/delivery").json()
    assert (row["organisation"], row["waiting"]) == ("valley-hospital", 1)
    assert ask(viewer, "GET", "/delivery").status_code == 404
