"""The pages of reviews, by each who comes to them."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.reviews import queries
from clearhouse.office.reviews.models import Review, ThirdParty
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.reviews import made
from tests.office.reviews.made import MODEL, Cast, government

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.fixture
def who() -> Cast:
    return made.cast()


def text_of(client: Client, path: str) -> str:
    """What a page says, without its marks."""
    found = client.get(path)
    assert found.status_code == 200, (path, found.status_code)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode())))


def press(client: Client, name: str, verb: str, **sent: str) -> None:
    """Send a form of a review's page, and follow it."""
    found = client.post(f"/reviews/{name}/{verb}/", sent)
    assert found.status_code == 302, (verb, found.content.decode()[-3000:])


def test_the_whole_way_by_hand(who: Cast) -> None:
    developer, office, partner = (
        client_of(one) for one in (who.developer, who.office, who.partner)
    )
    found = developer.post(
        "/reviews/new/",
        {"model": MODEL, "purpose": "access", "contacts": "ada", "size": "small"},
    )
    name = found["Location"].split("/")[2]
    assert client_of(who.office).get(f"/reviews/{name}/").status_code == 404
    press(developer, name, "submit")
    press(office, name, "change-text", item="data-retention", text="Gone within a day.")
    press(developer, name, "agree-terms", digest=made.digest(name))
    press(office, name, "propose-window", days="12")
    press(developer, name, "agree-window")
    press(
        developer, name, "propose-party", organisation="clinic-net", part="trusted-partner",
        size="large", reason="runs clinics",
    )  # fmt: skip
    party = ThirdParty.objects.get().name
    press(office, name, "agree-party", item=party, reason="it does")
    assert "asked to join" in text_of(partner, f"/reviews/{name}/")
    assert MODEL not in text_of(partner, f"/reviews/{name}/")
    press(partner, name, "join", digest=made.digest(name))
    press(developer, name, "start")
    clocks = [text_of(one, f"/reviews/{name}/") for one in (developer, office, partner)]
    for said in clocks:
        assert "11 days and 23 h left" in said
        assert "It ends by itself on" in said
        assert "The government has access." in said
    assert "Clinic-Net has access" in clocks[0]
    assert "End this review now" in clocks[0]
    assert "End this review now" not in clocks[1] + clocks[2]
    press(developer, name, "pause")
    assert not government(name, timezone.now())
    press(developer, name, "resume")
    press(developer, name, "lend", kind="document", what="A card", party=party)
    press(developer, name, "withdraw")
    assert not government(name, timezone.now())
    assert office.get(f"/reviews/{name}/").status_code == 404
    assert "Something to give back" in text_of(partner, f"/reviews/{name}/")
    loan = Review.objects.get(name=name).loans.get().name
    press(partner, name, "return", item=loan)
    press(partner, name, "attest", item=loan, statement="Deleted.")
    assert partner.get(f"/reviews/{name}/").status_code == 404
    assert "Withdrawn: nobody else sees" in text_of(developer, f"/reviews/{name}/")


def test_what_was_typed_wrongly_comes_back_with_what_is_wrong(who: Cast) -> None:
    name = made.submitted(who)
    found = client_of(who.office).post(f"/reviews/{name}/propose-window/", {"days": "31"})
    assert found.status_code == 422
    assert "less than or equal to 30" in found.content.decode()


def test_a_window_that_time_has_ended_says_so_before_anybody_notes_it(who: Cast) -> None:
    name = made.opened(who, now=timezone.now() - timedelta(days=21))
    for viewer in (who.developer, who.office):
        assert "The window is over." in text_of(client_of(viewer), f"/reviews/{name}/")
    assert made.state(name) == "open"


def test_everybody_reads_what_holds_and_nobody_reads_of_a_review(who: Cast) -> None:
    name = made.opened(who)
    said = text_of(Client(), "/reviews/")
    assert "nothing waits for it" in said
    assert "No figures yet" in said
    for viewer in (None, who.stranger):
        page = client_of(viewer).get("/reviews/").content.decode()
        assert name not in page
        assert MODEL not in page
        assert client_of(viewer).get(f"/reviews/{name}/").status_code == 404


def test_the_public_figures_and_the_exact_ones_stand_on_their_page(who: Cast) -> None:
    from tests.office.reviews.test_withdrawing import POINTS

    for _ in range(6):
        POINTS["finished"](who)
    exact = text_of(client_of(who.office), "/reviews/")
    assert "Reviews that are over, by the developer's sector" in exact
    assert queries.exact_figures(who.office).review_sectors[0].asked == 6
    assert "by the developer's sector" not in text_of(client_of(who.developer), "/reviews/")


def test_criteria_are_published_by_the_office_for_everybody(who: Cast) -> None:
    office = client_of(who.office)
    assert office.post("/reviews/criteria/", {"text": "Small ones too."}).status_code == 302
    said = text_of(Client(), "/reviews/criteria/")
    assert "Small ones too." in said
    assert "Who defends others comes first." in said
    assert client_of(who.developer).post("/reviews/criteria/", {"text": "x"}).status_code == 404


def test_the_roster_is_kept_by_hand(who: Cast) -> None:
    office = client_of(who.office)
    sent = {"person": str(who.office.person), "role": "DD-WRL-007"}
    assert office.post("/reviews/roster/", sent).status_code == 302
    conflict = {"organisation": "lab", "reason": "Worked there."}
    assert office.post("/reviews/roster/conflicts/", conflict).status_code == 302
    said = text_of(office, "/reviews/roster/")
    assert "Systems Testing and Evaluation" in said
    assert "Conflict of interest with Lab: Worked there." in said
