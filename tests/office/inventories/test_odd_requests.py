"""Odd names, methods and forms: an answer in words, never a fault of the office."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.protocol.roles import Role
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NAMES = ("%00", "%ED%A0%80", "%FF", "'", "..", "a" * 3000, "SY-%00", "%F0%9F%98%80", "%E2%80%AE")
PAGES = (
    "/exposure/systems/{}/", "/exposure/systems/{}/describe/", "/exposure/systems/{}/components/",
    "/exposure/inventories/{}/", "/exposure/inventories/{}/file/", "/exposure/{}/",
    "/exposure/cases/{}/", "/exposure/systems/{}/upload/", "/exposure/systems/{}/state/",
    "/exposure/systems/{}/retire/", "/exposure/statements/{}/withdraw/",
    "/api/systems/{}", "/api/systems/{}/inventories", "/api/systems/{}/statements",
    "/api/systems/{}/retire", "/api/systems/statements/{}/withdraw", "/api/exposures/{}",
    "/api/exposures/of-case/{}",
)  # fmt: skip
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "role", [pytest.param(Role.DEPLOYER, marks=pytest.mark.exhaustive), Role.COORDINATOR]
)
def test_no_name_is_a_fault_of_the_office(page: str, role: Role) -> None:
    client = client_of(somebody("odd", role))
    for name in NAMES:
        for method in METHODS:
            answer = getattr(client, method)(page.format(name))
            assert 200 <= answer.status_code < 500, (method, name)


@pytest.mark.parametrize(
    "query",
    ["after=%00", "after=%ED%A0%80", "after=9999999", "after=-1", "q=%00%FF", "q=" + "a" * 3000,
     "after=%D9%A1", "system=%00", "file=%00", "distribution=%FF&file=%ED%A0%80",
     "file=" + "f" * 300, "distribution=" + "D" * 300],
)  # fmt: skip
def test_no_query_is_a_fault_of_the_office(query: str) -> None:
    viewer = somebody("odd", Role.DEPLOYER)
    system = add_system(viewer, "Records", answers={}, now=NOW)
    receive(viewer, system.name, b"jinja2==1\n", file="r.txt", now=NOW)
    client = client_of(viewer)
    for page in ("/exposure/", f"/exposure/systems/{system.name}/", "/api/exposures",
                 f"/exposure/systems/{system.name}/components/"):  # fmt: skip
        assert client.get(f"{page}?{query}").status_code < 500, page
    kind = "application/octet-stream"
    for what in ("inventories", "statements"):
        address = f"/api/systems/{system.name}/{what}?{query}"
        assert client.post(address, b"jinja2==1\n", content_type=kind).status_code < 500


def test_no_form_is_a_fault_of_the_office() -> None:
    viewer = somebody("odd", Role.DEPLOYER)
    system = add_system(viewer, "Records", answers={}, now=NOW)
    client = client_of(viewer)
    page = f"/exposure/systems/{system.name}/"
    odd = "\x00\ud800".encode("utf-8", "surrogatepass").decode("latin-1")
    for title in ("", odd, " ", "a" * 5000, "\u202e", "\n"):
        given = {"title": title, "sector": odd, "kind": [odd, "medical"], "exposure": "moon"}
        for place in ("/exposure/systems/new/", f"{page}describe/"):
            assert client.post(place, given).status_code < 500
    for name in ("", odd, "a" * 250, "\u202e.json"):
        for what, field in (("upload", "file"), ("state", "statements")):
            for raw in (b"", b"{", b"\x00", b"jinja2==1\n"):
                sent = SimpleUploadedFile(name or "x", raw)
                with_file = {field: sent, "distribution": odd}
                assert client.post(f"{page}{what}/", with_file).status_code < 500
            assert client.post(f"{page}{what}/", {field: "text"}).status_code < 500


@pytest.mark.parametrize(
    "raw",
    [b'{"title":"\\ud800"}', b'{"title":"a\\u0000"}', b'{"title":"a","answers":{"\\ud800":"x"}}',
     b'{"title":"a","answers":{"kind":["\\ud800"]}}', b'{"title":"a","sector":"\\ud800"}',
     b"{", b"[]", b"\xff", b'{"title":1e999}', b"[" * 100_000, b'{"title":"a","title":"b"}'],
)  # fmt: skip
def test_no_json_is_a_fault_of_the_office(raw: bytes) -> None:
    viewer = somebody("odd", Role.DEPLOYER)
    system = add_system(viewer, "Records", answers={}, now=NOW)
    client = client_of(viewer)
    for ask, place in ((client.post, "/api/systems"), (client.put, f"/api/systems/{system.name}")):
        assert ask(place, raw, content_type="application/json").status_code < 500
