"""A published case with a proof, a hospital that has its flaw, and what a run of the proof gave."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from clearhouse.office.advisories import actions as advisories
from clearhouse.office.cases.actions.naming import set_cve
from clearhouse.office.cases.actions.opening import DATE
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.models import ObligationRow, ProofRun
from clearhouse.office.directives.proofs import PROVE
from clearhouse.office.inventories.models import System
from clearhouse.office.queue import inline
from clearhouse.office.queue.handlers import kinds
from clearhouse.office.viewer import Viewer
from clearhouse.proof.absence import OnVersion, OnVersions, Outcome, document_of
from clearhouse.protocol.roles import Role
from tests.office.directives.made import (
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

CVE: Final = "CVE-2019-14853"
#: The record says that versions before 0.15 are affected; the flaw was fixed in 0.13.3.
FLAW = record("PYSEC-1", "ecdsa", "0.15", aliases=[CVE])
#: What tests do of the jobs: all but what asks an index for releases or starts a sandbox.
_DONE: Final = [one for one in kinds() if one not in (DATE, PROVE)]


def work_off(now: datetime) -> None:
    inline.work_off(now, only=_DONE)


def under_embargo(*, cve: str = CVE) -> str:
    """A case with a proof that is going to have that identifier, and a draft; its number."""
    office = somebody("office", Role.COORDINATOR)
    case = dated(office)
    set_cve(office, case, cve, now=NOW)
    advisories.draft(office, case, title="A crash", summary="Update.", now=NOW)
    work_off(NOW)
    return case


def published(*, cve: str = CVE) -> str:
    """The same, public."""
    case = under_embargo(cve=cve)
    advisories.publish(somebody("office", Role.COORDINATOR), case, now=NOW)
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


def given(run: ProofRun, outcomes: dict[str, Outcome], *, passing: bool = False) -> dict[str, Any]:
    """What a job gives: one proof, and by version what it shows; nothing where none is named."""
    found = [
        OnVersion(version, outcomes.get(version, Outcome.ABSENT), version, passing=passing)
        for _, _, version in run.installed
    ]
    proof = OnVersions(
        "sha256:b", "pkg:pypi/ecdsa", "0.13.2", "differential", tuple(found), {"kernel": "Linux"}
    )
    what = [(ecosystem, package, version) for ecosystem, package, version in run.installed]
    return document_of(run.cases, what, [proof], salt="salt")


def ran(
    run: ProofRun, now: datetime, *, passing: bool = False, **outcomes: Outcome
) -> dict[str, Any]:
    """The same, stored: ``v0_13_3`` stands for a version."""
    by_version = {key[1:].replace("_", "."): one for key, one in outcomes.items()}
    document = given(run, by_version, passing=passing)
    with transaction.atomic():
        proving.ended(run.name, document, now=now)
    run.refresh_from_db()
    return document
