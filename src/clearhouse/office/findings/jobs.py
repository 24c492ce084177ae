"""The long work on findings: running bundles, looking for what reports name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clearhouse.errors import NotFound
from clearhouse.office.blobs import store
from clearhouse.office.findings import actions
from clearhouse.office.findings.intake import report_in
from clearhouse.office.findings.models import Finding
from clearhouse.office.queue.handlers import Handler, Payload, Progress, handler
from clearhouse.proof.door import parse_archive
from clearhouse.proof.grounding import ground
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop


def _blob(name: object) -> bytes:
    found = Finding.objects.filter(name=str(name)).values_list("blob", flat=True).first()
    if found is None:
        raise NotFound("the finding is not here any more")
    return store.read(found)


@handler(actions.PROVE)
class Prove(Handler[dict[str, Any]]):
    """Run a bundle and decide what it shows.  Sandboxes stay warm from one to the next."""

    def __init__(self) -> None:
        self._workshop: Workshop | None = None

    def run(self, payload: Payload, progress: Progress) -> dict[str, Any]:
        """The verdict, as a document."""
        bundle = parse_archive(_blob(payload["finding"]), where="the bundle")
        if self._workshop is None:
            self._workshop = Workshop()
        return prove(bundle, self._workshop, progress=progress).as_json()

    def close(self) -> None:
        """Let the sandboxes go."""
        if self._workshop is not None:
            self._workshop.close()
            self._workshop = None

    def store(self, payload: Payload, result: dict[str, Any], now: datetime) -> None:
        """Decide by it."""
        actions.decide(str(payload["finding"]), result, now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        """Say that it could not be run, and why."""
        actions.could_not_run(str(payload["finding"]), reason, now=now)


@handler(actions.CHECK)
class Check(Handler[dict[str, Any]]):
    """Look whether what a report names exists."""

    def run(self, payload: Payload, progress: Progress) -> dict[str, Any]:
        """What is there and what is not."""
        progress("looking for what it names")
        report = report_in(_blob(payload["finding"]))
        if report.target is None:
            return {"absent": [], "found": [], "undecided": ["it names no package by its purl"]}
        return ground(report.target, report.locations).as_json()

    def store(self, payload: Payload, result: dict[str, Any], now: datetime) -> None:
        """Refuse it or go on."""
        actions.ground(str(payload["finding"]), result, now=now)

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        """What could not be judged counts as there."""
        undecided = {"absent": [], "found": [], "undecided": [reason]}
        actions.ground(str(payload["finding"]), undecided, now=now)
