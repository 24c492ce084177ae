"""Findings through the API."""

from __future__ import annotations

import base64
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from clearhouse.office.findings.actions import PROVE, could_not_run
from clearhouse.office.findings.models import Finding
from clearhouse.office.queue.actions import cancel
from clearhouse.protocol.commitment import commit
from clearhouse.protocol.roles import Role, Scope
from tests.office.api.caller import Caller, caller, said
from tests.office.story import packed

pytestmark = pytest.mark.django_db

ZIP = "application/gzip"
REPORT = {"title": "Signatures are accepted twice", "target": "pkg:pypi/ecdsa@0.13.2"}


def _bulk(*lines: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def _answers(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.splitlines()]


def test_a_bundle_is_taken_once() -> None:
    finder = caller("hexfind", Role.FINDER)
    data = packed("CVE-2019-14853")
    first = finder.post("/findings", data, kind=ZIP)
    made = said(first, 201)
    assert first.headers["Location"] == f"/api/findings/{made['name']}"
    assert made["is_new"] is True
    again = said(finder.post("/findings", data, kind=ZIP), 200)
    assert (again["name"], again["is_new"]) == (made["name"], False)
    shown = said(finder.get(f"/findings/{made['name']}"))
    assert (shown["state"], shown["finder"], shown["kind"]) == ("queued", "hexfind", "bundle")
    assert finder.get(f"/findings/{made['name']}/content").content == data
    job = said(finder.get(f"/findings/{made['name']}/job"))
    assert (job["state"], job["before"]) == ("waiting", 0)


def test_a_form_with_a_file_is_a_bundle_too() -> None:
    finder = caller("hexfind", Role.FINDER)
    upload = SimpleUploadedFile("proof.tar.gz", packed("CVE-2019-14853"))
    found = Client().post(
        "/api/findings", {"bundle": upload}, headers={"Authorization": f"Bearer {finder.key}"}
    )
    assert said(found, 201)["is_new"] is True


def test_what_is_no_bundle_is_refused_with_its_place() -> None:
    finder = caller("hexfind", Role.FINDER)
    found = finder.post("/findings", b"no archive", kind=ZIP)
    problem = said(found, 422)
    assert found.headers["Content-Type"] == "application/problem+json"
    assert problem["where"] == "the bundle"
    assert Finding.objects.count() == 0


def test_a_body_of_another_type_is_not_read() -> None:
    finder = caller("hexfind", Role.FINDER)
    assert said(finder.post("/findings", b"{}", kind="text/csv"), 415)["status"] == 415


def test_a_body_that_is_too_large_is_not_read() -> None:
    finder = caller("hexfind", Role.FINDER)
    found = Client().generic(
        "POST", "/api/findings", b"x", content_type=ZIP, CONTENT_LENGTH=str(1 << 30),
        headers={"Authorization": f"Bearer {finder.key}"},
    )  # fmt: skip
    assert said(found, 413)["status"] == 413


def test_a_commitment_that_is_opened_gives_its_time() -> None:
    finder = caller("hexfind", Role.FINDER)
    data = packed("CVE-2019-14853")
    made = said(finder.post("/findings", data, kind=ZIP), 201)
    digest = bytes.fromhex(made["content"].removeprefix("sha256:"))
    Finding.objects.all().delete()
    promise = said(finder.post("/commitments", {"value": commit(b"k" * 32, digest).hex()}))
    wrong = finder.post(
        "/findings", data, kind=ZIP, Commitment=promise["name"], Commitment_Key=(b"x" * 32).hex()
    )
    assert said(wrong, 422)["key"] == "commitment"
    opened = finder.post(
        "/findings", data, kind=ZIP, Commitment=promise["name"], Commitment_Key=(b"k" * 32).hex()
    )
    shown = said(finder.get(f"/findings/{said(opened, 201)['name']}"))
    assert shown["commitment"] == promise["name"]
    assert shown["credit_at"] == promise["at"]
    assert said(finder.get(f"/commitments/{promise['name']}"))["finding"] == shown["name"]


def test_bulk_answers_each_line_by_itself() -> None:
    finder = caller("hexfind", Role.FINDER)
    bundle = {"bundle": base64.b64encode(packed("CVE-2019-14853")).decode()}
    body = _bulk(REPORT, REPORT, {"title": 3}, bundle) + b"\nnot json\n"
    found = _answers(finder.post("/findings/bulk", body, kind="application/x-ndjson").content)
    assert [(one["line"], one["status"]) for one in found] == [
        (1, "accepted"), (2, "repeated"), (3, "refused"), (4, "accepted"), (6, "refused"),
    ]  # fmt: skip
    again = _answers(finder.post("/findings/bulk", body, kind="application/x-ndjson").content)
    assert [one["status"] for one in again] == [
        "repeated", "repeated", "refused", "repeated", "refused",
    ]  # fmt: skip
    assert Finding.objects.count() == 2


def test_bulk_of_more_than_one_batch_is_kept_whole() -> None:
    finder = caller("hexfind", Role.FINDER)
    body = _bulk(*(REPORT | {"origin_id": str(number)} for number in range(450)))
    found = _answers(finder.post("/findings/bulk", body, kind="application/x-ndjson").content)
    assert [one["line"] for one in found] == list(range(1, 451))
    assert Finding.objects.count() == 450


def test_pages_of_findings_meet_without_gap_or_overlap() -> None:
    finder, other = caller("hexfind", Role.FINDER), caller("otherlab", Role.FINDER)
    body = _bulk(*(REPORT | {"origin_id": str(number)} for number in range(120)))
    finder.post("/findings/bulk", body, kind="application/x-ndjson")
    other.post("/findings/report", REPORT)
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = said(finder.get(f"/findings?cursor={cursor}"))
        names += [one["name"] for one in page["items"]]
        cursor = page["next"]
    assert len(names) == len(set(names)) == 120
    assert said(other.get(f"/findings?cursor={names[0]}"), 422)["key"] == "cursor"


def test_results_of_a_scanner_become_reports() -> None:
    finder = caller("hexfind", Role.FINDER)
    log = {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "scan"}},
                "results": [{"ruleId": "R1", "message": {"text": "Overflow in parse"}}],
            }
        ],
    }
    found = said(finder.post("/findings/sarif?target=pkg:pypi/ecdsa@0.13.2", log))
    assert len(found["accepted"]) == 1
    shown = said(finder.get(f"/findings/{found['accepted'][0]['name']}"))
    assert (shown["kind"], shown["package"]) == ("sarif", "pkg:pypi/ecdsa")


def test_a_reasoning_systems_submission_becomes_a_finding() -> None:
    finder = caller("hexfind", Role.FINDER)
    pov = {
        "pov_id": "0b9f4f9e-7a3f-4a43-9c5f-0d5b3d9a7c11",
        "testcase": base64.b64encode(b"\x00crash").decode(),
        "fuzzer_name": "png_fuzzer",
        "sanitizer": "address",
        "architecture": "x86_64",
    }
    found = said(finder.post("/findings/aixcc?target=pkg:generic/libpng@1.6.0", pov))
    shown = said(finder.get(f"/findings/{found['accepted'][0]['name']}"))
    assert (shown["kind"], shown["origin_id"]) == ("aixcc", pov["pov_id"])
    content = json.loads(finder.get(f"/findings/{shown['name']}/content").content)
    assert base64.b64decode(content["attachments"]["testcase.bin"]) == b"\x00crash"


def test_a_finding_is_taken_back_by_its_finder_alone() -> None:
    finder, other = caller("hexfind", Role.FINDER), caller("otherlab", Role.FINDER)
    name = said(finder.post("/findings/report", REPORT), 201)["name"]
    assert said(other.post(f"/findings/{name}/withdraw"), 404)["status"] == 404
    assert said(finder.post(f"/findings/{name}/withdraw"))["state"] == "withdrawn"


@pytest.mark.parametrize(
    "path", ["", "/verdict", "/content", "/job", "/receipt"], ids=lambda path: path or "itself"
)
def test_a_finding_of_others_is_as_none(path: str) -> None:
    finder, other = caller("hexfind", Role.FINDER), caller("otherlab", Role.FINDER)
    name = said(finder.post("/findings/report", REPORT), 201)["name"]
    hidden = other.get(f"/findings/{name}{path}")
    absent = other.get(f"/findings/F-0000000000{path}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    assert Caller().get(f"/findings/{name}{path}").status_code == 401


def test_a_key_does_what_its_scopes_name_and_no_more() -> None:
    reader = caller("hexfind", Role.FINDER, scopes=[Scope.FINDINGS_READ])
    assert said(reader.post("/findings/report", REPORT), 403)["status"] == 403
    assert said(reader.post("/commitments", {"value": "0" * 64}), 403)["status"] == 403
    writer = caller("hexfind", Role.FINDER, scopes=[Scope.FINDINGS_WRITE])
    name = said(writer.post("/findings/report", REPORT), 201)["name"]
    assert said(writer.get(f"/findings/{name}"), 403)["status"] == 403
    assert said(writer.get("/findings"), 403)["status"] == 403
    assert said(writer.get("/cases"), 403)["status"] == 403


def test_only_the_office_has_findings_run_again() -> None:
    finder, office = caller("hexfind", Role.FINDER), caller("office", Role.COORDINATOR)
    name = said(finder.post("/findings", packed("CVE-2019-14853"), kind=ZIP), 201)["name"]
    assert said(finder.post(f"/findings/{name}/rerun"), 404)["status"] == 404
    assert said(office.post(f"/findings/{name}/rerun"), 409)["status"] == 409
    Finding.objects.filter(name=name).update(state="unrunnable")
    assert said(office.post(f"/findings/{name}/rerun"))["state"] == "queued"


def test_the_work_on_a_finding_is_that_of_its_last_run_and_ends_when_it_is_withdrawn() -> None:
    finder, office = caller("hexfind", Role.FINDER), caller("office", Role.COORDINATOR)
    name = said(finder.post("/findings", packed("CVE-2019-14853"), kind=ZIP), 201)["name"]
    cancel(f"{PROVE}:{name}", now=timezone.now())
    could_not_run(name, "no sandbox here", now=timezone.now())
    said(office.post(f"/findings/{name}/rerun"))
    assert said(finder.get(f"/findings/{name}/job"))["state"] == "waiting"
    said(finder.post(f"/findings/{name}/withdraw"))
    assert said(finder.get(f"/findings/{name}/job"))["state"] == "cancelled"
