"""Requests that are sent again: done once, answered the same."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearhouse.office.api import answers
from clearhouse.office.api.models import KeptAnswer
from clearhouse.office.findings.models import Finding
from clearhouse.office.scans.models import ScanClaim
from clearhouse.protocol.roles import Role, Scope
from tests.office.api.caller import Caller, caller, said
from tests.office.findings.people import client_of
from tests.office.story import somebody

REPORT = {"title": "Signatures are accepted twice"}


@pytest.mark.django_db
def test_the_same_request_again_gives_the_same_answer() -> None:
    finder = caller("hexfind", Role.FINDER)
    first = finder.post("/findings/report", REPORT, Idempotency_Key="k1")
    again = finder.post("/findings/report", REPORT, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None, "true",
    )  # fmt: skip


@pytest.mark.django_db
def test_another_request_under_the_same_key_is_a_conflict() -> None:
    finder = caller("hexfind", Role.FINDER)
    said(finder.post("/findings/report", REPORT, Idempotency_Key="k1"), 201)
    other = finder.post("/findings/report", {"title": "Another"}, Idempotency_Key="k1")
    assert said(other, 409)["status"] == 409
    elsewhere = finder.post("/known", REPORT, Idempotency_Key="k1")
    assert said(elsewhere, 409)["status"] == 409
    assert Finding.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_two_organisations_are_two() -> None:
    for slug in ("hexfind", "otherlab"):
        said(caller(slug, Role.FINDER).post("/findings/report", REPORT, Idempotency_Key="k1"), 201)
    assert Finding.objects.count() == 2


@pytest.mark.django_db
def test_a_key_of_fewer_scopes_does_not_get_what_a_wider_one_was_told() -> None:
    office = caller("office", Role.COORDINATOR)
    narrow = caller("office", Role.COORDINATOR, scopes=[Scope.FINDINGS_WRITE])
    said(office.post("/findings/report", REPORT, Idempotency_Key="k1"), 201)
    found = narrow.post("/findings/report", REPORT, Idempotency_Key="k1")
    assert said(found, 409)["status"] == 409


@pytest.mark.django_db
def test_what_failed_may_be_tried_again() -> None:
    finder = caller("hexfind", Role.FINDER)
    until = (timezone.now() + timedelta(days=99)).isoformat()
    wrong = {"package": "pkg:pypi/ecdsa", "until": until}
    for _ in range(2):
        found = finder.post("/scans", wrong, Idempotency_Key="k1")
        assert said(found, 422)["key"] == "until"
    assert KeptAnswer.objects.count() == 0


@pytest.mark.django_db
def test_after_a_day_a_key_is_new() -> None:
    finder = caller("hexfind", Role.FINDER)
    said(finder.post("/findings/report", REPORT, Idempotency_Key="k1"), 201)
    KeptAnswer.objects.update(at=timezone.now() - answers.KEPT)
    said(finder.post("/findings/report", REPORT, Idempotency_Key="k1"), 200)
    KeptAnswer.objects.update(at=timezone.now() - answers.KEPT)
    assert answers.forget(now=timezone.now()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_is_none_is_said_so(key: str) -> None:
    finder = caller("hexfind", Role.FINDER)
    found = finder.post("/findings/report", REPORT, Idempotency_Key=key)
    assert said(found, 422)["key"] == "Idempotency-Key"


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["one", "two"])), max_size=8
    )
)
def test_each_key_has_one_effect_whatever_the_order(requests: list[tuple[str, str]]) -> None:
    KeptAnswer.objects.all().delete()
    Finding.objects.all().delete()
    finder = caller("hexfind", Role.FINDER)
    meant: dict[str, str] = {}
    answered: dict[str, bytes] = {}
    for key, title in requests:
        found = finder.post("/findings/report", {"title": title}, Idempotency_Key=key)
        if meant.setdefault(key, title) == title:
            assert found.status_code in (200, 201)
            assert answered.setdefault(key, found.content) == found.content
        else:
            assert found.status_code == 409
    assert Finding.objects.count() == len(set(meant.values()))
    assert KeptAnswer.objects.count() == len(meant)


@pytest.mark.django_db(transaction=True)
def test_four_at_the_same_time_are_done_once() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the tests' database in memory locks tables; tests/cli asks a whole office")
    finder = caller("hexfind", Role.FINDER)
    until = (timezone.now() + timedelta(days=2)).isoformat()
    claim = {"package": "pkg:pypi/ecdsa", "until": until}
    start, found = threading.Barrier(4), []

    def ask() -> None:
        start.wait()
        found.append(finder.post("/scans", claim, Idempotency_Key="k1"))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in found} == {200}
    assert len({one.content for one in found}) == 1
    assert sum("Idempotency-Replayed" in one.headers for one in found) == 3
    assert ScanClaim.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_end_before_the_answer_is_kept_leaves_no_effect() -> None:
    finder = caller("hexfind", Role.FINDER)
    _break_writes_of_answers()
    try:
        found = finder.post("/findings/report", REPORT, Idempotency_Key="k1")
        assert found.status_code == 500
        assert Finding.objects.count() == 0
    finally:
        _mend_writes_of_answers()
    said(finder.post("/findings/report", REPORT, Idempotency_Key="k1"), 201)


def _break_writes_of_answers() -> None:
    """The database itself refuses the last write: what a crash between the two would be."""
    if connection.vendor != "sqlite":
        pytest.skip("the trigger is SQLite's")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER no_answers BEFORE UPDATE ON api_keptanswer"
            " BEGIN SELECT RAISE(ABORT, 'power is out'); END"
        )


def _mend_writes_of_answers() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no_answers")


@pytest.mark.django_db
def test_the_public_has_no_keys_of_this_kind() -> None:
    found = Caller().post("/findings/report", REPORT, Idempotency_Key="k1")
    assert said(found, 401)["status"] == 401
    assert KeptAnswer.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("keys", {"name": "K", "scopes": ["cases:read"], "expires_at": "2030-01-01T00:00:00Z"}),
        ("invitations", {"email": "new@hexfind.example"}),
    ],
)
def test_what_is_shown_once_is_not_kept_for_who_asks_again(what: str, body: dict[str, Any]) -> None:
    client = client_of(somebody("hexfind", Role.FINDER))
    found = client.post(
        f"/api/organisations/hexfind/{what}", json.dumps(body), "application/json",
        headers={"Idempotency-Key": "k1"},
    )  # fmt: skip
    assert said(found, 422)["key"] == "Idempotency-Key"
    assert not KeptAnswer.objects.exists()
