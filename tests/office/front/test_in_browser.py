"""The pages of front, findings and scans in a real browser: rules of WCAG, widths, no script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from clearhouse.errors import Unavailable
from clearhouse.office.findings import actions
from clearhouse.office.scans import actions as scans
from clearhouse.office.viewer import Viewer
from tests.office import browser
from tests.office.findings.people import (
    MIDDLEWARE,
    client_of,
    everybody,
    handed_in,
    lines,
    report,
    reported,
)
from tests.office.look.site import application

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.django_db(transaction=True),
]
WIDTHS = (390, 1280)
PUBLIC = ("/", "/contact/", "/accessibility/", "/nothing")
FINDER = (
    "/",
    "/findings/",
    "/findings/?text=nothing+like+it",
    "/findings/report/",
    "/findings/report/bundles/",
    "/findings/report/form/",
    "/findings/report/bulk/",
    "/findings/commitments/",
    "/findings/known/",
    "/scans/",
)


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    try:
        browser.tool().make(folder)
    except Unavailable as error:
        pytest.skip(f"no design system: {error}")
    return folder


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return browser.axe_source(tmp_path_factory.mktemp("axe"))


@pytest.fixture(autouse=True)
def _office(assets: Path, settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.STATICFILES_DIRS = [assets]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


def session(viewer: Viewer | None) -> str:
    return client_of(viewer).cookies["sessionid"].value if viewer else ""


def visited(chromium: Browser, url: str, cookie: str, width: int, axe: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
    page = context.new_page()
    page.add_init_script(axe)
    page.goto(url, wait_until="load")
    # What is folded away is looked at as well.
    page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
    yield page
    context.close()


def test_every_page_breaks_no_rule_and_fits_its_window(axe: str) -> None:
    people = everybody()
    now = timezone.now()
    waiting = handed_in(people.finder)
    refused = reported(people.finder, title="A title of " + "very " * 20 + "many words " + "x" * 60)
    document = {"absent": ["example has no file a.py"], "found": ["example"], "undecided": ["b"]}
    with transaction.atomic():
        actions.ground(refused.name, document, now=now)
    actions.commit(people.finder, "a" * 64, now=now)
    scans.claim(people.finder, "pkg:pypi/ecdsa", now + timedelta(days=1), now=now)
    finder, office, other = map(session, (people.finder, people.office, people.other))
    pages = [
        *((path, "") for path in PUBLIC),
        *((path, finder) for path in FINDER),
        *((f"/findings/{one.name}/", finder) for one in (waiting, refused)),
        *((path, office) for path in ("/", "/findings/", "/scans/", f"/findings/{waiting.name}/")),
        *((path, other) for path in ("/", "/findings/", "/findings/commitments/", "/scans/")),
    ]
    with browser.served(application) as address, browser.browser() as chromium:
        for path, cookie in pages:
            for width in WIDTHS:
                for page in visited(chromium, address + path, cookie, width, axe):
                    assert browser.violations(page) == [], (path, width)
                    assert browser.wider_than_window(page) == [], (path, width)


def test_an_upload_and_a_form_with_errors_break_no_rule(axe: str, tmp_path: Path) -> None:
    many = tmp_path / "many.ndjson"
    many.write_bytes(lines(report(), report(titel="x")) + b"no json\n")
    finder = session(everybody().finder)
    with browser.served(application) as address, browser.browser() as chromium:
        for page in visited(chromium, f"{address}/findings/report/bulk/", finder, 390, axe):
            page.set_input_files("input[type=file]", str(many))
            page.click("main form button[type=submit]")
            page.wait_for_selector("text=1 taken in")
            assert browser.violations(page) == []
            assert browser.wider_than_window(page) == []
        for page in visited(chromium, f"{address}/findings/report/form/", finder, 390, axe):
            page.fill("#id_place-0-line", "0")
            page.click("main form button:text-is('Report')")
            page.wait_for_selector(".ch-errors:focus")
            assert browser.violations(page) == []
            assert page.input_value("#id_place-0-line") == "0"


def test_a_finding_that_waits_changes_by_itself_once_it_is_decided(axe: str) -> None:
    people = everybody()
    found = handed_in(people.finder)
    finder = session(people.finder)
    with browser.served(application) as address, browser.browser() as chromium:
        for page in visited(chromium, f"{address}/findings/{found.name}/", finder, 1280, axe):
            page.wait_for_selector("text=It waits to be run")
            # Another browser withdraws it: the page is told at its next question.
            for other in visited(chromium, page.url, finder, 1280, axe):
                other.click(f"text=Withdraw {found.name}")
                other.wait_for_selector("text=Its finder has taken it back.")
            page.wait_for_selector("text=Its finder has taken it back.", timeout=15_000)
