"""What a case comes to: its state in the model, the assessment that counts, its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from clearhouse.office.blobs import store
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    Participant,
    Proposal,
)
from clearhouse.protocol.case_state import CaseEvent as Letter
from clearhouse.protocol.case_state import CaseState
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role


def state_of(case: Case, participants: Iterable[Participant]) -> CaseState:
    """The case's state in the model, for the supplier that is least far.

    One that declined is no vendor of this case.
    """
    suppliers = [
        one for one in participants if one.role == Role.SUPPLIER and one.consent != Consent.DECLINED
    ]
    happened: set[Letter] = set()
    for letter, done in (
        (Letter.VENDOR_AWARE, [one.aware_at for one in suppliers]),
        (Letter.FIX_READY, [one.fix_ready_at for one in suppliers]),
        (Letter.FIX_DEPLOYED, [one.fix_deployed_at for one in suppliers]),
    ):
        if done and all(done):
            happened.add(letter)
    for letter, at in (
        (Letter.PUBLIC, case.public_at),
        (Letter.EXPLOIT_PUBLIC, case.exploit_public_at),
        (Letter.ATTACKS, case.attacks_at),
    ):
        if at is not None:
            happened.add(letter)
    if Letter.PUBLIC in happened:
        # What is public makes the vendor aware, with a vendor in the case or without.
        happened.add(Letter.VENDOR_AWARE)
    return CaseState(frozenset(happened))


def leading_of(assessments: Sequence[Assessment]) -> Assessment | None:
    """The assessment that counts: the supplier's latest, else the office's, else any."""
    for role in (Role.SUPPLIER, Role.COORDINATOR):
        for one in assessments:
            if one.role == role:
                return one
    return next(iter(assessments), None)


def proposals_of(case: Case) -> list[Proposal]:
    """The ends that were proposed in a case, in their order, numbered without a query for each."""
    found = list(case.proposals.order_by("pk"))
    for place, one in enumerate(found, start=1):
        one.number = place
    return found


def history_of(case: Case) -> dict[str, Any] | None:
    """The history document of a case; None before its versions were run."""
    if not case.history:
        return None
    document = json.loads(store.read(case.history))
    assert isinstance(document, dict)
    return document
