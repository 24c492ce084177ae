"""An assessment by its pages and by HTTP, by each who takes part."""

from __future__ import annotations

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import measuring
from clearhouse.office.assessments.models import Assessment, CommittedPlan
from clearhouse.protocol.assessment import REPLY_PERIOD
from tests.benchmark import banks
from tests.office.api.caller import Caller, key_for, said
from tests.office.assessments import made
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.reviews.made import Cast, at, cast, opened

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def who() -> Cast:
    return cast()


def text_of(client: Client, path: str) -> str:
    """What a page says, without its marks."""
    found = client.get(path)
    assert found.status_code == 200, (path, found.status_code)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode())))


def file(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("a.json", data)


def test_the_whole_way_by_hand(who: Cast) -> None:
    office, developer = client_of(who.office), client_of(who.developer)
    review = opened(who, now=timezone.now())
    sent = {"plan": file(bytes(banks.plan())), "bank": file(bytes(banks.bank()))}
    assert office.post("/assessments/plans/new/", sent).status_code == 302
    plan = CommittedPlan.objects.get()
    assert "50.0% of the items" in text_of(Client(), f"/assessments/plans/{plan.name}/")
    found = office.post(
        f"/assessments/of/{review}/", {"plan": plan.name, "system": "Halcyon-9 with tools"}
    )
    place = found["Location"]
    name = place.split("/")[2]
    some = made.reports(made.outcomes())
    measuring.report_attempts(who.office, name, some[:4], now=timezone.now())
    assert "The estimate" in text_of(office, place)
    assert "The estimate" not in text_of(developer, place)
    assert "every 4s" in office.get(f"{place}live/").content.decode()
    sent = {"evidence": file(made.evidence(name).as_zip())}
    assert office.post(f"{place}hand-in/", sent).status_code == 302
    early = office.post(f"{place}determine/")
    assert early.status_code == 422
    assert "may answer until" in early.content.decode()
    assert developer.post(f"{place}reply/", {"text": "We agree."}).status_code == 302
    assert office.post(f"{place}determine/").status_code == 302
    assert "We agree." in text_of(office, place)
    page = developer.get(f"{place}report/")
    assert "sha256-" in page.headers["Content-Security-Policy"]
    assert b"item-0" not in page.content
    assert developer.get(f"{place}evidence/").status_code == 404
    assert "We agree." not in text_of(Client(), "/assessments/")
    assert developer.post(f"{place}publish/").status_code == 302
    assert "We agree." in text_of(Client(), "/assessments/")


def test_the_review_leads_to_its_assessments(who: Cast) -> None:
    found = made.begun(who)
    for viewer in (who.developer, who.office):
        page = client_of(viewer).get(f"/reviews/{found.review.name}/").content.decode()
        assert f"/assessments/of/{found.review.name}/" in page
        assert found.name in text_of(client_of(viewer), f"/assessments/of/{found.review.name}/")


@pytest.mark.parametrize(
    ("plan", "bank"), [(b"{}", b"{}"), (b"\xff", b""), (b"[]", b"null"), (b"x" * 100, b"1")]
)
def test_what_is_no_plan_comes_back_with_the_reason(who: Cast, plan: bytes, bank: bytes) -> None:
    found = client_of(who.office).post(
        "/assessments/plans/new/", {"plan": file(plan), "bank": file(bank)}
    )
    assert found.status_code == 422
    assert b"usa-error-message" in found.content or b"usa-alert--error" in found.content


def test_the_whole_way_by_http(who: Cast) -> None:
    office, developer = (Caller(key_for(one), one) for one in (who.office, who.developer))
    review = opened(who, now=timezone.now())
    plan = said(
        office.post(
            "/assessments/plans",
            {"plan": bytes(banks.plan()).decode(), "bank": bytes(banks.bank()).decode()},
        )
    )
    begun = {"review": review, "plan": plan["name"], "system": "Halcyon-9"}
    name = said(office.post("/assessments", begun))["name"]
    some = [
        {"number": one.number, "item": one.outcome.item, "ending": one.outcome.ending.value,
         "verdict": one.outcome.verdict, "tokens": 7}
        for one in made.reports(made.outcomes())
    ]  # fmt: skip
    seen = said(office.post(f"/assessments/{name}/attempts", {"attempts": some[:2]}))
    assert (seen["attempts"], seen["cost"]["tokens"]) == (2, 14)
    assert said(developer.get(f"/assessments/{name}"))["reported"] is None
    said(developer.post(f"/assessments/{name}/attempts", {"attempts": some[:3]}), 404)
    wrong = {"attempts": [some[2] | {"ending": "won"}]}
    said(office.post(f"/assessments/{name}/attempts", wrong), 422)
    said(office.post(f"/assessments/{name}/attempts", {"attempts": some}))
    raw = made.evidence(name).as_zip()
    done = said(office.put(f"/assessments/{name}/evidence", raw))
    assert (done["state"], done["verdict"]) == ("assessed", "covered")
    said(developer.post(f"/assessments/{name}/reply", {}))
    assert said(office.post(f"/assessments/{name}/determine"))["determined_at"]
    said(office.post(f"/assessments/{name}/publish"), 404)
    said(developer.post(f"/assessments/{name}/publish"))
    [public] = said(Caller("", who.stranger).get("/assessments/published"))
    assert public["verdict"] == "covered"


def test_an_assessment_asks_as_much_of_many_attempts_as_of_few(who: Cast) -> None:
    found = made.begun(who)
    some = made.reports(made.outcomes())
    asked = []
    for count in (2, len(some)):
        measuring.report_attempts(who.office, found.name, some[:count], now=at(2))
        with CaptureQueriesContext(connection) as queried:
            queries.view(who.office, found.name)
        asked.append(len(queried))
    assert asked[0] >= asked[1]


def test_the_page_says_until_when_the_developer_may_answer(who: Cast) -> None:
    found = made.assessed(who)
    assert found.assessed_at is not None
    end = found.assessed_at + REPLY_PERIOD
    page = text_of(client_of(who.developer), f"/assessments/{found.name}/")
    assert f"{end:%Y-%m-%d %H:%M} UTC" in page
    assert Assessment.objects.get().state == "assessed"
