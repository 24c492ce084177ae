"""Advisories and figures over HTTP."""

from __future__ import annotations

import pytest

from clearhouse.office.cases.actions import versions
from clearhouse.protocol.roles import Role
from tests.office.api.caller import Caller, caller, said
from tests.office.story import NOW, proven, somebody

pytestmark = pytest.mark.django_db
WORDS = {
    "title": "Malformed signatures crash ecdsa",
    "summary": "Update to 0.13.3.",
    "references": [{"url": "https://example.org/fix", "summary": "The fix", "kind": "FIX"}],
}


def test_an_advisory_is_drafted_and_published_and_read_by_everybody() -> None:
    office = caller("office", Role.COORDINATOR)
    case = proven(somebody("hexfind", Role.FINDER))
    versions.declare(somebody("office"), case, "0", "0.13.3", now=NOW)
    assert said(office.put(f"/advisories/{case}", WORDS))["published_at"] is None
    assert said(Caller().get(f"/advisories/{case}"), 404)
    assert said(Caller().get("/advisories"))["items"] == []
    published = said(office.post(f"/advisories/{case}/publish", {}))
    assert published["revision"] == 1
    seen = said(Caller().get(f"/advisories/{case}"))
    assert seen["shown"]["packages"][0]["fixed"] == ["0.13.3"]
    assert said(Caller().get(f"/advisories/{case}/documents/osv"))["id"] == f"x_{case}"
    assert "CVE" in said(Caller().get(f"/advisories/{case}/documents/cve"), 404)["detail"]
    assert said(office.delete(f"/advisories/{case}"), 409)


def test_only_the_office_writes_them() -> None:
    finder = caller("hexfind", Role.FINDER)
    case = proven(somebody("hexfind"))
    assert said(finder.put(f"/advisories/{case}", WORDS), 404)
    assert said(Caller().put(f"/advisories/{case}", WORDS), 401)


def test_a_reference_of_no_known_kind_is_told() -> None:
    office = caller("office", Role.COORDINATOR)
    case = proven(somebody("hexfind", Role.FINDER))
    odd = WORDS | {"references": [{"url": "https://example.org/", "kind": "GOSSIP"}]}
    assert "ADVISORY" in said(office.put(f"/advisories/{case}", odd), 422)["detail"]


def test_figures_are_for_everybody() -> None:
    assert said(Caller().get("/oversight/figures"), 404)
