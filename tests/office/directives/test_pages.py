"""The pages of directives, by each who comes to them."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clearhouse.office.directives.models import DirectiveRow, ObligationRow
from clearhouse.office.look.clock import absolute
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.directives.made import (
    a_system,
    agency,
    hospital,
    installed,
    known,
    record,
)
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.story import somebody

pytestmark = pytest.mark.django_db
BOD = {"template": "CISA-BOD-26-04", "everybody": "on", "tlp": "TLP:CLEAR", "delay_days": "0"}
ADVICE = BOD | {"template": "EO-14409-2c"}


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


def text_of(client: Client, path: str) -> str:
    found = client.get(path)
    assert found.status_code == 200, (path, found.status_code)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.content.decode())))


def touched(viewer: Viewer) -> None:
    """A system of that organisation with something to do."""
    now = timezone.now()
    installed(viewer, a_system(viewer, "Ward computers"), "jinja2==1.0", now=now)
    known(record("PYSEC-1", "jinja2", aliases=["CVE-2026-1001"]), now=now)


def issued(authority: Client, form: dict[str, str]) -> str:
    """Draft a directive by the form and issue it; its address."""
    drafted = authority.post("/directives/new/", form)
    assert drafted.status_code == 302
    path = str(drafted["Location"])
    assert "This is a draft" in text_of(authority, path)
    assert authority.post(f"{path}issue/").status_code == 302
    work_off(timezone.now())
    return path


def test_an_authority_issues_and_a_hospital_reads_what_to_do_by_when() -> None:
    deployer = hospital()
    touched(deployer)
    authority, client = client_of(agency()), client_of(deployer)
    path = issued(authority, BOD)
    mine = text_of(client, path)
    assert "CVE-2026-1001 on Ward computers" in mine
    assert "BOD 26-04: " in mine
    due = ObligationRow.objects.get().due
    assert due is not None
    assert absolute(due) in mine
    assert "Update jinja2 to 2.0 or later On Ward computers" in mine.replace(" Open ", " ")
    assert "CVE-2026-1001 on Ward computers" in text_of(client, "/directives/")
    theirs = text_of(authority, path)
    assert "Hospital" in theirs
    assert "jinja2" not in theirs
    assert "CVE-2026-1001" in theirs


def test_a_draft_is_its_issuers_alone_and_a_clear_directive_everybodys() -> None:
    authority = client_of(agency())
    path = str(authority.post("/directives/new/", BOD)["Location"])
    others = [
        client_of(hospital()), client_of(somebody("office", Role.COORDINATOR)), Client()
    ]  # fmt: skip
    assert [one.get(path).status_code for one in others] == [404, 404, 404]
    authority.post(f"{path}issue/")
    assert [one.get(path).status_code for one in others] == [200, 200, 200]
    assert "Remediate vulnerabilities by their risk" in text_of(Client(), "/directives/")


def test_an_amber_directive_exists_for_whom_it_addresses_only() -> None:
    hospital()
    form = {**BOD, "tlp": "TLP:AMBER", "organisations": "hospital\nnobody"}
    del form["everybody"]
    path = issued(client_of(agency()), form)
    bank, office = client_of(somebody("bank", Role.DEPLOYER)), somebody("o", Role.COORDINATOR)
    assert bank.get(path).status_code == 404
    assert Client().get(path).status_code == 404
    assert "Remediate" not in text_of(bank, "/directives/")
    mine = text_of(client_of(hospital()), path)
    assert "2 organisations by name" in mine
    assert "hospital, nobody" not in mine
    assert "hospital, nobody" in text_of(client_of(office), path)


def test_evidence_is_handed_in_and_answered_by_its_page() -> None:
    deployer = hospital()
    touched(deployer)
    authority, client = client_of(agency()), client_of(deployer)
    path = issued(authority, BOD)
    name = ObligationRow.objects.get().name
    page = f"/directives/obligations/{name}/"
    sent = client.post(f"{page}hand-in/", {"way": "removed", "text": "We unplugged it <b>."})
    assert sent.status_code == 302
    assert "We unplugged it <b>." in text_of(authority, page)
    assert name in text_of(authority, path)
    assert "Waits for you to examine it" in text_of(authority, "/directives/")
    wrong = authority.post(f"{page}answer/", {"verdict": "refuse", "reason": ""})
    assert wrong.status_code == 422
    authority.post(f"{page}answer/", {"verdict": "accept", "reason": ""})
    assert "Done" in text_of(client, page)
    assert "Accepted by Agency" in text_of(client, page)


def test_of_advice_its_issuer_sees_neither_flaw_nor_system_until_evidence_is_handed_in() -> None:
    deployer = hospital()
    touched(deployer)
    authority = client_of(agency())
    path = issued(authority, ADVICE)
    name = ObligationRow.objects.get().name
    page = f"/directives/obligations/{name}/"
    for each in (path, page):
        said = text_of(authority, each)
        assert "CVE-2026-1001" not in said
        assert "Ward computers" not in said
    client_of(deployer).post(f"{page}hand-in/", {"way": "accepted", "text": "No fix."})
    assert "CVE-2026-1001 on Ward computers" in text_of(authority, page)


def test_the_office_sees_how_many_and_no_obligation() -> None:
    touched(hospital())
    path = issued(client_of(agency()), BOD)
    office = client_of(somebody("office", Role.COORDINATOR))
    said = text_of(office, path)
    assert "How each organisation stands" in said
    assert "CVE-2026-1001" not in said
    name = ObligationRow.objects.get().name
    assert name not in said
    assert office.get(f"/directives/obligations/{name}/").status_code == 404


def test_what_is_wrong_in_a_form_is_said_there() -> None:
    authority = client_of(agency())
    form = {**BOD}
    del form["everybody"]
    found = authority.post("/directives/new/", form)
    assert found.status_code == 422
    assert b"say whom it addresses" in found.content
    assert not DirectiveRow.objects.exists()
    assert client_of(hospital()).get("/directives/new/").status_code == 404
