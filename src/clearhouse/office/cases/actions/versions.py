"""Which versions are affected: what running showed, beside what somebody declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from clearhouse.errors import Invalid
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.models import Case
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role

_MOST = 500


def dated(name: str, document: Mapping[str, Any], *, now: datetime) -> None:
    """Keep a history.  Called by the job that made it."""
    case = Case.objects.select_for_update(no_key=True).get(name=name)
    case.history = store.put(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())
    case.affected = document.get("ranges")
    case.save(update_fields=["history", "affected"])
    count = sum(one.get("status") == "affected" for one in document["versions"])
    note(
        case, "dated", f"{count} of {len(document['versions'])} releases are affected, as running"
        " them showed.", by="clearhouse", now=now, part=Part.VERSIONS,
        facts={"history": document["digest"]},
    )  # fmt: skip


def not_dated(name: str, reason: str, *, now: datetime) -> None:
    """Say why the versions are not known."""
    case = Case.objects.select_for_update(no_key=True).get(name=name)
    # What stopped it can tell how the proof works.
    note(
        case, "not-dated", f"The affected versions could not be found by running: {reason}",
        by="clearhouse", now=now, part=Part.PROOF,
    )  # fmt: skip


def declare(viewer: Viewer, name: str, introduced: str, fixed: str, *, now: datetime) -> Case:
    """Say which versions are affected: from ``introduced`` (0 for the first) until ``fixed``."""
    introduced, fixed = introduced.strip() or "0", fixed.strip()
    if len(introduced) > _MOST or len(fixed) > _MOST:
        raise Invalid("that is no version", key="introduced")
    with transaction.atomic():
        case, standing = locked_case(viewer, name, Deed.ASSESS)
        role = standing.role if standing is not None else Role.COORDINATOR
        row = {"introduced": introduced, "fixed": fixed, "by": viewer.name, "role": role.value}
        case.declared = [one for one in case.declared if one["by"] != viewer.name] + [row]
        case.save(update_fields=["declared"])
        until = f"before {fixed}" if fixed else "with no end"
        note(
            case, "versions-declared", f"Versions are declared affected from {introduced}"
            f" {until}.", by=viewer.name, now=now, part=Part.VERSIONS,
            facts={"introduced": introduced, "fixed": fixed},
        )  # fmt: skip
        return case
