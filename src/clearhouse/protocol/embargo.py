"""Embargo management: what the participants of a case keep quiet, until when, and who is bound.

Householder, "Designing Vultron" (CMU/SEI-2022-SR-012), section 4.  One embargo for each case; each
participant consents for itself.  What ends it is in :func:`must_end`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from clearhouse.protocol.case_state import CaseEvent, CaseState
from clearhouse.protocol.machine import Machine


class EmbargoState(StrEnum):
    """Where the embargo of a case stands."""

    NONE = "none"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REVISE = "revise"  # in force, and another end is proposed
    EXITED = "exited"

    @property
    def in_force(self) -> bool:
        """Whether participants are bound."""
        return self in (EmbargoState.ACTIVE, EmbargoState.REVISE)


class EmbargoEvent(StrEnum):
    """What happens to an embargo."""

    PROPOSE = "propose"
    REJECT = "reject"
    ACCEPT = "accept"
    TERMINATE = "terminate"


_S, _E = EmbargoState, EmbargoEvent
EMBARGO: Final = Machine(
    "the embargo",
    _S.NONE,
    {
        (_S.NONE, _E.PROPOSE): _S.PROPOSED,
        (_S.PROPOSED, _E.PROPOSE): _S.PROPOSED,
        (_S.PROPOSED, _E.REJECT): _S.NONE,
        (_S.PROPOSED, _E.ACCEPT): _S.ACTIVE,
        (_S.ACTIVE, _E.PROPOSE): _S.REVISE,
        (_S.REVISE, _E.PROPOSE): _S.REVISE,
        (_S.REVISE, _E.REJECT): _S.ACTIVE,
        (_S.REVISE, _E.ACCEPT): _S.ACTIVE,
        (_S.ACTIVE, _E.TERMINATE): _S.EXITED,
        (_S.REVISE, _E.TERMINATE): _S.EXITED,
    },
)


class Consent(StrEnum):
    """Whether a participant is bound by the embargo."""

    NONE = "no-embargo"
    INVITED = "invited"
    SIGNATORY = "signatory"
    LAPSED = "lapsed"  # signed, and the terms have changed since
    DECLINED = "declined"


class ConsentEvent(StrEnum):
    """What changes a participant's consent."""

    INVITE = "invite"
    ACCEPT = "accept"
    DECLINE = "decline"
    REVISE = "revise"
    RESET = "reset"


_C, _T = Consent, ConsentEvent
CONSENT: Final = Machine(
    "the consent",
    _C.NONE,
    {
        (_C.NONE, _T.INVITE): _C.INVITED,
        (_C.LAPSED, _T.INVITE): _C.INVITED,
        (_C.DECLINED, _T.INVITE): _C.INVITED,
        (_C.NONE, _T.ACCEPT): _C.SIGNATORY,
        (_C.INVITED, _T.ACCEPT): _C.SIGNATORY,
        (_C.LAPSED, _T.ACCEPT): _C.SIGNATORY,
        (_C.NONE, _T.DECLINE): _C.DECLINED,
        (_C.INVITED, _T.DECLINE): _C.DECLINED,
        (_C.LAPSED, _T.DECLINE): _C.DECLINED,
        (_C.SIGNATORY, _T.REVISE): _C.LAPSED,
        **{(one, _T.RESET): _C.NONE for one in Consent},
    },
)


class End(StrEnum):
    """How strongly something that happened ends an embargo."""

    SHALL = "shall"
    SHOULD = "should"


def must_end(state: CaseState) -> End | None:
    """Whether what has happened ends an embargo (section 4.2); None where it does not.

    What is public ends it.  Attacks should: somebody knows already, and deployers do not.
    """
    if state.happened & {CaseEvent.PUBLIC, CaseEvent.EXPLOIT_PUBLIC}:
        return End.SHALL
    return End.SHOULD if CaseEvent.ATTACKS in state.happened else None


@dataclass(frozen=True, slots=True)
class Opening:
    """The embargo that a case begins with, and the longer one that somebody would rather have."""

    active: timedelta | None
    proposed: timedelta | None = None


def opening(sender: timedelta | None, receiver: timedelta | None) -> Opening:
    """The embargo that follows from what the sender asks and the receiver has published.

    The shorter is in force at once, as both can live with it; the longer is a proposal to revise
    (section 4.1).  Where only one side names any, that is the embargo; an empty one, none.
    """
    named = sorted(one for one in (sender, receiver) if one is not None)
    if not named:
        return Opening(None)
    if named[0] <= timedelta(0):  # one of them wants everything public at once
        return Opening(None)
    longer = named[-1] if named[-1] > named[0] else None
    return Opening(named[0], longer)
