"""A hospital with a system, an authority, records of flaws, and a directive that is in force."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from clearhouse.exposure.documents import Document
from clearhouse.office.directives.actions.issuing import audience_of, draft, issue
from clearhouse.office.directives.models import DirectiveRow, ObligationRow
from clearhouse.office.inventories.actions.feeding import look_again, take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import System
from clearhouse.office.queue.handlers import timers
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.story import somebody

NOW: Final = datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
DAY: Final = timedelta(days=1)
#: What the questions are answered with, so that BOD 26-04 has one outcome for an unlisted flaw.
ANSWERS: Final = {"exposure": "internet", "kind": ["none"]}


def hospital() -> Viewer:
    return somebody("hospital", Role.DEPLOYER)


def agency() -> Viewer:
    return somebody("agency", Role.AUTHORITY)


def record(identifier: str, package: str, fixed: str = "2.0", **more: Any) -> Document:
    """An OSV record: every version of the package before ``fixed`` is affected."""
    document = {
        "id": identifier,
        "modified": "2026-11-01T00:00:00Z",
        "summary": f"A flaw of {package}",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
                ],
            }
        ],
    } | more
    return documented(document)


def kev(*listed: str, added: str = "2026-12-01") -> Document:
    """CISA's catalogue, loaded whole, with one flaw in it."""
    entries = [
        {"cveID": one, "vendorProject": "V", "product": "P", "dateAdded": added}
        for one in listed or ("CVE-2000-1000",)
    ]
    return documented({"catalogVersion": "1", "vulnerabilities": entries})


def known(*documents: Document, now: datetime = NOW) -> None:
    """Take records in and match what they touch."""
    take_in_documents(documents, now=now)
    look_again(now)


def a_system(viewer: Viewer, title: str = "Patient records", **answers: Any) -> System:
    return add_system(viewer, title, answers=answers or ANSWERS, now=NOW)


def installed(viewer: Viewer, system: System, *lines: str, now: datetime = NOW) -> None:
    """Hand in what is installed."""
    listed = "\n".join(lines) + "\n"
    receive(viewer, system.name, listed.encode(), file="list.txt", now=now)


def in_force(
    viewer: Viewer, template: str = "CISA-BOD-26-04", *, now: datetime = NOW, **audience: Any
) -> DirectiveRow:
    """A directive, issued to everybody or to those named, with all that follows from it."""
    made = draft(viewer, template, audience_of(**audience or {"everybody": "yes"}), now=now)
    issue(viewer, made.name, now=now)
    work_off(now)
    return DirectiveRow.objects.get(pk=made.pk)


def a_minute(now: datetime) -> None:
    """What time alone does within a minute, each timer of the room in its own transaction."""
    for one in timers():
        if one.name.startswith("directives.") and one.seconds <= 60:
            with transaction.atomic():
                one.act(now)


def obligations(system: System | None = None) -> list[ObligationRow]:
    rows = ObligationRow.objects.order_by("flaw", "pk")
    return list(rows.filter(system=system) if system is not None else rows)


def vex(flaw: str, package: str, version: str, status: str = "not_affected") -> bytes:
    """A hospital's own statement about its system, as OpenVEX."""
    said = {"justification": "vulnerable_code_not_in_execute_path"}
    return json.dumps(
        {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": f"https://hospital.example/vex/{flaw}",
            "author": "St. Anna",
            "timestamp": "2026-12-11T00:00:00Z",
            "version": 1,
            "statements": [
                {
                    "vulnerability": {"name": flaw},
                    "products": [{"@id": f"pkg:pypi/{package}@{version}"}],
                    "status": status,
                }
                | (said if status == "not_affected" else {})
            ],
        }
    ).encode()
