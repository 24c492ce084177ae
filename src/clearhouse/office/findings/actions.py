"""What is done with findings: taken in, run, decided, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.blobs import store
from clearhouse.office.findings.intake import Item, Promise, unique
from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.ledgerbook.actions import Decision, record, record_many
from clearhouse.office.ledgerbook.queries import entries_about
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import Request, cancel, enqueue, enqueue_many
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol import commitment as commitments
from clearhouse.protocol.roles import Scope

_COMMITMENT_HEX: Final = 64
PROVE: Final = "findings.prove"
CHECK: Final = "findings.check"
PLACE: Final = "cases.place"

_State = Finding.State


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the finder is told: the name of its finding; ``is_new`` unless it was here already."""

    name: str
    content: str
    is_new: bool
    entry: int


def commit(viewer: Viewer, value: str, *, now: datetime) -> Commitment:
    """Take a commitment: 64 hexadecimal digits, an HMAC of the content's digest.

    Handing in the same again gives the one that is there.
    """
    viewer.needs(Scope.FINDINGS_WRITE)
    value = value.strip().lower()
    if len(value) != _COMMITMENT_HEX or any(c not in "0123456789abcdef" for c in value):
        raise Invalid(f"expected {_COMMITMENT_HEX} hexadecimal digits", key="value")
    with transaction.atomic():
        mine = Commitment.objects.filter(organisation=viewer.acting_for(), value=value)
        there = mine.first()
        if there is not None:
            return there
        name = new_name("C")
        entry = record("finding.committed", name, {"value": value}, now=now)
        return Commitment.objects.create(
            name=name,
            organisation_id=viewer.acting_for(),
            value=value,
            at=now,
            entry=entry.index,
        )


def submit(
    viewer: Viewer, items: Sequence[Item], *, now: datetime, label: str = "TLP:AMBER+STRICT"
) -> list[Accepted]:
    """Take findings in: all of them or, where something fails, none.

    1. What this finder has handed in before, by content, is not taken twice.  2. A commitment has
    to be its finder's own and to open.  3. Bytes, findings, ledger entries and jobs are stored
    in one transaction: what is answered with a name is kept and will be looked at.
    The answers stand in the order of ``items``.
    """
    viewer.needs(Scope.FINDINGS_WRITE)
    finder = viewer.acting_for()
    with transaction.atomic():
        wanted = {item.content: item for item in unique(items)}
        there = {
            one.content: one
            for one in Finding.objects.filter(organisation=finder, content__in=wanted)
        }  # 1
        fresh = [item for content, item in wanted.items() if content not in there]
        promises = {item.content: _opened(viewer, item) for item in fresh}  # 2
        blobs = store.put_many([item.data for item in fresh])  # 3
        names = [new_name("F") for _ in fresh]
        entries = record_many(
            [
                Decision("finding.received", name, {"content": item.content, "kind": item.kind})
                for name, item in zip(names, fresh, strict=True)
            ],
            now=now,
        )
        made = [
            _row(viewer, item, name=name, blob=blob, entry=entry.index, now=now, label=label,
                 promise=promises[item.content])
            for item, name, blob, entry in zip(fresh, names, blobs, entries, strict=True)
        ]  # fmt: skip
        Finding.objects.bulk_create(made, batch_size=200)
        enqueue_many([_job(one) for one in made], now=now)
    found = there | {one.content: one for one in made}
    new = {one.content for one in made}
    return [
        Accepted(one.name, one.content, one.content in new, one.entry)
        for one in (found[item.content] for item in items)
    ]


def _opened(viewer: Viewer, item: Item) -> Commitment | None:
    promise: Promise | None = item.promise
    if promise is None:
        return None
    made = Commitment.objects.filter(
        name=promise.name, organisation=viewer.acting_for(), finding=None
    ).first()
    if made is None:
        raise Invalid("there is no such commitment of yours that is still closed", key="commitment")
    if not commitments.opens(bytes.fromhex(made.value), promise.key, _digest(item.content)):
        raise Invalid(
            "the key does not open the commitment for this content: it is the HMAC-SHA256 of"
            f" {item.content} that was committed to",
            key="commitment",
        )
    return made


def _digest(content: str) -> bytes:
    return bytes.fromhex(content.removeprefix("sha256:"))


def _row(
    viewer: Viewer, item: Item, *, name: str, blob: str, entry: int, now: datetime, label: str,
    promise: Commitment | None,
) -> Finding:  # fmt: skip
    is_proof = item.kind == Finding.Kind.BUNDLE
    return Finding(
        name=name,
        organisation_id=viewer.acting_for(),
        filed_by=viewer.name,
        kind=item.kind,
        state=_State.QUEUED if is_proof else _State.CHECKING,
        received_at=now,
        credit_at=promise.at if promise else now,
        commitment=promise,
        entry=entry,
        content=item.content,
        title=item.title,
        purl=item.purl,
        package=item.package,
        weaknesses=list(item.weaknesses),
        locations=list(item.locations),
        found_by=item.found_by,
        origin_id=item.origin_id,
        effect=item.effect,
        impact=item.impact,
        tlp=label,
        blob=blob,
    )


def _job(made: Finding) -> Request:
    kind = PROVE if made.state == _State.QUEUED else CHECK
    return Request(
        kind=kind,
        key=f"{kind}:{made.name}",
        payload={"finding": made.name},
        lane=lane_of(made.organisation_id),
        priority=made.impact,
    )


def job_key(found: Finding) -> str:
    """The key of the job that decides a finding.

    One that was run again has a job for each time, named by the ledger's entry.
    """
    kind = PROVE if found.kind == Finding.Kind.BUNDLE else CHECK
    entries = entries_about(SYSTEM, found.name, since=found.entry)
    reruns = [one.index for one in entries if one.kind == "finding.rerun"]
    return f"{kind}:{found.name}" + (f":{reruns[-1]}" if reruns else "")


def lane_of(organisation: int) -> str:
    """Where a finder's jobs wait: each has a lane of its own, so that none waits for another."""
    return f"finder:{organisation}"


def held(name: str) -> Finding | None:
    """A finding, held until the transaction ends, for a room above that puts it somewhere.

    Nobody withdraws or decides it meanwhile.  Before a case is held, so that all wait in one order.
    """
    found = Finding.objects.select_for_update(of=("self",)).select_related("organisation")
    return found.filter(name=name).first()


def _locked(name: str) -> Finding:
    found = held(name)
    if found is None:
        raise NotFound("there is no such finding here")
    return found


def decide(name: str, document: Mapping[str, Any], *, now: datetime) -> None:
    """Store the verdict on a finding and what follows from it.  Called by the job that ran it.

    A proven one goes on to be joined to its case.
    """
    found = _locked(name)
    if found.state != _State.QUEUED:
        return  # withdrawn meanwhile
    found.verdict = store.put(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())
    found.verdict_digest = str(document["digest"])
    found.grade = str(document["grade"])
    found.reason = str(document["reason"])[:1000]
    found.signature = str(document["signature"] or "")
    found.decided_at = now
    if document["proven"]:
        found.state = _State.PROVEN
    else:
        loaded = any(run["outcome"] not in ("not-loaded", "broken") for run in document["runs"])
        found.state = _State.NOT_SHOWN if loaded else _State.UNRUNNABLE
    found.save()
    record(
        f"finding.{found.state}",
        found.name,
        {"verdict": found.verdict_digest, "grade": found.grade, "content": found.content},
        now=now,
    )
    if found.state == _State.PROVEN:
        _place(found, now=now)


def _place(found: Finding, *, now: datetime) -> None:
    # It may be decided once more: as unproven, and then as withdrawn.
    enqueue(
        PLACE, {"finding": found.name}, lane="office", key=f"{PLACE}:{found.name}:{found.state}",
        priority=found.impact, now=now,
    )  # fmt: skip


def could_not_run(name: str, reason: str, *, now: datetime) -> None:
    """Say why a finding was never run to its end; unknown is not false."""
    found = _locked(name)
    if found.state not in (_State.QUEUED, _State.CHECKING):
        return
    found.state, found.reason, found.decided_at = _State.UNRUNNABLE, reason[:1000], now
    found.save(update_fields=["state", "reason", "decided_at"])
    record("finding.unrunnable", found.name, {"content": found.content}, now=now)


def ground(name: str, grounding: Mapping[str, Any], *, now: datetime) -> None:
    """Store what was found of the things that a report names, and go on with it.

    Where the package, the version or something named is certainly absent, it is refused with
    what is missing; what could not be judged counts as there.
    """
    found = _locked(name)
    if found.state != _State.CHECKING:
        return
    absent = [str(one) for one in grounding["absent"]]
    found.grounding = dict(grounding)
    found.decided_at = now
    found.state = _State.REFUSED if absent else _State.UNPROVEN
    found.reason = "; ".join(absent)[:1000] or "no proof was handed in"
    found.save()
    record(
        f"finding.{found.state}",
        found.name,
        {"content": found.content, "absent": len(absent)},
        now=now,
    )
    if found.state == _State.UNPROVEN:
        _place(found, now=now)


def withdraw(viewer: Viewer, name: str, *, now: datetime) -> Finding:
    """Take a finding back, by its finder, as long as it has joined no case.

    1. Its job is called off, and then 2. it is held: a worker takes them in the same order.  A
    refusal gives the job back.  3. What was suggested of it is put aside.
    """
    viewer.needs(Scope.FINDINGS_WRITE)
    with transaction.atomic():
        mine = Finding.objects.filter(name=name, organisation=viewer.acting_for()).first()
        if mine is None:
            raise NotFound("there is no such finding here")
        cancel(job_key(mine), now=now)  # 1
        found = _locked(name)  # 2
        if found.case:
            raise Refused(f"it is part of case {found.case} by now; write to the coordinator there")
        if found.state == _State.WITHDRAWN:
            return found
        was_unproven = found.state == _State.UNPROVEN
        found.state, found.decided_at = _State.WITHDRAWN, now
        found.reason = "withdrawn by its finder"
        found.save(update_fields=["state", "reason", "decided_at"])
        record("finding.withdrawn", found.name, {"content": found.content}, now=now)
        if was_unproven:
            _place(found, now=now)  # 3
        return found


def run_again(viewer: Viewer, name: str, *, now: datetime) -> Finding:
    """Have a finding run once more that could not be run, or was not shown, before."""
    viewer.must_coordinate()
    with transaction.atomic():
        found = _locked(name)
        if found.kind != Finding.Kind.BUNDLE:
            raise Refused("there is nothing to run: it came without a proof")
        if found.state not in (_State.UNRUNNABLE, _State.NOT_SHOWN):
            raise Conflict(f"it is {found.get_state_display()}")
        found.state, found.reason = _State.QUEUED, ""
        found.save(update_fields=["state", "reason"])
        entry = record("finding.rerun", found.name, {"content": found.content}, now=now)
        enqueue(
            PROVE, {"finding": found.name}, lane=lane_of(found.organisation_id),
            key=f"{PROVE}:{found.name}:{entry.index}", priority=found.impact, now=now,
        )  # fmt: skip
        return found


def put_into_case(names: Sequence[str], case: str) -> None:
    """Note the case that findings have joined; the room above decides and records it."""
    Finding.objects.filter(name__in=list(names)).update(case=case)


def refer_to_public(name: str, advisory: str, *, now: datetime) -> None:
    """Answer a finding with the public advisory that it is about, by a coordinator's decision."""
    found = _locked(name)
    found.state, found.decided_at = _State.KNOWN, now
    found.reason = f"already public as {advisory}"
    found.save(update_fields=["state", "decided_at", "reason"])
    record("finding.known", found.name, {"advisory": advisory}, now=now)
