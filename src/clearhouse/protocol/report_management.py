"""Report management: what one participant of a case has done with the report it got.

Householder, "Designing Vultron" (CMU/SEI-2022-SR-012), section 3: each participant has a state of
its own, and nobody else needs to know it.  A duplicate is no invalid report: it is valid, and
deferred in favour of the first.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from clearhouse.protocol.machine import Machine


class ReportState(StrEnum):
    """Where a participant stands with a report."""

    START = "start"
    RECEIVED = "received"
    INVALID = "invalid"
    VALID = "valid"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class ReportEvent(StrEnum):
    """What a participant does with a report."""

    RECEIVE = "receive"
    VALIDATE = "validate"
    INVALIDATE = "invalidate"
    ACCEPT = "accept"
    DEFER = "defer"
    CLOSE = "close"


_S, _E = ReportState, ReportEvent
REPORT: Final = Machine(
    "the report",
    _S.START,
    {
        (_S.START, _E.RECEIVE): _S.RECEIVED,
        (_S.RECEIVED, _E.VALIDATE): _S.VALID,
        (_S.RECEIVED, _E.INVALIDATE): _S.INVALID,
        (_S.INVALID, _E.VALIDATE): _S.VALID,
        (_S.VALID, _E.ACCEPT): _S.ACCEPTED,
        (_S.VALID, _E.DEFER): _S.DEFERRED,
        (_S.ACCEPTED, _E.DEFER): _S.DEFERRED,
        (_S.DEFERRED, _E.ACCEPT): _S.ACCEPTED,
        (_S.INVALID, _E.CLOSE): _S.CLOSED,
        (_S.DEFERRED, _E.CLOSE): _S.CLOSED,
        (_S.ACCEPTED, _E.CLOSE): _S.CLOSED,
    },
)


def may_send(state: ReportState) -> bool:
    """Whether a participant may hand the report on: only who has accepted it (section 3.4)."""
    return state is ReportState.ACCEPTED
