"""What a case is called: its title and summary, its CVE id, who looks after it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.models import Case
from clearhouse.office.orgs.queries import colleagues_of
from clearhouse.office.viewer import Viewer

#: CVE Record Format 5, ``cveId``: a year from 1999, and at least four digits.
_CVE: Final = re.compile(r"CVE-(?:1999|2\d{3})-\d{4,12}", re.ASCII)
MOST_TITLE: Final = 300
MOST_SUMMARY: Final = 20_000


def set_cve(viewer: Viewer, name: str, cve: str, *, now: datetime) -> Case:
    """Note the CVE id of a case; an empty one takes back what was noted."""
    cve = cve.strip().upper()
    if cve and not _CVE.fullmatch(cve):
        raise Invalid("expected a CVE id like CVE-2026-12345", key="cve")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if case.cve == cve:
            return case
        case.cve = cve
        case.save(update_fields=["cve"])
        text = f"Its CVE id is {cve}." if cve else "Its CVE id was taken back."
        note(case, "cve", text, by=viewer.name, now=now, part=Part.SUMMARY, facts={"cve": cve})
        return case


def describe(viewer: Viewer, name: str, title: str, summary: str, *, now: datetime) -> Case:
    """Give a case another title, and a text for those who see what it is about."""
    title, summary = " ".join(title.split()), summary.strip()
    if not title:
        raise Invalid("a case needs a title", key="title")
    if len(title) > MOST_TITLE:
        raise Invalid(f"at most {MOST_TITLE} characters", key="title")
    if len(summary) > MOST_SUMMARY:
        raise Invalid(f"at most {MOST_SUMMARY} characters", key="summary")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        case.title, case.summary = title, summary
        case.save(update_fields=["title", "summary"])
        note(
            case, "described", "The office has described it anew.", by=viewer.name, now=now,
            part=Part.SUMMARY,
        )  # fmt: skip
        return case


def set_lead(viewer: Viewer, name: str, person: int, *, now: datetime) -> Case:
    """Say who of the office looks after a case."""
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if person not in {one.pk for one in colleagues_of(viewer)}:
            raise Invalid("expected somebody of your office", key="person")
        case.lead_id = person
        case.save(update_fields=["lead"])
        note(case, "lead", "The case has a new lead.", by=viewer.name, now=now, part=Part.TRIAGE)
        return case
