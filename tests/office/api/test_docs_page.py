"""The interactive documentation works under the office's content security policy."""

from __future__ import annotations

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application

from tests.office.browser import browser, opened, served

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_it_shows_the_operations_and_the_browser_stops_nothing() -> None:
    with (
        served(StaticFilesHandler(get_wsgi_application())) as url,
        browser() as chromium,
        opened(chromium, f"{url}/api/docs", width=1440) as seen,
    ):
        seen.page.wait_for_selector(".opblock", timeout=30_000)
        assert seen.page.locator(".opblock").count() > 60
        seen.page.locator(".opblock-summary").first.click()
        seen.page.wait_for_selector(".opblock-body")
        assert seen.complaints == []
