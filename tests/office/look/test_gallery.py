"""All parts on one page, and that page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser
from pytest_django import Settings

from clearhouse.errors import Unavailable
from tests.office import browser
from tests.office.look.site import application

_MIDDLEWARE = [
    "clearhouse.office.headers.SecurityHeaders",
    "django.middleware.csrf.CsrfViewMiddleware",
]


@pytest.fixture(autouse=True)
def _gallery(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.office.look.gallery"
    settings.MIDDLEWARE = _MIDDLEWARE
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


def test_the_page_has_nothing_inline_that_the_policy_would_stop() -> None:
    html = Client().get("/?sent=1").content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert all(" src=" in one for one in re.findall(r"<script[^>]*>", html))


def test_the_frame_names_page_office_and_language() -> None:
    html = Client().get("/").content.decode()
    assert re.search(r"<title>Parts of the pages \u2013 Clearinghouse of Examples</title>", html)
    assert re.search(r'<html lang="en', html)
    assert 'href="#main-content"' in html
    assert 'id="main-content"' in html
    for path in ("/oversight/", "/ledger/", "/api/docs", "/.well-known/security.txt"):
        assert f'href="{path}"' in html


def test_ids_are_unique() -> None:
    ids = re.findall(r'\sid="([^"]*)"', Client().get("/?sent=1").content.decode())
    assert sorted(set(ids)) == sorted(ids)


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.browser() as chromium:
        yield chromium


@pytest.fixture
def address(assets: Path, settings: Settings) -> Iterator[str]:
    settings.STATICFILES_DIRS = [assets]
    with browser.served(application) as address:
        yield address


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("width", browser.WIDTHS)
@pytest.mark.parametrize("query", ["", "?sent=1"], ids=["fresh", "with errors"])
def test_the_gallery_breaks_no_rule_and_fits_its_window(
    chromium: Browser, address: str, axe: str, width: int, query: str
) -> None:
    with browser.opened(chromium, f"{address}/{query}", width=width, axe=axe) as seen:
        # What is folded away is looked at as well.
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.violations(seen.page) == []
        assert browser.wider_than_window(seen.page) == []
        assert seen.complaints == []


@pytest.mark.slow
@pytest.mark.network
def test_axe_does_see_what_is_wrong(chromium: Browser, address: str, axe: str) -> None:
    with browser.opened(chromium, address, width=390, axe=axe) as seen:
        seen.page.evaluate("document.querySelector('main').innerHTML += '<img src=x><input>'")
        found = {one.partition(":")[0] for one in browser.violations(seen.page)}
        assert found == {"image-alt", "label"}


@pytest.mark.slow
@pytest.mark.network
def test_the_menu_of_a_phone_opens_closes_and_is_there_without_script(
    chromium: Browser, address: str
) -> None:
    link = ".usa-nav a[href='/cases/']"
    with browser.opened(chromium, address, width=390) as seen:
        assert not seen.page.is_visible(link)
        seen.page.click(".usa-menu-btn")
        seen.page.wait_for_selector(link, state="visible")
        seen.page.click(".usa-nav__close")
        seen.page.wait_for_selector(link, state="hidden")
    with browser.opened(chromium, address, width=390, script=False) as seen:
        assert seen.page.is_visible(link)
        seen.page.click(link)
        seen.page.wait_for_url("**/cases/")


@pytest.mark.slow
@pytest.mark.network
def test_a_form_is_sent_without_script_and_its_errors_get_the_focus_with_it(
    chromium: Browser, address: str
) -> None:
    with browser.opened(chromium, address, width=390, script=False) as seen:
        seen.page.click("main button[type=submit]")
        seen.page.wait_for_selector(".ch-errors")
        assert seen.page.locator(".ch-errors li").count() == 5
    with browser.opened(chromium, address, width=390) as seen:
        seen.page.click("main button[type=submit]")
        seen.page.wait_for_selector(".ch-errors:focus")


@pytest.mark.slow
@pytest.mark.network
def test_the_account_menu_closes_on_escape(chromium: Browser, address: str) -> None:
    with browser.opened(chromium, address, width=1440) as seen:
        seen.page.click(".ch-menu > summary")
        seen.page.wait_for_selector("#account-organisation", state="visible")
        seen.page.focus("#account-organisation")
        seen.page.keyboard.press("Escape")
        seen.page.wait_for_selector("#account-organisation", state="hidden")
        assert seen.page.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.slow
@pytest.mark.network
def test_htmx_runs_no_code_from_answers_and_keeps_no_page(chromium: Browser, address: str) -> None:
    with browser.opened(chromium, address, width=1440) as seen:
        wanted = ["allowEval", "allowScriptTags", "includeIndicatorStyles", "historyCacheSize"]
        told = seen.page.evaluate("names => names.map(name => htmx.config[name])", wanted)
        assert told == [False, False, False, 0]
        seen.page.evaluate("htmx.ajax('GET', '/cases/', {target: '#main-content', select: 'h1'})")
        seen.page.wait_for_selector("#main-content > h1:only-child")
        assert seen.complaints == []
        # htmx notes the address for the back button, and nothing of the page itself.
        stored = "Object.entries({...localStorage, ...sessionStorage})"
        assert seen.page.evaluate(stored) == [["htmx-current-path-for-history", "/"]]
