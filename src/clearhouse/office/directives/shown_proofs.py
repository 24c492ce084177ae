"""What the page of an obligation says of proofs that can be run, are run, or were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clearhouse.office.authorisation import ObligationPart
from clearhouse.office.directives.models import ProofRun
from clearhouse.office.directives.proofs import (
    Offer,
    answered_by,
    installed_of,
    job_status,
    offer_of,
    runs_of,
)
from clearhouse.office.directives.queries import Seen
from clearhouse.office.directives.words import OUTCOMES, RUN_STATES
from clearhouse.proof.absence import Outcome


@dataclass(frozen=True, slots=True)
class OnOne:
    """What came of it on one version."""

    ecosystem: str
    package: str
    version: str
    outcome: Outcome

    @property
    def text(self) -> str:
        """The same in words."""
        return OUTCOMES[self.outcome]


@dataclass(frozen=True, slots=True)
class Proofs:
    """Proofs that can be run on what an obligation's owner has, and what came of it last."""

    cases: Sequence[str]
    refusal: str
    may_ask: bool
    last: ProofRun | None
    state: str
    """Of the last: one of ``words.RUN_STATES``; empty where there is none."""
    is_of_now: bool
    """Whether the last was run on just what is installed now."""
    outcomes: Sequence[OnOne]

    @property
    def said(self) -> str:
        """What came of the last, in a sentence or two."""
        return RUN_STATES[self.state] if self.state else ""

    @property
    def ended_at(self) -> datetime | None:
        """When the last ended."""
        return self.last.ended_at if self.last is not None else None


def proofs_of(one: Seen) -> Proofs | None:
    """For whose the obligation is; None where there is nothing to say."""
    if ObligationPart.WORK not in one.parts:
        return None
    offer = offer_of(one.row, one.directive)
    runs = [each for each in runs_of(one.row) if each.state != ProofRun.State.DROPPED]
    if offer is None and not runs:
        return None
    last = runs[0] if runs else None
    may_ask = offer is not None and not offer.refusal and answered_by(offer, runs) is None
    return Proofs(
        cases=offer.cases if offer is not None else (),
        refusal=offer.refusal if offer is not None else "",
        may_ask=may_ask, last=last, state=_state(last),
        is_of_now=last is not None and _is_of_now(last, offer),
        outcomes=_outcomes(last) if last is not None else (),
    )  # fmt: skip


def _state(run: ProofRun | None) -> str:
    if run is None:
        return ""
    if run.state == ProofRun.State.UNTOLD and not run.document:
        return "not-run"
    if run.state != ProofRun.State.WAITING:
        return run.state
    job = job_status(run)
    if job is None:
        return "not-run"
    return "put-off" if job.state == job.state.DELAYED else run.state


def _is_of_now(run: ProofRun, offer: Offer | None) -> bool:
    return offer is None or set(offer.installed) == installed_of(run)


def _outcomes(run: ProofRun) -> list[OnOne]:
    return [
        OnOne(ecosystem, package, version, Outcome(outcome))
        for ecosystem, package, version, outcome in run.outcomes
    ]
