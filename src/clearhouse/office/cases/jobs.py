"""The long work on cases: joining, dating, checking patches; and the clock."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions import clock, news, opening, patches, versions
from clearhouse.office.cases.models import Case, Patch
from clearhouse.office.cases.proofs import bundles_of
from clearhouse.office.findings import actions as findings_actions
from clearhouse.office.queue.handlers import Handler, Payload, Progress, every, handler
from clearhouse.proof.dating import Plan, date
from clearhouse.proof.diff import read_patch
from clearhouse.proof.patching import check_patch
from clearhouse.proof.runners.choose import Workshop

_CLOCK_SECONDS = 60


@handler(findings_actions.PLACE)
class Place(Handler[None]):
    """Put a finding into its case, or suggest one."""

    def run(self, payload: Payload, progress: Progress) -> None:
        """Nothing takes long."""

    def store(self, payload: Payload, result: None, now: datetime) -> None:  # noqa: ARG002 - Handler's
        """Join or open."""
        opening.place(str(payload["finding"]), now=now)


@handler(opening.DATE)
class Date(Handler[dict[str, Any]]):
    """Run a case's proof over the releases of its package."""

    def run(self, payload: Payload, progress: Progress) -> dict[str, Any]:
        """The history, as a document."""
        proofs = bundles_of(str(payload["case"]))
        if not proofs:
            raise NotFound("the case has no proof to run")
        return date(proofs[0], plan=Plan(jobs=1), progress=progress).as_json()

    def store(self, payload: Payload, result: dict[str, Any], now: datetime) -> None:
        """Keep it with the case."""
        versions.dated(str(payload["case"]), result, now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        """Say that its versions are not known, and why."""
        versions.not_dated(str(payload["case"]), reason, now=now)


@handler(patches.CHECK_PATCH)
class CheckPatch(Handler[dict[str, Any]]):
    """Run a patch against the proofs of its case."""

    def run(self, payload: Payload, progress: Progress) -> dict[str, Any]:
        """The verdict on it, as a document."""
        made = Patch.objects.select_related("case").get(name=str(payload["patch"]))
        proofs = bundles_of(made.case.name)
        if not proofs:
            raise Invalid("the case has no proof to run the patch against")
        raw = store.read(made.blob)
        files = read_patch(raw, where=made.name)
        with Workshop() as workshop:
            verdict = check_patch(
                proofs[0], files, raw, workshop, also=proofs[1:], progress=progress
            )
        return verdict.as_json()

    def store(self, payload: Payload, result: dict[str, Any], now: datetime) -> None:
        """Keep it with the patch."""
        patches.judged(str(payload["patch"]), json.loads(json.dumps(result)), now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        """Say that it could not be run."""
        patches.could_not_judge(str(payload["patch"]), reason, now=now)


@handler(news.MAIL)
class Mail(Handler[None]):
    """Tell an organisation that a case waits for it."""

    def run(self, payload: Payload, progress: Progress) -> None:  # noqa: ARG002 - Handler's
        """Hand the mail over; after a crash it may go out twice."""
        news.send(int(payload["organisation"]), str(payload["case"]))

    def store(self, payload: Payload, result: None, now: datetime) -> None:
        """Nothing is kept: the timeline has the invitation."""


@every(_CLOCK_SECONDS, "cases.clock")
def tick(now: datetime) -> None:
    """The clock of every case."""
    if Case.objects.exists():
        clock.tick(now)
