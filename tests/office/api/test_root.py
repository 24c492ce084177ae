"""What holds for every address of the API: who asks, what errors look like, how it is described."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from ninja import Schema

from clearhouse.office.api.root import api
from clearhouse.office.orgs.models import ApiKey, User
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.api.caller import Caller, caller, said
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"
#: Everybody may ask for these.
PUBLIC = re.compile(
    r"\w+ /api/ledger/|get /api/(advisories|oversight|reviews/(figures|criteria))\b"
    r"|get /api/assessments/(figures|published|plans(/\{name\}(/receipt)?)?)$"
)


def _operations() -> list[tuple[str, str]]:
    document = api.get_openapi_schema(path_prefix="/api/")
    return [
        (method, re.sub(r"\{(\w+)\}", _example, path))
        for path, item in document["paths"].items()
        for method in item
        if not PUBLIC.match(f"{method} {path}")
    ]


def _example(match: re.Match[str]) -> str:
    numbers = {"proposal", "entry", "person", "key", "package", "invitation"}
    return "1" if match[1] in numbers else "X-0"


def _person(viewer: Viewer) -> User:
    assert viewer.person is not None
    return User.objects.get(pk=viewer.person)


@pytest.mark.parametrize(("method", "path"), _operations())
def test_the_public_is_asked_who_it_is(method: str, path: str) -> None:
    found = Client().generic(method.upper(), path, "{}", content_type="application/json")
    assert said(found, 401)["status"] == 401
    assert found.headers["WWW-Authenticate"].startswith("Bearer")
    assert found.headers["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    "header", ["Bearer chk_0", "Bearer", "Basic YTpi", "Bearer chk_0123456789_" + "a" * 43]
)
def test_a_key_that_is_none_is_nobodys(header: str) -> None:
    found = Client().get("/api/findings", headers={"Authorization": header})
    assert said(found, 401)["title"] == "Unauthorized"
    assert "chk_0123" not in found.content.decode()


@pytest.mark.parametrize("field", ["expires_at", "revoked_at"])
def test_a_key_that_has_ended_opens_nothing(field: str) -> None:
    finder = caller("hexfind", Role.FINDER)
    said(finder.get("/findings"))
    ApiKey.objects.update(**{field: timezone.now()})
    assert said(finder.get("/findings"), 401)["status"] == 401


def test_a_person_who_is_signed_in_reads_and_needs_the_token_to_write() -> None:
    viewer = somebody("hexfind", Role.FINDER)
    client = Client(enforce_csrf_checks=True)
    client.force_login(_person(viewer))
    said(client.get("/api/findings"))
    blocked = client.post("/api/known", {}, content_type="application/json")
    assert "CSRF" in said(blocked, 403)["detail"]
    client.get("/api/docs")
    token = client.cookies["csrftoken"].value
    let = client.post(
        "/api/known", {}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert said(let, 422)["key"] == "signature"


def test_a_key_counts_more_than_a_session_and_needs_no_token() -> None:
    office = somebody("office", Role.COORDINATOR)
    finder = caller("hexfind", Role.FINDER)
    client = Client(enforce_csrf_checks=True)
    client.force_login(_person(office))
    found = client.get("/api/queue", headers={"Authorization": f"Bearer {finder.key}"})
    assert said(found, 404)["status"] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/findings/F-0/nothing", 404),
        ("DELETE", "/api/findings", 405),
        ("GET", "/api/known", 405),
    ],
)
def test_where_there_is_no_operation_a_problem_says_so(method: str, path: str, status: int) -> None:
    found = Client().generic(method, path)
    assert said(found, status)["status"] == status
    assert found.headers["Content-Type"] == PROBLEM


def test_fields_that_are_wrong_are_named() -> None:
    finder = caller("hexfind", Role.FINDER)
    problem = said(finder.post("/scans", {"package": 3, "until": "never"}), 422)
    assert [one["key"] for one in problem["errors"]] == [
        "body.demand.package", "body.demand.until",
    ]  # fmt: skip


def test_json_that_cannot_be_read_is_a_problem() -> None:
    finder = caller("hexfind", Role.FINDER)
    assert said(finder.post("/known", b"{"), 400)["status"] == 400


def test_a_bug_tells_nothing_of_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finder = caller("hexfind", Role.FINDER)
    # A row that no action writes: the kind of thing that only a bug leads to.
    from clearhouse.office.findings.models import Finding

    name = said(finder.post("/findings/report", {"title": "secret words"}), 201)["name"]
    Finding.objects.filter(name=name).update(locations={"not": "a list"})
    found = finder.get(f"/findings/{name}")
    assert said(found, 500)["title"] == "Internal Server Error"
    assert b"locations" not in found.content
    assert any(f"/api/findings/{name}" in one.getMessage() for one in caplog.records)


def test_the_document_describes_every_operation_and_its_problems() -> None:
    document: dict[str, Any] = said(Client().get("/api/openapi.json"))
    names = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert len(names) == len(set(names)) > 60
    for path, item in document["paths"].items():
        for method, operation in item.items():
            heading = operation["summary"]
            assert " " in heading, f"{method} {path} says no more than {heading}"
            assert not heading.endswith(".")
            assert set(map(str, operation["responses"])) >= {"401", "404", "422", "429"}


def test_the_documentation_loads_nothing_foreign_and_nothing_inline() -> None:
    found = Client().get("/api/docs")
    page = found.content.decode()
    assert found.status_code == 200
    assert "script-src 'self'" in found.headers["Content-Security-Policy"]
    scripts = re.findall(r"<script([^>]*)>", page)
    assert scripts
    assert all('src="/static/' in one or "application/json" in one for one in scripts)
    assert "://" not in re.sub(r'"(?:description|info)".*', "", page.partition("<body")[0])


def test_everybody_may_check_the_ledger() -> None:
    assert said(Caller().get("/ledger/checkpoint"), 404)["detail"]
    assert said(Caller().get("/ledger/entries?subject=F-1")) == []


def test_no_two_schemas_have_one_name_for_the_document_would_show_one_for_both() -> None:
    names: dict[str, set[str]] = {}
    left = list(Schema.__subclasses__())
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith("clearhouse."):
            names.setdefault(kind.__name__, set()).add(kind.__module__)
    assert {name: places for name, places in names.items() if len(places) > 1} == {}
