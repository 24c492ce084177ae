"""From a finding to a fix that was handed on, by the actions alone, with the real engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.errors import NotFound
from clearhouse.office.cases import queries
from clearhouse.office.cases.actions import patches, people, severity, states
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings import queries as found
from clearhouse.office.findings.intake import of_bundle
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.report_management import ReportEvent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.story import NOW, SAMPLES, packed, somebody, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.network]


def test_a_finding_becomes_a_case_and_its_patch_reaches_who_needs_it() -> None:
    finder = somebody("hexfind", Role.FINDER)
    other = somebody("otherlab", Role.FINDER)
    supplier = somebody("ecdsa-team", Role.SUPPLIER)
    hospital = somebody("hospital", Role.DEPLOYER)
    office = somebody("office", Role.COORDINATOR)

    bundle = of_bundle(packed("CVE-2019-14853"), where="upload")
    [accepted] = findings.submit(finder, [bundle], now=NOW)
    assert accepted.is_new
    [again] = findings.submit(finder, [bundle], now=NOW)
    assert (again.name, again.is_new) == (accepted.name, False)
    findings.submit(other, [bundle], now=NOW + timedelta(minutes=1))
    work_off(NOW + timedelta(minutes=2))

    mine = found.finding(finder, accepted.name)
    assert (mine.state, mine.grade) == ("proven", "differential"), mine.reason
    case = queries.view(office, mine.case, now=NOW).case
    assert [one.organisation.slug for one in found.in_case(case.name)] == ["hexfind", "otherlab"]
    assert queries.history_of(case) is not None

    with pytest.raises(NotFound):
        queries.view(supplier, case.name, now=NOW)
    people.tell(office, case.name, "ecdsa-team", now=NOW + timedelta(hours=1))
    invited = queries.view(supplier, case.name, now=NOW)
    assert invited.findings is None
    assert mine.title not in invited.title
    people.answer(supplier, case.name, "accept", now=NOW + timedelta(hours=2))
    opened = queries.view(supplier, case.name, now=NOW)
    assert opened.findings is not None
    assert opened.letters == "Vfdpxa"
    for event in (ReportEvent.VALIDATE, ReportEvent.ACCEPT):
        states.report_state(supplier, case.name, event, now=NOW + timedelta(hours=3))
    severity.assess(supplier, case.name, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", now=NOW)

    diff = (SAMPLES / "patches/CVE-2019-14853/bad-signature.patch").read_bytes()
    patch = patches.propose_patch(finder, case.name, diff, now=NOW + timedelta(hours=4))
    work_off(NOW + timedelta(hours=4))
    patch.refresh_from_db()
    assert patch.state == "accepted", patch.reason
    patches.choose_patch(supplier, case.name, patch.name, now=NOW + timedelta(hours=5))
    people.invite(office, case.name, "hospital", Role.DEPLOYER, now=NOW + timedelta(hours=5))
    with pytest.raises(NotFound):
        queries.patch_for(hospital, case.name, patch.name)
    people.answer(hospital, case.name, "accept", now=NOW + timedelta(hours=6))
    patches.distribute(office, case.name, patch.name, Tlp.AMBER, now=NOW + timedelta(hours=6))
    assert queries.patch_for(hospital, case.name, patch.name).note_signed.startswith("clearhouse")
    states.fix_progress(supplier, case.name, CaseEvent.FIX_READY, now=NOW + timedelta(hours=7))
    assert queries.view(supplier, case.name, now=NOW).letters == "VFdpxa"
