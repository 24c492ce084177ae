"""Every page of an office with demonstration data, as each role finds it: WCAG 2.2 AA, keyboard.

Pages are found as people find them, by following links from the first page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.office import browser
from tests.office.serving import Serving, prepared, served

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.sandbox]

#: Who looks, by the first name of the demonstration login; nobody is the public.
_PEOPLE = {
    "the public": "",
    "coordinator": "cora",
    "finder": "finn",
    "supplier": "sam",
    "deployer": "dora",
    "observer": "olive",
    "developer": "dev",
    "trusted partner": "petra",
    "assessor": "asa",
}
#: Where a link leads to no page of the office, or ends the visit.
_NO_PAGES = re.compile(
    r"\.(json|zip|csv|txt|asc)$|^/(api|osv|static|\.well-known)/|^/ledger/.|/(logout|switch)/$"
)
_NAMES = re.compile(r"(CH|F|C|SC|P|T|R|E|G|SY|IN|EX|VX|N)-(\d{4}-)?[0-9A-Z]{10}")
#: Pages of one shape that are looked at: cases differ by where they stand.
_OF_ONE_SHAPE = 3
_FEWEST = {"the public": 8, "coordinator": 25, "finder": 18, "supplier": 12, "deployer": 20,
           "observer": 8, "developer": 9, "trusted partner": 9, "assessor": 9}  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Serving, str]:
    """An office that is filled, and the password of all its logins."""
    made = prepared(tmp_path_factory.mktemp("home"), SECOND_FACTOR="optional")
    filled = made.run("demo-data")
    assert filled.returncode == 0, filled.stderr
    return made, filled.stdout.splitlines()[0].rpartition(" ")[2]


@pytest.fixture(scope="module")
def chromium(office: tuple[Serving, str]) -> Iterator[Browser]:
    with served(office[0], workers=0), browser.browser() as made:
        yield made


def _page(chromium: Browser, office: tuple[Serving, str], person: str, axe: str = "") -> Page:
    url, password = office[0].url, office[1]
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    if axe:
        page.add_init_script(axe)
    page.goto(url)
    if person:
        page.goto(f"{url}/account/login/")
        page.fill("#id_login", f"{person}@example.org")
        page.fill("#id_password", password)
        page.click("form.usa-form button[type=submit]")
        page.wait_for_url(lambda there: "/account/login/" not in there)
    return page


def _links(page: Page) -> list[str]:
    """Where the page leads within the office."""
    here = urlsplit(page.url).netloc
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a[href]:not([download])')].map(one => one.href)"
    )
    parts = [urlsplit(one) for one in found]
    return [
        one.path + (f"?{one.query}" if one.query else "")
        for one in parts
        if one.netloc == here and not _NO_PAGES.search(one.path)
    ]


@pytest.mark.parametrize("role", _PEOPLE)
def test_no_page_of_a_role_breaks_a_rule(
    role: str, chromium: Browser, office: tuple[Serving, str], tmp_path: Path
) -> None:
    page = _page(chromium, office, _PEOPLE[role], browser.axe_source(tmp_path))
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: (
            complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None
        ),
    )
    waiting, seen, shapes = ["/"], {"/"}, Counter[str]()
    wrong: list[str] = []
    while waiting:
        path = waiting.pop(0)
        shape = _NAMES.sub("", path.partition("?")[0]) + ("?" if "?" in path else "")
        shapes[shape] += 1
        if shapes[shape] > _OF_ONE_SHAPE:
            continue
        page.goto(office[0].url + path)
        # What is folded away is looked at as well.
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        wrong += [f"{path}: {one}" for one in browser.violations(page)]
        page.set_viewport_size({"width": 390, "height": 844})
        wrong += [f"{path} on a phone: {one}" for one in browser.wider_than_window(page)]
        page.set_viewport_size({"width": 1280, "height": 900})
        for link in _links(page):
            if link not in seen:
                seen.add(link)
                waiting.append(link)
    assert wrong == []
    assert complaints == []
    assert sum(min(count, _OF_ONE_SHAPE) for count in shapes.values()) >= _FEWEST[role], shapes


#: A page, by links from the first, and the last of its actions that the keyboard has to reach.
_WAYS = (
    ("finn", ("Findings", "Report a vulnerability", "Upload bundles"), "Upload"),
    ("cora", ("Queue",), "Tell the supplier"),
    ("cora", ("Queue", "Tell the supplier"), "Write the advisory"),
    ("sam", ("Cases", "Nested ASN.1"), "Propose a patch"),
    ("dora", ("Exposure", "Add a system"), "Add"),
    ("dora", ("Exposure", "Patient portal"), "Change"),
    ("", ("Advisories", "A malformed DER"), "OSV"),
)
_FOCUSED = """() => {
    const one = document.activeElement;
    const outlined = style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    // A box's or a file's own control is hidden; what stands for it shows the focus.
    const label = one.labels && one.labels.length && getComputedStyle(one.labels[0], '::before');
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    return {
        text: (one.innerText || one.getAttribute('aria-label') || one.id || one.tagName).trim(),
        body: one === document.body,
        inside: box.bottom > 0 && box.top < innerHeight,
        visible: outlined(style) || style.boxShadow !== 'none' || (label && outlined(label))
            || one.closest('.usa-file-input') !== null,
    };
}"""
_MOST_TABS = 150


@pytest.mark.parametrize(("person", "way", "action"), _WAYS, ids=[one[2] for one in _WAYS])
def test_the_keyboard_reaches_what_a_page_is_for(
    person: str,
    way: tuple[str, ...],
    action: str,
    chromium: Browser,
    office: tuple[Serving, str],
) -> None:
    page = _page(chromium, office, person)
    for text in way:
        with page.expect_navigation():
            page.get_by_role("link").filter(has_text=text).locator("visible=true").first.click()
    page.goto(page.url.partition("#")[0])
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED)["text"] == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    reached = []
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused["body"]:
            break
        reached.append(focused["text"].split("\n")[0])
        assert focused["visible"], focused
        assert focused["inside"], focused
        if reached[-1].startswith(action):
            return
    raise AssertionError(f"{action!r} was not reached: {reached}")
