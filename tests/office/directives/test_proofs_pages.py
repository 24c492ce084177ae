"""What an obligation's owner reads of proofs, on its page and in the API; and what nobody reads."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.advisories import actions as advisories
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.models import Evidence, ProofRun
from clearhouse.office.directives.proofs import PROVE
from clearhouse.office.queue import actions
from clearhouse.office.queue.models import Job
from clearhouse.proof.absence import Outcome, concluded
from clearhouse.protocol.roles import Role
from tests.office.directives.made import DAY, NOW, agency
from tests.office.directives.proved import obliged, only, published, ran, under_embargo
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.security.test_planted import _CLOCK, _TOKEN
from tests.office.story import somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def page_of(name: str) -> str:
    return f"/directives/obligations/{name}/"


def text_of(client: Client, path: str) -> str:
    found = client.get(path)
    assert found.status_code == 200, (path, found.status_code)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode())))


def test_its_owner_asks_by_the_page_and_reads_what_came_of_it() -> None:
    viewer, _ = obliged("ecdsa==0.13.3", "ecdsa==0.13.2")
    case = published()
    client, page = client_of(viewer), page_of(only().name)
    offered = text_of(client, page)
    assert f"This office has a proof of the flaw: {case}" in offered
    assert "a run of the proof on the installed version" in offered
    assert "Run it" in offered
    assert client.post(f"{page}prove/").status_code == 302
    waiting = text_of(client, page)
    assert "It was asked for." in waiting
    assert "Run it" not in waiting
    run = ProofRun.objects.get()
    document = ran(run, timezone.now(), v0_13_2=Outcome.SHOWS)
    told = text_of(client, page)
    assert "ecdsa 0.13.2: the effect shows." in told
    assert "ecdsa 0.13.3: the effect does not show, and the proof could run." in told
    assert "Run it" not in told
    kept = client.get(f"{page}proof/{document['digest']}.json")
    assert concluded(json.loads(kept.content)) == concluded(document)
    assert client.post(f"{page}prove/", follow=True).status_code == 200
    assert ProofRun.objects.count() == 1


def test_the_authority_reads_that_it_was_proven_and_not_what_is_installed() -> None:
    viewer, _ = obliged()
    published()
    document = ran(proving.ask(viewer, only().name, now=NOW), NOW)
    authority, page = client_of(agency()), page_of(only().name)
    said = text_of(authority, page)
    assert "Done" in said
    assert "the effect shows on none of them" in said
    assert "0.13.3" not in said
    assert "Whether the flaw shows on what you have" not in said
    assert authority.get(f"{page}proof/{document['digest']}.json").status_code == 404
    assert document["digest"] in Evidence.objects.get().reference


def test_what_is_put_off_or_failed_is_told_without_why() -> None:
    """Why may tell how the proof works; it stands with the job, for the office."""
    viewer, _ = obliged()
    published()
    client, page, told = client_of(viewer), page_of(only().name), ""
    for ending, said in (
        (
            lambda job: actions.postpone(job, "line 7 of the harness", until=NOW + DAY),
            "tries again",
        ),
        (lambda job: actions.fail(job, "line 7 of the harness", NOW), "could not run it. You can"),
    ):
        if not ProofRun.objects.exists():
            client.post(f"{page}prove/")
        Job.objects.filter(kind=PROVE).update(state=Job.State.WAITING, not_before=None)
        claimed = actions.claim("a worker", NOW, [PROVE], lease=DAY)
        assert claimed is not None
        with transaction.atomic():
            ending(claimed)
        told = text_of(client, page)
        assert said in told
        assert "harness" not in told
    assert "Run it again" in told


def test_in_the_api_the_same_by_name() -> None:
    viewer, _ = obliged()
    client, address = client_of(viewer), f"/api/obligations/{only().name}"
    assert client.get(address).json()["proofs"] is None
    assert client.post(f"{address}/proof").status_code == 403
    case = published()
    offered = client.get(address).json()["proofs"]
    assert (offered["cases"], offered["may_ask"], offered["state"]) == ([case], True, "")
    asked = client.post(f"{address}/proof").json()["proofs"]
    assert (asked["state"], asked["may_ask"]) == ("waiting", False)
    assert client.post(f"{address}/proof").status_code == 409
    document = ran(ProofRun.objects.get(), timezone.now())
    whole = client.get(address).json()
    assert (whole["state"], whole["proofs"]["state"]) == ("completed", "not-shown")
    [one] = whole["proofs"]["outcomes"]
    assert (one["package"], one["version"], one["outcome"]) == ("ecdsa", "0.13.3", "does-not-show")
    assert whole["proofs"]["digest"] == document["digest"]
    assert client.get(f"{address}/proof").json() == document
    assert client.get(f"{address}/proof?digest={document['digest']}").json() == document
    assert client_of(agency()).get(f"{address}/proof").status_code == 404
    listed = client.get("/api/obligations").json()["obligations"]
    assert all("proofs" not in each for each in listed)


def test_with_a_case_under_embargo_every_byte_is_as_without() -> None:
    viewer, _ = obliged()
    name = only().name
    client = client_of(viewer)
    looked: list[list[bytes]] = []
    for has_case in (False, True):
        if has_case:
            under_embargo()
        answers = [
            client.get(page_of(name)), client.post(f"{page_of(name)}prove/", follow=True),
            client.get(f"/api/obligations/{name}"), client.post(f"/api/obligations/{name}/proof"),
            client.get(f"/api/obligations/{name}/proof"), client.get("/directives/"),
        ]  # fmt: skip
        looked.append(
            [
                str(one.status_code).encode() + _CLOCK.sub(b"", _TOKEN.sub(b"", one.content))
                for one in answers
            ]
        )
    assert looked[0] == looked[1]
    assert not ProofRun.objects.exists()


def test_with_a_case_under_embargo_as_many_queries_are_asked_as_without() -> None:
    viewer, _ = obliged()
    client, page, counts = client_of(viewer), page_of(only().name), []
    client.get(page)
    case = ""
    for has_case in (False, True):
        case = under_embargo() if has_case else ""
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(page)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    advisories.publish(somebody("office", Role.COORDINATOR), case, now=NOW)
    with CaptureQueriesContext(connection) as asked:
        client.get(page)
    assert len(asked) > counts[0], "the test would notice"
