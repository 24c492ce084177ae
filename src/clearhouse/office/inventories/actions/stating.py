"""A deployer's own VEX: which flaws do not touch a system, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.office.blobs import store
from clearhouse.office.inventories.actions.holding import held_in_use
from clearhouse.office.inventories.actions.matching import match_system
from clearhouse.office.inventories.models import OwnStatements, System
from clearhouse.office.inventories.sight import MISSING, system_seen
from clearhouse.office.inventories.stating import read_statements
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.viewer import Viewer
from clearhouse.proof.text import printable
from clearhouse.protocol.roles import Scope

MOST_BYTES: Final = 4 << 20
#: Of the documents of a system that count: each is read again at each match.
MOST: Final = 100
MOST_BYTES_IN_ALL: Final = 16 << 20
_LONGEST_FILE: Final = 200


def hand_in_statements(
    viewer: Viewer, system: str, raw: bytes, *, file: str, now: datetime
) -> OwnStatements:
    """Take in a VEX document for a system; what it takes back stays in sight with the reason.

    Raises :class:`Invalid` for what is none, :class:`Refused` and :class:`Conflict`.
    """
    viewer.needs(Scope.INVENTORIES_WRITE)
    seen = system_seen(viewer, system)
    named = printable(file.strip() or "statements")[:_LONGEST_FILE]
    if len(raw) > MOST_BYTES:
        raise Invalid(f"is larger than {MOST_BYTES >> 20} MiB", where=named)
    count = len(read_statements(raw, named))
    with transaction.atomic():
        held = held_in_use(seen)
        _checks_room(held, len(raw))
        name = new_name("VX")
        blob = store.put(raw)
        entry = record("statements.received", name, {"system": held.name, "content": blob}, now=now)
        made = OwnStatements.objects.create(
            name=name, system=held, at=now, by=viewer.name[:200], file=named, blob=blob,
            size=len(raw), count=count, entry=entry.index,
        )  # fmt: skip
        match_system(held, now=now)
        return made


def _checks_room(held: System, size: int) -> None:
    """Whether a document of that size fits beside those that count, of a system that is held."""
    there = OwnStatements.objects.filter(system=held, withdrawn_at=None).aggregate(
        count=Count("pk"), size=Coalesce(Sum("size"), 0)
    )
    if there["count"] >= MOST:
        raise Refused(f"at most {MOST} documents for a system; take some back")
    if there["size"] + size > MOST_BYTES_IN_ALL:
        has = f"{there['size'] / (1 << 20):.1f} MiB"
        raise Refused(
            f"at most {MOST_BYTES_IN_ALL >> 20} MiB of documents for a system, and it has {has};"
            " take some back"
        )


def withdraw_statements(viewer: Viewer, name: str, *, now: datetime) -> OwnStatements:
    """Take a VEX document of one's own back: what it took back counts again."""
    viewer.needs(Scope.INVENTORIES_WRITE)
    found = OwnStatements.objects.select_related("system").filter(name=name).first()
    if found is None:
        raise NotFound(MISSING)
    seen = system_seen(viewer, found.system.name)
    with transaction.atomic():
        held = held_in_use(seen)
        row = OwnStatements.objects.select_for_update().get(pk=found.pk)
        if row.withdrawn_at is None:
            row.withdrawn_at = now
            row.save(update_fields=["withdrawn_at"])
            record("statements.withdrawn", row.name, {}, now=now)
            match_system(held, now=now)
        return row
