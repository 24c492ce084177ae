"""The pages of a busy case in a real browser, as every role gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponseBase
from pytest_django import Settings

from clearhouse.errors import Unavailable
from tests.office import browser
from tests.office.cases.made import Cast, cast, full
from tests.office.cases.test_pages import signed_in
from tests.office.look.site import application

pytestmark = [
    pytest.mark.django_db, pytest.mark.slow, pytest.mark.network,
]  # fmt: skip
#: Two widths: a phone and a desk.
WIDTHS = (390, 1280)


def pages(who: Cast) -> Mapping[str, HttpResponseBase]:
    """What each role gets, by an address of its own, made before the browser is there."""
    name = full(who).name
    path = f"/cases/{name}/"
    found: dict[str, HttpResponseBase] = {}
    for role in ("office", "supplier", "finder", "hospital", "authority", "observer"):
        found[f"/{role}"] = signed_in(getattr(who, role)).get(path)
    office, supplier = signed_in(who.office), signed_in(who.supplier)
    found["/telling"] = office.get(f"{path}?supplier=ecdsa-team")
    found["/queue"] = office.get("/queue/")
    found["/list"] = supplier.get("/cases/")
    found["/wrong"] = supplier.post(f"{path}assess/", {"vector": "high"})
    return found


def served_pages(found: Mapping[str, HttpResponseBase]) -> Callable[..., Iterable[bytes]]:
    """Those answers, and the files that they name."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        made = found.get(environ["PATH_INFO"])
        if made is None:
            return application(environ, start_response)
        start_response("200 OK", list(made.items()))
        return [made.getvalue()]

    return answer


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
    settings.STATICFILES_DIRS = [assets]
    found = pages(cast())
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with browser.served(served_pages(found)) as address:
        yield address, tuple(found)


def test_no_page_breaks_a_rule_or_its_window(
    address: tuple[str, tuple[str, ...]], tmp_path: Path
) -> None:
    base, paths = address
    axe = browser.axe_source(tmp_path)
    with browser.browser() as chromium:
        for path in paths:
            for width in WIDTHS:
                with browser.opened(chromium, base + path, width=width, axe=axe) as seen:
                    # What is folded away is looked at as well.
                    seen.page.evaluate(
                        "document.querySelectorAll('details').forEach(d => d.open = true)"
                    )
                    assert browser.violations(seen.page) == [], path
                    assert browser.wider_than_window(seen.page) == [], path
                    assert seen.complaints == [], path
