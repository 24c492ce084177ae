"""Patches: proposed by anybody in the case, run, chosen, signed and handed on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.ledger.note import SigningKey, sign
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.models import Case, Patch
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.viewer import Viewer
from clearhouse.proof.diff import PATCH_BYTES, read_patch
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

CHECK_PATCH: Final = "cases.check-patch"
#: The labels under which a patch may leave the case's inner circle.
_LABELS: Final = (Tlp.AMBER_STRICT, Tlp.AMBER, Tlp.GREEN, Tlp.CLEAR)


def propose_patch(
    viewer: Viewer, name: str, data: bytes, text: str = "", made_by: str = "", *, now: datetime
) -> Patch:
    """Propose a unified diff as the fix.  The same diff again is the one that is there.

    ``made_by`` names the AI system that wrote it, where one did.  It is run before anybody relies
    on it.
    """
    if len(data) > PATCH_BYTES:
        raise Invalid(f"at most {PATCH_BYTES >> 20} MiB", key="patch")
    read_patch(data, where="the patch")
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    with transaction.atomic():
        case, standing = locked_case(viewer, name, Deed.PATCH)
        there = case.patches.filter(digest=digest).first()
        if there is not None:
            return there
        role = standing.role if standing is not None else Role.COORDINATOR
        made = Patch.objects.create(
            case=case, name=new_name("P"), organisation_id=viewer.organisation, by=viewer.name,
            role=role.value, made_by=made_by.strip()[:200], note=text.strip()[:1000], at=now,
            digest=digest, blob=store.put(data),
        )  # fmt: skip
        enqueue(
            CHECK_PATCH, {"patch": made.name}, lane=f"patches:{viewer.organisation or 0}",
            key=f"{CHECK_PATCH}:{made.name}", priority=case.impact, now=now,
        )  # fmt: skip
        note(
            case, "patch-proposed", f"Patch {made.name} was proposed.", by=viewer.name,
            now=now, part=Part.PATCHES, facts={"patch": made.name, "content": digest},
        )  # fmt: skip
        return made


def judged(name: str, document: Mapping[str, Any], *, now: datetime) -> None:
    """Store what running a patch showed.  Called by the job that ran it."""
    made = Patch.objects.select_for_update().get(name=name)
    if made.state != Patch.State.QUEUED:
        return
    made.state = Patch.State.ACCEPTED if document["accepted"] else Patch.State.REFUSED
    made.levels = dict(document["levels"])
    reasons = [str(one) for one in document["reasons"]]
    made.reason = "; ".join(reasons)[:1000]
    made.verdict = store.put(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())
    made.verdict_digest = str(document.get("digest", ""))
    made.save()
    note(
        made.case, f"patch-{made.state}", f"Patch {made.name} was {made.get_state_display()}.",
        by="clearhouse", now=now, part=Part.PATCHES,
        facts={"patch": made.name, "verdict": made.verdict_digest, "levels": made.levels},
    )  # fmt: skip


def could_not_judge(name: str, reason: str, *, now: datetime) -> None:
    """Say why a patch was not run to its end."""
    made = Patch.objects.select_for_update().get(name=name)
    if made.state != Patch.State.QUEUED:
        return
    made.state, made.reason = Patch.State.UNRUNNABLE, reason[:1000]
    made.save(update_fields=["state", "reason"])
    note(
        made.case, "patch-unrunnable", f"Patch {made.name} could not be run here: {reason}",
        by="clearhouse", now=now, part=Part.PATCHES, facts={"patch": made.name},
    )  # fmt: skip


def choose_patch(viewer: Viewer, name: str, patch: str, *, now: datetime) -> Patch:
    """Choose the patch that will be handed on: the supplier, or the office in its place.

    One that its runs refused is not chosen: it does not do what it is for.
    """
    with transaction.atomic():
        case, standing = locked_case(viewer, name, Deed.PATCH)
        if not viewer.coordinates and (standing is None or standing.role is not Role.SUPPLIER):
            raise NotFound("there is nothing of the kind to do here")
        made = _patch(case, patch)
        if made.state != Patch.State.ACCEPTED:
            raise Refused(f"patch {made.name} was {made.get_state_display()}: {made.reason}")
        if made.distributed_at is not None:
            raise Conflict("it was handed on already")
        if case.patches.exclude(distributed_at=None).exists():
            raise Refused("another patch was handed on already; it cannot be taken back")
        case.patches.update(chosen_at=None, chosen_by="")
        made.chosen_at, made.chosen_by = now, viewer.name
        made.save(update_fields=["chosen_at", "chosen_by"])
        note(
            case, "patch-chosen", f"Patch {made.name} was chosen.", by=viewer.name,
            now=now, part=Part.PATCHES, facts={"patch": made.name, "content": made.digest},
        )  # fmt: skip
        return made


def distribute(viewer: Viewer, name: str, patch: str, label: Tlp, *, now: datetime) -> Patch:
    """Hand the chosen patch on to everybody in the case, signed, with its verdict."""
    if label not in _LABELS:
        raise Invalid("a patch that is handed on is no TLP:RED", key="tlp")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        made = _patch(case, patch)
        if made.chosen_at is None:
            raise Refused("the supplier, or you in its place, has to choose it first")
        if made.distributed_at is not None:
            raise Conflict("it was handed on already")
        made.distributed_at, made.tlp = now, label.value
        made.note_signed = bytes(sign(statement_of(made), _key())).decode()
        made.save(update_fields=["distributed_at", "tlp", "note_signed"])
        note(
            case, "patch-distributed", f"Patch {made.name} was handed on under {label.value}.",
            by=viewer.name, now=now, part=Part.CLOCK,
            facts={"patch": made.name, "content": made.digest, "tlp": label.value},
        )  # fmt: skip
        return made


def statement_of(made: Patch) -> str:
    """What is signed: which patch for which case, with which verdict, under which label."""
    at = made.distributed_at
    assert at is not None, "only a patch that is handed on is signed"
    return (
        f"clearhouse patch v1\ncase {made.case.name}\npackage {made.case.package}\n"
        f"patch {made.digest}\nverdict {made.verdict_digest}\n{made.tlp}\n{at.isoformat()}\n"
    )


def _key() -> SigningKey:
    config = settings.CONFIG
    return SigningKey(f"{config.host}/patches", config.ledger_seed())


def _patch(case: Case, name: str) -> Patch:
    found = case.patches.select_for_update().filter(name=name).first()
    if found is None:
        raise NotFound("there is no such patch here")
    return found
