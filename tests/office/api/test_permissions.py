"""Who sees and does what in a case through the API: every kind of viewer, every deed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from clearhouse.office.authorisation import DONE_BY, INVITED, SEEN_BY, Deed, Part
from clearhouse.office.cases.models import Case
from clearhouse.office.findings.actions import decide
from clearhouse.office.findings.models import Finding
from clearhouse.protocol.roles import Role, Scope
from tests.office.api.caller import Caller, caller, said
from tests.office.story import IN_A_YEAR, NOW, packed

pytestmark = pytest.mark.django_db

#: A deed, how it is asked for, and the answer where it is allowed.
DEEDS: tuple[tuple[Deed, str, dict[str, Any]], ...] = (
    (Deed.RUN, "/tasks", {"title": "Look"}),
    (Deed.RUN, "/ssvc", {"inputs": {}}),
    (Deed.RUN, "/world", {"event": "A", "reason": "seen"}),
    (Deed.EMBARGO, "/embargo/proposals", {"ends_at": f"{IN_A_YEAR}:00Z", "reason": "more"}),
    (Deed.WRITE, "/messages", {"text": "hello"}),
    (Deed.ASSESS, "/assessments", {"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"}),
    (Deed.ASSESS, "/versions", {"introduced": "0", "fixed": "2"}),
)
GUESTS = (Role.SUPPLIER, Role.DEPLOYER, Role.OBSERVER, Role.AUTHORITY)
#: The keys of a case's document that show a part.
SHOWN = {
    "summary": Part.SUMMARY,
    "clock": Part.CLOCK,
    "findings": Part.REPORT,
    "versions": Part.VERSIONS,
    "severity": Part.SEVERITY,
    "patches": Part.PATCHES,
    "messages": Part.DISCUSSION,
    "files": Part.DISCUSSION,
    "tasks": Part.TASKS,
    "participants": Part.PARTICIPANTS,
    "timeline": Part.TIMELINE,
    "suggestions": Part.TRIAGE,
}


@dataclass(frozen=True)
class Scene:
    """A case under embargo, its finder and the office."""

    case: str
    finding: str
    finder: Caller
    office: Caller

    def guest(self, role: Role, *, answer: str = "accept") -> Caller:
        """Somebody invited in that role, who has answered so."""
        made = caller(f"guest-{role.value}", role)
        invitation = {"organisation": f"guest-{role.value}", "role": role.value}
        said(self.office.post(f"/cases/{self.case}/invite", invitation))
        if answer:
            found = made.post(f"/cases/{self.case}/answer", {"verdict": answer})
            assert found.status_code == (200 if answer == "accept" else 204), found.content
        return made


@pytest.fixture
def scene() -> Scene:
    finder, office = caller("hexfind", Role.FINDER), caller("office", Role.COORDINATOR)
    data = packed("CVE-2019-14853")
    name = said(finder.post("/findings", data, kind="application/gzip"), 201)["name"]
    document = {
        "digest": "sha256:0", "grade": "crash", "reason": "", "signature": "s1", "proven": True,
        "runs": [],
    }  # fmt: skip
    decide(name, document, now=NOW)
    Finding.objects.filter(name=name).update(verdict="")
    _place(name)
    return Scene(Case.objects.get().name, name, finder, office)


def _place(name: str) -> None:
    from clearhouse.office.cases.actions.opening import place

    place(name, now=NOW)


@pytest.mark.parametrize("role", GUESTS)
def test_a_bound_guest_sees_the_parts_of_its_role_and_does_its_deeds(
    scene: Scene, role: Role
) -> None:
    guest = scene.guest(role)
    document = said(guest.get(f"/cases/{scene.case}"))
    seen = {part for key, part in SHOWN.items() if document[key] is not None}
    assert seen == {part for part in SHOWN.values() if part in SEEN_BY[role]}
    for deed, path, body in DEEDS:
        found = guest.post(f"/cases/{scene.case}{path}", body)
        allowed = deed in DONE_BY[role]
        assert found.status_code == (200 if allowed else 404), (deed, path, found.content)


@pytest.mark.parametrize("role", GUESTS)
def test_who_has_not_answered_sees_the_terms_and_does_nothing(scene: Scene, role: Role) -> None:
    guest = scene.guest(role, answer="")
    document = said(guest.get(f"/cases/{scene.case}"))
    seen = {part for key, part in SHOWN.items() if document[key] is not None}
    assert seen == {part for part in SHOWN.values() if part in INVITED}
    title = Case.objects.get().title
    assert title not in str(document)
    assert title not in guest.get("/cases").content.decode()
    for _, path, body in DEEDS:
        assert said(guest.post(f"/cases/{scene.case}{path}", body), 404)["status"] == 404
    assert said(guest.get(f"/findings/{scene.finding}"), 404)["status"] == 404


@pytest.mark.parametrize("role", GUESTS)
def test_for_who_declined_there_is_no_case(scene: Scene, role: Role) -> None:
    guest = scene.guest(role, answer="decline")
    assert said(guest.get(f"/cases/{scene.case}"), 404)["status"] == 404
    assert said(guest.get("/cases"))["items"] == []


@pytest.mark.parametrize("role", [Role.FINDER, *GUESTS])
def test_a_case_of_others_is_as_none(scene: Scene, role: Role) -> None:
    stranger = caller("stranger", role)
    hidden, absent = (stranger.get(f"/cases/{name}") for name in (scene.case, "CH-2026-0000000000"))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    for _, path, body in DEEDS:
        assert said(stranger.post(f"/cases/{scene.case}{path}", body), 404)["status"] == 404
    for path in ("/queue", "/queue/suggestions", "/queue/untriaged", "/queue/jobs"):
        assert said(stranger.get(path), 404)["status"] == 404


def test_a_finder_sees_its_own_report_and_not_those_of_others(scene: Scene) -> None:
    document = said(scene.finder.get(f"/cases/{scene.case}"))
    assert document["findings"] is None
    assert [one["name"] for one in document["own_findings"]] == [scene.finding]


def test_a_key_without_the_scope_does_nothing_in_cases(scene: Scene) -> None:
    reader = caller("office", Role.COORDINATOR, scopes=[Scope.CASES_READ])
    said(reader.get(f"/cases/{scene.case}"))
    for _, path, body in DEEDS:
        assert said(reader.post(f"/cases/{scene.case}{path}", body), 403)["status"] == 403
    writer = caller("office", Role.COORDINATOR, scopes=[Scope.CASES_WRITE])
    assert said(writer.get(f"/cases/{scene.case}"), 403)["status"] == 403
    assert said(writer.get("/queue"), 403)["status"] == 403


def test_a_key_that_may_only_write_does_nothing_whose_answer_it_may_not_read(scene: Scene) -> None:
    writer = caller("office", Role.COORDINATOR, scopes=[Scope.CASES_WRITE])
    Finding.objects.filter(name=scene.finding).update(state="unproven", case="")
    for path, body in (
        (f"/findings/{scene.finding}/rerun", {}),
        ("/cases", {"finding": scene.finding}),
        ("/queue/suggestions/S-0000000000", {"verdict": "reject"}),
    ):
        assert said(writer.post(path, body), 403)["status"] == 403
    assert Case.objects.count() == 1
    finder = caller("hexfind", Role.FINDER, scopes=[Scope.FINDINGS_WRITE])
    assert said(finder.post(f"/findings/{scene.finding}/withdraw"), 403)["status"] == 403
    assert Finding.objects.get().state == "unproven"


def test_a_proposal_is_numbered_within_its_case(scene: Scene) -> None:
    demand = {"ends_at": f"{IN_A_YEAR}:00Z", "reason": "more time"}
    path = f"/cases/{scene.case}/embargo/proposals"
    assert [said(scene.finder.post(path, demand))["number"] for _ in range(2)] == [1, 2]


def test_a_draft_of_an_advisory_is_thrown_away(scene: Scene) -> None:
    words = {"title": "A title", "summary": "A summary"}
    said(scene.office.put(f"/advisories/{scene.case}", words))
    assert scene.office.delete(f"/advisories/{scene.case}").status_code == 204
    assert said(scene.office.get(f"/advisories/{scene.case}"), 404)["status"] == 404


def test_a_message_for_one_reaches_no_other(scene: Scene) -> None:
    supplier = scene.guest(Role.SUPPLIER)
    demand = {"text": "for you alone", "tlp": "TLP:RED", "addressed": ["guest-supplier"]}
    said(scene.office.post(f"/cases/{scene.case}/messages", demand))
    assert [one["text"] for one in said(supplier.get(f"/cases/{scene.case}"))["messages"]] == [
        "for you alone"
    ]
    assert said(scene.finder.get(f"/cases/{scene.case}"))["messages"] == []


def test_a_file_reaches_its_readers_and_is_never_shown_by_a_browser(scene: Scene) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    upload = SimpleUploadedFile("../a page.html", b"<script>1</script>", "text/html")
    made = said(
        Client().post(
            f"/api/cases/{scene.case}/files", {"file": upload},
            headers={"Authorization": f"Bearer {scene.finder.key}"},
        )
    )  # fmt: skip
    assert made["filename"] == "a_page.html"
    path = f"/cases/{scene.case}/files/{made['name']}"
    got = scene.office.get(path)
    assert got.content == b"<script>1</script>"
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert said(scene.guest(Role.OBSERVER).get(path), 404)["status"] == 404


def test_a_coordinator_decides_what_a_report_without_proof_is_about(scene: Scene) -> None:
    other = caller("otherlab", Role.FINDER)
    report = {
        "title": Case.objects.get().title,
        "target": f"{Case.objects.get().package}@0.13.2",
        "origin_id": scene.case,
    }
    name = said(other.post("/findings/report", report), 201)["name"]
    Finding.objects.filter(name=name).update(state="unproven")
    _place(name)
    [waiting] = said(scene.office.get("/queue/untriaged"))
    assert waiting["name"] == name
    [suggested] = said(scene.office.get("/queue/suggestions"))
    assert (suggested["finding"], suggested["case"]) == (name, scene.case)
    path = f"/queue/suggestions/{suggested['name']}"
    assert said(other.post(path, {"verdict": "accept"}), 404)["status"] == 404
    assert said(scene.office.post(path, {"verdict": "accept"}))["state"] == "accepted"
    assert said(scene.office.post(path, {"verdict": "accept"}), 409)["status"] == 409
    assert said(other.get(f"/findings/{name}"))["case"] == scene.case


def test_the_embargo_is_negotiated(scene: Scene) -> None:
    supplier = scene.guest(Role.SUPPLIER)
    ends = Case.objects.get().embargo_ends_at
    assert ends is not None
    demand = {"ends_at": f"{IN_A_YEAR}:00Z", "reason": "more time"}
    made = said(supplier.post(f"/cases/{scene.case}/embargo/proposals", demand))
    path = f"/cases/{scene.case}/embargo/proposals/{made['number']}"
    assert said(supplier.post(path, {"verdict": "accepted"}), 404)["status"] == 404
    agreed = said(scene.office.post(path, {"verdict": "accepted"}))
    assert agreed["clock"]["ends_at"] == f"{IN_A_YEAR}:00Z"
    over = said(scene.office.post(f"/cases/{scene.case}/embargo/terminate", {"reason": "done"}))
    assert over["clock"]["embargo"] == "exited"


def test_jobs_are_counted_for_the_office(scene: Scene) -> None:
    found = said(scene.office.get("/queue/jobs"))
    assert {one["kind"] for one in found["counts"]} >= {"findings.prove", "cases.date"}
    assert {one["name"] for one in found["lanes"]} >= {"history"}
