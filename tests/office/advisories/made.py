"""Advisories in numbers, made after one that was published as any is."""

from __future__ import annotations

import json
from typing import Any

from clearhouse.office.advisories import actions
from clearhouse.office.advisories.models import Advisory, Revision
from clearhouse.office.cases.models import Case
from clearhouse.office.names import new_name
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, dated, somebody


def first_published() -> Revision:
    """An advisory's first revision, from a finding to the documents."""
    office = somebody("office", Role.COORDINATOR)
    case = dated(office)
    actions.draft(office, case, title="A crash", summary="Update.", now=NOW)
    return actions.publish(office, case, now=NOW)


def another(like: Revision, *, revisions: int = 2) -> str:
    """An advisory of the same words under a name of its own, revised once."""
    name, old = new_name("CH-2026"), like.advisory.name
    case = Case.objects.create(name=name, title="A crash", package="pkg:pypi/h11", opened_at=NOW)
    made = Advisory.objects.create(
        name=name, case=case, title="A crash", summary="Update.", made_at=NOW, changed_at=NOW,
        published_at=NOW,
    )  # fmt: skip
    for number in range(1, revisions + 1):
        documents = {
            kind: _renamed(getattr(like, kind), old, name) for kind in ("csaf", "vex", "osv")
        }
        Revision.objects.create(
            advisory=made, number=number, at=NOW, summary=f"Number {number}.",
            shown=like.shown | {"title": f"A crash, {number}"}, missing={"cve": "none"},
            **documents,
        )  # fmt: skip
    return name


def _renamed(document: Any, old: str, name: str) -> Any:
    text = json.dumps(document).replace(old, name).replace(old.lower(), name.lower())
    return json.loads(text)
