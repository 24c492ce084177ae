"""From a finding to what is public, by HTTP alone, with the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from clearhouse.protocol.roles import Role
from tests.office.api.caller import Caller, caller, said
from tests.office.postgresql import Server, postgresql
from tests.office.story import SAMPLES, packed, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.network]

__all__ = ["postgresql"]

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"


@pytest.mark.slow
def test_a_finding_becomes_a_case_and_its_patch_reaches_who_needs_it() -> None:
    finder, other = caller("hexfind", Role.FINDER), caller("otherlab", Role.FINDER)
    supplier = caller("ecdsa-team", Role.SUPPLIER)
    hospital = caller("hospital", Role.DEPLOYER)
    office = caller("office", Role.COORDINATOR)

    data = packed("CVE-2019-14853")
    name = said(finder.post("/findings", data, kind="application/gzip"), 201)["name"]
    theirs = said(other.post("/findings", data, kind="application/gzip"), 201)["name"]
    work_off()

    mine = said(finder.get(f"/findings/{name}"))
    assert (mine["state"], mine["grade"]) == ("proven", "differential"), mine["reason"]
    verdict = said(finder.get(f"/findings/{name}/verdict"))
    assert verdict["digest"] == mine["verdict_digest"]
    case = mine["case"]
    seen = said(office.get(f"/cases/{case}"))
    assert [one["name"] for one in seen["findings"]] == [name, theirs]
    assert seen["versions"]["history"] is not None
    assert [one["case"] for one in said(office.get("/queue"))] == [case]

    assert said(supplier.get(f"/cases/{case}"), 404)["status"] == 404
    said(office.post(f"/cases/{case}/tell", {"organisation": "ecdsa-team"}))
    invited = said(supplier.get(f"/cases/{case}"))
    assert (invited["findings"], invited["summary"]) == (None, None)
    assert mine["title"] not in str(invited)
    opened = said(supplier.post(f"/cases/{case}/answer", {"verdict": "accept"}))
    assert opened["summary"]["letters"] == "Vfdpxa"
    assert said(supplier.get(f"/findings/{name}"))["name"] == name
    assert supplier.get(f"/findings/{name}/content").content == data
    assert said(other.get(f"/findings/{name}"), 404)["status"] == 404
    for event in ("validate", "accept"):
        said(supplier.post(f"/cases/{case}/report-state", {"event": event}))
    assessed = said(supplier.post(f"/cases/{case}/assessments", {"vector": VECTOR}))
    assert assessed["severity"]["leading"]["score"] == 7.5

    said(finder.post(f"/cases/{case}/messages", {"text": "A fix comes.", "tlp": "TLP:AMBER"}))
    said(office.post(f"/cases/{case}/tasks", {"title": "Review it", "assignee": "ecdsa-team"}))
    [task] = said(supplier.get("/queue/tasks"))
    assert said(supplier.post(f"/cases/{case}/tasks/{task['name']}/done"))["done_at"] is not None

    patch = _patch(finder, supplier, case)
    said(office.post(f"/cases/{case}/invite", {"organisation": "hospital", "role": "deployer"}))
    assert said(hospital.get(f"/cases/{case}/patches/{patch}"), 404)["status"] == 404
    said(hospital.post(f"/cases/{case}/answer", {"verdict": "accept"}))
    said(office.post(f"/cases/{case}/patches/{patch}/distribute", {"tlp": "TLP:AMBER"}))
    remedy = said(hospital.get(f"/cases/{case}"))["remedy"]
    assert (remedy["name"], remedy["tlp"]) == (patch, "TLP:AMBER")
    assert remedy["note_signed"].startswith("clearhouse patch v1")
    assert b"ecdsa/keys.py" in hospital.get(f"/cases/{case}/patches/{patch}/diff").content
    fixed = said(supplier.post(f"/cases/{case}/fix", {"event": "F"}))
    assert fixed["summary"]["letters"] == "VFdpxa"

    _published(office, case)
    closed = said(office.post(f"/cases/{case}/close", {"reason": "All is done."}))
    assert closed["summary"]["state"] == "closed"
    assert closed["clock"]["embargo"] == "exited"
    receipt = json.loads(finder.get(f"/findings/{name}/receipt").content)
    assert receipt["checkpoint"]


@pytest.mark.slow
def test_the_same_holds_on_postgresql(postgresql: Server) -> None:
    top = Path(__file__).parents[3]
    story = (
        f"{__file__}::{test_a_finding_becomes_a_case_and_its_patch_reaches_who_needs_it.__name__}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", story],
        env=os.environ | {"CLEARHOUSE_DATABASE": postgresql.new_database()},
        cwd=top, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def _published(office: Caller, case: str) -> None:
    """The office writes the advisory; from then on everybody reads it, and programs do."""
    anybody = Caller()
    assert said(anybody.get(f"/advisories/{case}"), 404)["status"] == 404
    words = {
        "title": "Malformed signatures raise an error that callers do not expect",
        "summary": "Update to 0.13.3.",
        "references": [{"url": "https://example.org/fix", "summary": "The fix", "kind": "FIX"}],
    }
    assert said(office.put(f"/advisories/{case}", words))["published_at"] is None
    assert said(anybody.get(f"/advisories/{case}"), 404)["status"] == 404
    assert said(office.post(f"/advisories/{case}/publish", {}))["revision"] == 1
    assert said(office.get(f"/cases/{case}"))["summary"]["letters"] == "VFdPxa"
    work_off(datetime.now(UTC))
    [listed] = said(anybody.get("/advisories"))["items"]
    assert listed["name"] == case
    [package] = said(anybody.get(f"/advisories/{case}"))["shown"]["packages"]
    assert package["fixed"] == ["0.13.3"]
    assert package["executed"] is not None
    documents = {
        kind: said(anybody.get(f"/advisories/{case}/documents/{kind}")) for kind in ("csaf", "osv")
    }
    assert documents["csaf"]["document"]["tracking"]["id"] == case
    assert _public(f"/osv/{documents['osv']['id']}.json") == documents["osv"]
    provider = _public("/.well-known/csaf/provider-metadata.json")
    [feed] = provider["distributions"][0]["rolie"]["feeds"]
    feed_path = "/.well-known/csaf/" + feed["url"].partition("/.well-known/csaf/")[2]
    assert case in {one["id"] for one in _public(feed_path)["feed"]["entry"]}


def _public(path: str) -> Any:
    """A document that anybody gets, without the API."""
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return json.loads(b"".join(answer) if answer.streaming else answer.content)


def _patch(finder: Caller, supplier: Caller, case: str) -> str:
    diff = (SAMPLES / "patches/CVE-2019-14853/bad-signature.patch").read_bytes()
    made = said(finder.post(f"/cases/{case}/patches", diff, kind="text/x-diff"))
    waiting = said(finder.get(f"/cases/{case}/patches/{made['name']}/job"))
    assert waiting["state"] == "waiting"
    work_off()
    shown = said(finder.get(f"/cases/{case}/patches/{made['name']}"))
    assert shown["state"] == "accepted", shown["reason"]
    assert said(finder.get(f"/cases/{case}/patches/{made['name']}/verdict"))["accepted"] is True
    chosen = said(supplier.post(f"/cases/{case}/patches/{made['name']}/choose"))
    assert chosen["chosen_by"].startswith("Ecdsa-Team")
    return str(made["name"])
