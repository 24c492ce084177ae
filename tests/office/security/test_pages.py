"""Every page of every role: nothing inline, nothing framed, nothing foreign, nothing unescaped."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any, Final

import pytest

from clearhouse.office.config import Config
from tests.office.security.routes import ROUTES, Route, sent
from tests.office.security.world import Browser, World, undone

pytestmark = pytest.mark.django_db

_ROLES: Final = (
    "public", "finder", "supplier", "deployer", "observer", "team-invited", "coordinator",
    "developer", "partner",
)  # fmt: skip
_GETS: Final = [one for one in ROUTES if one.method == "GET"]
#: A text that breaks out of whatever does not escape it.
HOSTILE: Final = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}{% now %}\u202e"


class Inline(HTMLParser):
    """Notes scripts and styles that stand in the page, and what a hostile text brought in."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # Data in a page is no script of it: no browser runs it (HTML, section 4.12.1).
        is_data = given.get("type") == "application/json"
        self._is_script = tag == "script" and "src" not in given and not is_data
        if tag == "style" or (tag == "img" and given.get("src") == "x"):
            self.faults.append(f"<{tag}>")
        self.faults += [f"{tag} {name}" for name in given if name == "style" or name[:2] == "on"]
        for name in ("href", "src", "action", "formaction"):
            value = (given.get(name) or "").strip().lower()
            if value.startswith(("javascript:", "data:text", "vbscript:")):
                self.faults.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.faults.append(f"script: {data[:60]}")
        self._is_script = False


def inline_in(page: bytes, policy: str = "") -> list[str]:
    """What is wrong in a page; a style sheet is right whose digest its policy names."""
    reader = Inline()
    reader.feed(page.decode())
    for style in re.findall(rb"<style>(.*?)</style>", page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
        if f"'sha256-{digest}'" in policy and "sandbox" in policy:
            reader.faults.remove("<style>")
    return reader.faults


def test_the_reader_of_pages_finds_what_it_looks_for() -> None:
    page = b'<p style="a"><script>x</script><a href="javascript:x" onclick="y">'
    assert len(inline_in(page)) == 4


@pytest.mark.parametrize("name", _ROLES)
def test_each_answer_has_its_headers_and_no_page_has_anything_inline(
    world: World, name: str
) -> None:
    faults = []
    for route in _GETS:
        with undone():
            found = Browser().ask(world.lookers[name], "GET", route.path(world.names))
        policy = found.headers.get("Content-Security-Policy", "")
        expected = {
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        faults += [
            f"{route.id}: {key}" for key, one in expected.items() if found.headers.get(key) != one
        ]
        if "unsafe" in policy or "default-src 'none'" not in policy:
            faults.append(f"{route.id}: {policy}")
        if found.headers["Content-Type"].startswith("text/html"):
            faults += [f"{route.id}: {one}" for one in inline_in(found.content, policy)]
    assert not faults


@pytest.mark.parametrize("name", ["supplier", "coordinator", "finder", "developer"])
def test_a_hostile_text_in_every_field_is_text_on_every_page(world: World, name: str) -> None:
    from django.apps import apps
    from django.db import models

    looker, faults, shown = world.lookers[name], [], 0
    with undone():
        for model in apps.get_models():
            if not model.__module__.startswith("clearhouse.office"):
                continue
            for one in model._meta.concrete_fields:
                if isinstance(one, models.CharField | models.TextField) and _is_free(one):
                    text = HOSTILE[: one.max_length or 200]
                    model._default_manager.update(**{one.name: text})
        for route in _GETS:
            found = Browser().ask(looker, "GET", route.path(world.names))
            assert found.status_code < 500, (route.id, found.content[:300])
            policy = found.headers["Content-Security-Policy"]
            if found.headers["Content-Type"].startswith("text/html"):
                faults += [f"{route.id}: {one}" for one in inline_in(found.content, policy)]
                shown += found.content.count(b"&lt;script&gt;")
                if b">49<" in found.content:
                    faults.append(f"{route.id}: a template in a text was run")
    assert not faults
    assert shown > 0, "the text stands on some page"


#: Columns that people write freely; the others are names, states and digests of the office's own.
_FREE: Final = {
    "title", "summary", "reason", "text", "note", "made_by", "by", "filed_by", "found_by",
    "origin_id", "filename", "details", "remedy", "scope", "closed_because", "embargo_because",
    "decided_because", "done_by", "sector", "about", "contacts", "model", "what", "statement",
}  # fmt: skip


def _is_free(one: Any) -> bool:
    return one.name in _FREE and not one.choices and not one.unique


_POSTS: Final = [one for one in ROUTES if one.method == "POST" and not one.is_api]


@pytest.mark.parametrize("route", _POSTS, ids=lambda one: one.id)
def test_a_form_without_its_token_does_nothing(world: World, route: Route) -> None:
    with undone():
        found = Browser(checks_csrf=True).ask(
            world.lookers["coordinator"],
            "POST",
            route.path(world.names),
            **sent(route, world.names),
        )
    assert found.status_code == 403
    assert b"The form is too old" in found.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_api_asks_a_browser_for_the_token_too(world: World, method: str) -> None:
    for route in (one for one in ROUTES if one.is_api and one.method == method):
        with undone():
            found = Browser(checks_csrf=True).ask(
                world.lookers["coordinator"], method, route.path(world.names),
                **sent(route, world.names),
            )  # fmt: skip
        assert found.status_code == 403, route.id
        assert b"CSRF" in found.content


_DOWNLOADS: Final = (
    "cases/<str:name>/findings/<str:finding>", "cases/<str:name>/findings/<str:finding>/verdict",
    "cases/<str:name>/patches/<str:patch>", "cases/<str:name>/patches/<str:patch>/verdict",
    "cases/<str:name>/files/<str:file>", "api/cases/{name}/files/{file}",
    "api/cases/{name}/patches/{patch}/diff", "api/findings/{name}/content",
    "findings/^(?P<name>F-[0-9A-Z]{10})/content/$", "findings/^(?P<name>F-[0-9A-Z]{10})/verdict/$",
)  # fmt: skip


@pytest.mark.parametrize("place", _DOWNLOADS)
def test_what_others_sent_is_saved_and_never_opened(world: World, place: str) -> None:
    from clearhouse.office.cases.models import CaseFile

    [route] = [one for one in ROUTES if one.place == place and one.method == "GET"]
    with undone():
        CaseFile.objects.update(filename='x"; filename="a.html\r\nX-Evil: 1')
        found = Browser().ask(world.lookers["coordinator"], "GET", route.path(world.names))
    assert found.status_code == 200
    disposition = found.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', disposition), disposition
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Evil" not in found.headers
    assert not found.headers["Content-Type"].startswith(("text/html", "image/svg"))


@pytest.mark.parametrize("way", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(world: World, way: str) -> None:
    for path in ("/account/login/", "/account/logout/", "/account/reauthenticate/"):
        for name in ("public", "finder"):
            with undone():
                found = Browser().ask(
                    world.lookers[name], "POST", f"{path}?next={way}", {"next": way}
                )
            assert "evil.example" not in found.headers.get("Location", "").partition("?")[0]


def test_another_host_is_not_served(world: World) -> None:
    found = Browser().ask(world.lookers["public"], "GET", "/", host="evil.example")
    assert found.status_code == 400
    assert b"evil.example" not in found.content


def test_an_office_that_is_no_local_one_sends_its_cookies_over_tls_alone() -> None:
    import subprocess
    import sys

    code = (
        "from clearhouse.office import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,"
        " s.CSRF_COOKIE_HTTPONLY, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 31_000_000,"
        " s.SESSION_COOKIE_SAMESITE, s.DEBUG)"
    )
    import os

    surroundings = os.environ | {"CLEARHOUSE_URL": "https://office.example"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True"] * 6 + ["Lax", "False"]
    assert not Config.of(surroundings).is_local
