"""Running the proofs of published cases on what a system has installed, for its owner.

All proofs of the cases are run, not the first alone: each is another way to the flaw, and a fix may
close one and leave the next.  What counts as evidence is that none of them shows it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from clearhouse.errors import Conflict, NotFound, Refused
from clearhouse.office.blobs import store
from clearhouse.office.cases.proofs import bundles_of
from clearhouse.office.directives.actions.deriving import derive
from clearhouse.office.directives.models import ACTIVE, ObligationRow, ProofRun
from clearhouse.office.directives.proofs import (
    PROVE,
    answered_by,
    installed_of,
    is_about,
    job_of,
    offer_of,
    runs_of,
)
from clearhouse.office.directives.sight import MISSING, obligation_seen
from clearhouse.office.inventories.present import hold_system
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.queue.handlers import Progress
from clearhouse.office.viewer import Viewer
from clearhouse.proof.absence import Answer, Outcome, concluded, document_of
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.on_versions import not_run, run_on
from clearhouse.proof.runners.choose import Workshop
from clearhouse.protocol.roles import Scope

_NOTHING: Final = "this office has no proof of this flaw that it can run for you"
_SALT_BYTES: Final = 16
State = ProofRun.State


def ask(viewer: Viewer, name: str, *, now: datetime) -> ProofRun:
    """Ask for the proofs of an obligation's flaw to be run on just what is installed.

    1. Only whose it is may.  2. What is known, or is being run, is not run again; 3. what was asked
    for other versions is dropped.  Raises :class:`NotFound`, :class:`Refused` where there is
    nothing to run, and :class:`Conflict` where it was asked before.
    """
    viewer.needs(Scope.DIRECTIVES_WRITE)
    with transaction.atomic():
        seen, directive, _ = obligation_seen(viewer, name)
        if seen.organisation_id != viewer.organisation:  # 1
            raise NotFound(MISSING)
        hold_system(seen.system_id)
        held = (
            ObligationRow.objects.select_for_update(of=("self",))
            .select_related("directive", "exposure")
            .get(pk=seen.pk)
        )
        offer = offer_of(held, directive)
        if offer is None:
            raise Refused(_NOTHING)
        if offer.refusal:
            raise Refused(offer.refusal)
        if answered_by(offer, runs_of(held)) is not None:  # 2
            raise Conflict(
                "it was asked for these versions already; the answer is, or will be, here"
            )
        # 3, without a hand on the job: whoever does it holds that first, and then the system
        held.runs.filter(state=State.WAITING).update(state=State.DROPPED, ended_at=now)
        made = ProofRun.objects.create(
            name=new_name("PR"), obligation=held, key=offer.key, cases=list(offer.cases),
            proofs=list(offer.proofs), installed=[list(one) for one in offer.installed],
            asked_at=now, asked_by=viewer.name[:200],
        )  # fmt: skip
        enqueue(
            PROVE, {"run": made.name}, lane=f"organisation:{held.organisation_id}",
            key=job_of(made), now=now,
        )  # fmt: skip
        return made


def run_proofs(name: str, progress: Progress) -> dict[str, Any] | None:
    """Run them: the document of what was seen, or None where nothing asks for it any more.

    Raises :class:`NotFound` where the cases have no proof, and Unavailable as
    :func:`clearhouse.proof.on_versions.run_on`.
    """
    run = ProofRun.objects.select_related("obligation").get(name=name)
    if not _is_asked(run):
        return None
    installed = sorted(installed_of(run))
    versions = [version for _, _, version in installed]
    found = []
    with Workshop() as workshop:
        for bundle in _bundles(run):
            purl = bundle.target.purl
            if purl is not None and is_about(str(purl), installed):
                found.append(run_on(bundle, versions, workshop, progress=progress))
            else:
                found.append(not_run(bundle, versions))
    if not found:
        raise NotFound("the case has no proof to run")
    return document_of(run.cases, installed, found, salt=secrets.token_hex(_SALT_BYTES))


def _bundles(run: ProofRun) -> Iterator[Bundle]:
    """The proofs of the cases as they are now, each once."""
    seen: set[str] = set()
    for case in run.cases:
        for bundle in bundles_of(case):
            if bundle.digest not in seen:
                seen.add(bundle.digest)
                yield bundle


def _is_asked(run: ProofRun) -> bool:
    return run.state != State.DROPPED and not run.document and run.obligation.state in ACTIVE


def ended(name: str, document: Mapping[str, Any] | None, *, now: datetime) -> None:
    """Keep what came of it, and let the obligation follow.  Called by the job that ran it.

    The system is held first, as by whoever looks at it.  That the flaw shows nowhere meets the
    obligation where just that is installed still: :func:`deriving.derive` sees to it.
    """
    system = ProofRun.objects.values_list("obligation__system", flat=True).get(name=name)
    hold_system(system)
    run = ProofRun.objects.select_for_update(of=("self",)).get(name=name)
    if run.state == State.DROPPED or run.document:
        return
    run.ended_at = now
    if document is None:
        run.state = State.DROPPED
        run.save(update_fields=["state", "ended_at"])
        return
    outcomes = concluded(document)
    run.state = _state(set(outcomes.values()))
    run.outcomes = [[*one, outcome.value] for one, outcome in sorted(outcomes.items())]
    run.may_differ = run.state == State.UNTOLD and any(
        each["passing"] for proof in document["proofs"] for each in proof["versions"]
    )
    run.document = store.put(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())
    run.digest = document["digest"]
    run.save()
    derive(system, now=now)


def _state(outcomes: set[Outcome]) -> ProofRun.State:
    answers = {one.answer for one in outcomes}
    if Answer.SHOWS in answers:
        return State.SHOWN
    return State.NOT_SHOWN if answers == {Answer.ABSENT} else State.UNTOLD


def could_not(name: str, *, now: datetime) -> None:
    """Say that it could not be run; why may tell how a proof works, and stands with the job."""
    ProofRun.objects.filter(name=name, state=State.WAITING).update(
        state=State.UNTOLD, may_differ=True, ended_at=now
    )
