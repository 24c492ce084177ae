"""The office runs a published case's proof on just what is installed, and that is evidence."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import pytest

from clearhouse.office.advisories import actions as advisories
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions.naming import set_cve
from clearhouse.office.cases.actions.opening import DATE
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.models import Evidence, ObligationRow, ProofRun
from clearhouse.office.directives.proofs import PROVE, job_of
from clearhouse.office.inventories.models import System
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.queue import inline
from clearhouse.office.queue.handlers import kinds
from clearhouse.office.queue.models import Job
from clearhouse.office.viewer import Viewer
from clearhouse.proof.absence import OnVersion, OnVersions, Outcome, concluded, document_of
from clearhouse.protocol.roles import Role
from tests.office.directives.made import (
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    known,
    obligations,
    record,
)
from tests.office.story import dated, somebody

pytestmark = pytest.mark.django_db

CVE: Final = "CVE-2019-14853"
#: The record says that versions before 0.15 are affected; the flaw was fixed in 0.13.3.
FLAW = record("PYSEC-1", "ecdsa", "0.15", aliases=[CVE])
#: What tests do of the jobs: all but what asks an index for releases or starts a sandbox.
_DONE: Final = [one for one in kinds() if one not in (DATE, PROVE)]


def work_off(now: datetime) -> None:
    inline.work_off(now, only=_DONE)


def published(*, cve: str = CVE) -> str:
    """A case with a proof, public under that identifier; its number."""
    office = somebody("office", Role.COORDINATOR)
    case = dated(office)
    set_cve(office, case, cve, now=NOW)
    advisories.draft(office, case, title="A crash", summary="Update.", now=NOW)
    advisories.publish(office, case, now=NOW)
    work_off(NOW)
    return case


def obliged(*lines: str) -> tuple[Viewer, System]:
    """A hospital that has to do something about the flaw."""
    viewer = hospital()
    system = a_system(viewer)
    installed(viewer, system, *lines or ("ecdsa==0.13.3",))
    known(FLAW)
    in_force(agency())
    return viewer, system


def only() -> ObligationRow:
    [one] = obligations()
    return one


def ran(run: ProofRun, now: datetime, **outcomes: Outcome) -> dict[str, Any]:
    """What the job would store: one proof, with an outcome for each version; ``v0_13_3``."""
    versions = [version for _, _, version in run.installed]
    default = outcomes.pop("every", Outcome.ABSENT)
    found = [
        OnVersion(one, outcomes.get(f"v{one.replace('.', '_')}", default), one) for one in versions
    ]
    proof = OnVersions(
        "sha256:b", "pkg:pypi/ecdsa", "0.13.2", "differential", tuple(found), {"kernel": "Linux"}
    )
    what = [tuple(one) for one in run.installed]
    document = document_of(run.cases, what, [proof], salt="s")  # type: ignore[arg-type]
    proving.ended(run.name, document, now=now)
    return document


def test_that_the_effect_shows_on_no_installed_version_meets_the_obligation_by_rule() -> None:
    viewer, _ = obliged()
    case = published()
    run = proving.ask(viewer, only().name, now=NOW + DAY)
    assert run.installed == [["PyPI", "ecdsa", "0.13.3"]]
    assert Job.objects.get(key=job_of(run)).lane.name == f"organisation:{viewer.organisation}"
    document = ran(run, NOW + 2 * DAY)
    one = only()
    assert (one.state, one.way, one.handed_in_at) == ("completed", "proof", NOW + DAY)
    said = Evidence.objects.get()
    assert (said.verdict, said.by, said.at) == ("accepted", "clearhouse", NOW + 2 * DAY)
    assert said.reference == f"{case} {document['digest']}"
    assert "0.13.3" not in said.text + said.reason
    kept = json.loads(store.read(said.document))
    assert set(concluded(kept).values()) == {Outcome.ABSENT}
    assert not list(contradictions())


def test_it_stays_met_for_just_these_versions_and_opens_again_for_another() -> None:
    viewer, system = obliged("ecdsa==0.13.3", "flask==1.0")
    published()
    ran(proving.ask(viewer, only().name, now=NOW), NOW)
    installed(viewer, system, "ecdsa==0.13.3", now=NOW + DAY)
    known(record("PYSEC-1", "ecdsa", "0.16", aliases=[CVE], modified="2026-12-01T00:00:00Z"))
    work_off(NOW + DAY)
    assert only().state == "completed"
    installed(viewer, system, "ecdsa==0.13.2", now=NOW + 2 * DAY)
    work_off(NOW + 2 * DAY)
    assert (only().state, only().way) == ("open", "")
    installed(viewer, system, "ecdsa==0.13.3", now=NOW + 3 * DAY)
    work_off(NOW + 3 * DAY)
    one = only()
    assert (one.state, one.way) == ("completed", "proof"), "what was run is known"
    assert one.handed_in_at == NOW + 3 * DAY
    assert not list(contradictions())
