"""A case with everything in it, by the actions: what runs showed is handed in as documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clearhouse.formats.report import read_report
from clearhouse.office.cases.actions import (
    discussion,
    naming,
    opening,
    patches,
    people,
    severity,
    states,
    turns,
    versions,
)
from clearhouse.office.cases.models import Case, Patch
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings.intake import of_bundle, of_report
from clearhouse.office.findings.queries import Finding
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.report_management import ReportEvent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp
from tests.office.story import NOW, SAMPLES, packed, somebody

PACKAGE = "pkg:pypi/ecdsa"
SECRET = "sig1:where-the-flaw-is"
STACK = "ecdsa/der.py in remove_integer"


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def verdict(signature: str = SECRET) -> dict[str, Any]:
    """What a proof's run gives, cut down to what the office reads."""
    return {
        "grade": "differential",
        "proven": True,
        "reason": "shown in every run, and gone in the fixed version",
        "signature": signature,
        "effect": {"kind": "exception", "attributed_to": [
            {"file": "ecdsa/der.py", "function": "remove_integer"}]},
        "runs": [{"outcome": "raised"}],
        "digest": "sha256:" + "1" * 64,
    }  # fmt: skip


def history() -> dict[str, Any]:
    """What dating gives."""
    names = ["0.8", "0.9", "0.10", "0.11", "0.12", "0.13", "0.13.1", "0.13.2", "0.13.3", "0.14.0"]
    listed = [
        {
            "version": name, "why": STACK, "run": True, "yanked": False, "ordered": True,
            "uploaded": None, "reason": STACK,
            "status": "clean" if name in ("0.8", "0.13.3", "0.14.0")
            else "inconclusive" if name == "0.10" else "affected",
        }
        for name in names
    ]  # fmt: skip
    return {
        "package": PACKAGE,
        "attacked": "0.13.2",
        "versions": listed,
        "ranges": [{"introduced": "0.9", "fixed": "0.13.3"}],
        "unknown": [{"version": "0.10", "status": "inconclusive", "inside_a_range": True}],
        "verdict": {"stack": [STACK]},
        "digest": "sha256:" + "2" * 64,
    }


def patch_verdict(**levels: str) -> dict[str, Any]:
    """What checking a patch gives."""
    found = {
        "applies": "yes", "stops_proof": "yes", "stops_variants": "yes",
        "keeps_behaviour": "unknown", **levels,
    }  # fmt: skip
    accepted = "no" not in found.values()
    return {
        "accepted": accepted,
        "levels": found,
        "reasons": [] if accepted else ["the effect shows with it"],
        "variants": {"still_triggering": [{"base64": "UHJvb2Y="}]},
        "digest": "sha256:" + "3" * 64,
    }


def proven(
    finder: Viewer, sample: str = "CVE-2019-14853", *, hours: float = 0, signature: str = SECRET
) -> Finding:
    """A finding that was run, and placed."""
    bundle = of_bundle(packed(sample), where="upload")
    [accepted] = findings.submit(finder, [bundle], now=at(hours))
    with transaction.atomic():
        findings.decide(accepted.name, verdict(signature), now=at(hours))
    opening.place(accepted.name, now=at(hours))
    return Finding.objects.get(name=accepted.name)


@dataclass(frozen=True)
class Cast:
    """Everybody who may take part."""

    finder: Viewer
    other: Viewer
    supplier: Viewer
    hospital: Viewer
    authority: Viewer
    observer: Viewer
    office: Viewer
    stranger: Viewer


def cast() -> Cast:
    return Cast(
        finder=somebody("hexfind", Role.FINDER),
        other=somebody("otherlab", Role.FINDER),
        supplier=somebody("ecdsa-team", Role.SUPPLIER),
        hospital=somebody("hospital", Role.DEPLOYER),
        authority=somebody("agency", Role.AUTHORITY),
        observer=somebody("auditor", Role.OBSERVER),
        office=somebody("office", Role.COORDINATOR),
        stranger=somebody("stranger", Role.SUPPLIER, Role.DEPLOYER, Role.FINDER),
    )


def opened(who: Cast) -> Case:
    """A case of one proven finding; nobody is told yet."""
    return Case.objects.get(name=proven(who.finder).case)


def busy(who: Cast) -> Case:
    """A case with two finders, a supplier, a deployer and onlookers who have all accepted."""
    case = opened(who)
    people.tell(who.office, case.name, "ecdsa-team", now=at(1))
    people.answer(who.supplier, case.name, "accept", now=at(2))
    proven(who.other, hours=3)
    versions.dated(case.name, history(), now=at(4))
    for slug, role, viewer in (
        ("hospital", Role.DEPLOYER, who.hospital),
        ("agency", Role.AUTHORITY, who.authority),
        ("auditor", Role.OBSERVER, who.observer),
    ):
        people.invite(who.office, case.name, slug, role, now=at(5))
        people.answer(viewer, case.name, "accept", now=at(6))
    case.refresh_from_db()
    return case


def patched(viewer: Viewer, case: Case, which: str = "bad-signature", **levels: str) -> Patch:
    """A patch that was run."""
    folder = SAMPLES / "patches/CVE-2019-14853"
    diff = (folder / f"{which}.patch").read_bytes()
    made = patches.propose_patch(viewer, case.name, diff, now=at(7))
    patches.judged(made.name, patch_verdict(**levels), now=at(8))
    made.refresh_from_db()
    return made


def full(who: Cast) -> Case:
    """The same with words, files, tasks, severities, patches and a proposal."""
    case = busy(who)
    name = case.name
    for event in (ReportEvent.VALIDATE, ReportEvent.ACCEPT):
        states.report_state(who.supplier, name, event, now=at(7))
    severity.assess(who.finder, name, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", now=at(7))
    severity.assess(
        who.supplier, name, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
        "No one reads what is signed here.", now=at(8),
    )  # fmt: skip
    severity.choose_ssvc(who.office, name, {"E": "P", "A": "Y"}, now=at(8))
    versions.declare(who.supplier, name, "0.9", "0.13.2", now=at(8))
    good = patched(who.finder, case)
    patched(who.other, case, "exception-swallowed", stops_variants="no")
    patches.choose_patch(who.supplier, name, good.name, now=at(9))
    discussion.post_message(
        who.supplier, name, "We can release on Friday.\n\nDoes <b>0.13.3</b> help?", Tlp.AMBER,
        now=at(9),
    )  # fmt: skip
    discussion.post_message(
        who.office, name, "For your eyes only.", Tlp.RED, ["ecdsa-team"], now=at(10)
    )
    discussion.add_file(who.finder, name, "../trace of it.txt", b"der", Tlp.AMBER, now=at(10))
    discussion.add_task(who.office, name, "Name the release", "ecdsa-team", at(200), now=at(10))
    discussion.add_task(who.office, name, "Ask for a CVE id", "", at(20), now=at(10))
    turns.propose_end(who.finder, name, at(24 * 120), "A talk is planned.", now=at(11))
    naming.set_cve(who.office, name, "CVE-2026-12345", now=at(11))
    naming.describe(who.office, name, case.title, "What a signature must not be.", now=at(11))
    case.refresh_from_db()
    return case


REPORT = b"""{"title": "remove_integer fails", "target": "pkg:pypi/ecdsa@0.13.2",
"weaknesses": ["CWE-755"], "locations": [{"file": "der.py", "function": "remove_integer"}],
"description": "A crafted signature."}"""


def reported(who: Cast) -> str:
    item = of_report(read_report(REPORT, where="report"))
    [made] = findings.submit(who.other, [item], now=at(1))
    with transaction.atomic():
        findings.ground(made.name, {"absent": [], "found": [], "undecided": []}, now=at(2))
    opening.place(made.name, now=at(3))
    return made.name
