"""The pages of reviews in a real browser, as every role gets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.errors import Unavailable
from clearhouse.office.reviews.actions import submitting
from tests.office import browser
from tests.office.cases.test_pages_browser import WIDTHS, served_pages
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.reviews import made
from tests.office.security import reviewing

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.network]


def pages() -> Mapping[str, HttpResponseBase]:
    """What each role gets, by an address of its own, made before the browser is there."""
    there = reviewing.build()
    who, now = made.cast(), timezone.now()
    path = f"/reviews/{there.names['review']}/"
    people = there.people | {"office": who.office}
    found: dict[str, HttpResponseBase] = {}
    for role in ("developer", "office", "partner", "assessor", "partner asked", "partner gone"):
        found[f"/{role.replace(' ', '-')}"] = client_of(people[role]).get(path)
    developer, office = client_of(who.developer), client_of(who.office)
    grant = f"{path}grants/{there.names['grant']}/"
    for role in ("developer", "developer member", "office", "partner"):
        found[f"/grant-{role.replace(' ', '-')}"] = client_of(people[role]).get(grant)
    place = f"/reviews/endpoints/{there.names['endpoint']}/"
    sent = {
        "to": "clinic-net", "models": f"{there.names['endpoint']} m", "networks": "127.0.0.0/8",
        "requests": "1", "tokens": "1", "money": "1", "requests_a_minute": "1",
        "tokens_a_minute": "1", "streams": "1", "calls": "messages",
    }  # fmt: skip
    found["/token"] = developer.post(f"{path}give-grant/", sent)
    found["/wrong-grant"] = developer.post(f"{path}give-grant/", sent | {"networks": "nowhere"})
    found["/endpoint"], found["/wrong-endpoint"] = developer.get(place), developer.post(place)
    found["/endpoints"] = developer.get("/reviews/endpoints/")
    member = client_of(people["developer member"])
    found["/member-endpoints"] = member.get("/reviews/endpoints/")
    draft = submitting.draft(who.developer, made.SUBMISSION, now=now)
    agreed, gone = made.agreed(who, now=now), made.submitted(who, now=now)
    submitting.withdraw(who.developer, gone, now=now)
    for name, page in (("draft", draft.name), ("agreed", agreed), ("withdrawn", gone)):
        found[f"/{name}"] = developer.get(f"/reviews/{page}/")
    found["/begin"] = developer.get("/reviews/new/")
    found["/criteria"] = office.get("/reviews/criteria/")
    found["/roster"] = office.get("/reviews/roster/")
    found["/list"] = office.get("/reviews/")
    found["/mine"] = developer.get("/reviews/")
    found["/public"] = Client().get("/reviews/")
    found["/wrong"] = developer.post(f"{path}lend/", {"kind": "document", "what": ""})
    assert {one.status_code for one in found.values()} == {200, 422}
    return found


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    try:
        browser.tool().make(folder)
    except Unavailable as error:
        pytest.skip(f"no design system: {error}")
    return folder


@pytest.fixture
def address(assets: Path, settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.STATICFILES_DIRS = [assets]
    found = pages()
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with browser.served(served_pages(found)) as address:
        yield address, tuple(found)


def test_no_page_of_a_review_breaks_a_rule_or_its_window(
    address: tuple[str, tuple[str, ...]], tmp_path: Path
) -> None:
    base, paths = address
    axe = browser.axe_source(tmp_path)
    wrong: list[str] = []
    with browser.browser() as chromium:
        for path in paths:
            for width in WIDTHS:
                with browser.opened(chromium, base + path, width=width, axe=axe) as seen:
                    # What is folded away is looked at as well.
                    seen.page.evaluate(
                        "document.querySelectorAll('details').forEach(d => d.open = true)"
                    )
                    found = [*browser.violations(seen.page), *seen.complaints]
                    found += browser.wider_than_window(seen.page)
                    wrong += [f"{path} at {width}: {one}" for one in found]
    assert wrong == []
