"""A voluntary review as a state machine: what each side may do, and where it leads.

A developer hands in a model under development for a determination, or offers access to it
directly (Executive Order, section 3(b); the window is in :mod:`clearhouse.protocol.window`).
Nothing follows from a state of it anywhere else: no rule outside of the review takes one.  The
developer leaves from every state, at once, and gives no reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from clearhouse.errors import Refused
from clearhouse.protocol.machine import Machine


class Side(StrEnum):
    """Who acts: one of the two that agree, or time itself."""

    DEVELOPER = "developer"
    OFFICE = "office"  # who runs the review for the government
    CLOCK = "clock"


#: The two whose agreement counts.
SIDES: Final = frozenset({Side.DEVELOPER, Side.OFFICE})


class Purpose(StrEnum):
    """What the developer asks for."""

    DETERMINATION = "determination"  # whether the model is a covered frontier model
    ACCESS = "access"  # it offers access, whatever a determination would say

    @property
    def meaning(self) -> str:
        """The purpose in plain words."""
        if self is Purpose.DETERMINATION:
            return "find out whether the model is a covered frontier model"
        return "give access to the model before its release"


class ReviewState(StrEnum):
    """Where a review stands."""

    DRAFTED = "drafted"  # the developer's own; nobody else knows of it
    SUBMITTED = "submitted"
    AGREED = "agreed"  # both sides agreed on every text of the terms
    OPEN = "open"  # the window runs, or is paused
    RETURNING = "returning"  # no access any more; what was lent goes back
    FINISHED = "finished"
    DECLINED = "declined"  # the office cannot do it
    WITHDRAWN = "withdrawn"  # the developer took it back; nobody else sees that it was there

    @property
    def is_over(self) -> bool:
        """Whether nothing can come of it any more."""
        return self in (ReviewState.FINISHED, ReviewState.DECLINED, ReviewState.WITHDRAWN)


class ReviewEvent(StrEnum):
    """What happens to a review."""

    SUBMIT = "submit"
    AGREE = "agree"  # the later of the two sides agrees to the terms
    CHANGE_TERMS = "change-terms"
    OPEN = "open"
    END = "end"  # the window's own end, or an earlier one
    FINISH = "finish"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


_S, _E = ReviewState, ReviewEvent
REVIEW: Final[Machine[ReviewState, ReviewEvent]] = Machine(
    "the review",
    _S.DRAFTED,
    {
        (_S.DRAFTED, _E.SUBMIT): _S.SUBMITTED,
        (_S.SUBMITTED, _E.AGREE): _S.AGREED,
        (_S.SUBMITTED, _E.CHANGE_TERMS): _S.SUBMITTED,
        (_S.AGREED, _E.CHANGE_TERMS): _S.SUBMITTED,  # a changed text is agreed on anew
        (_S.SUBMITTED, _E.DECLINE): _S.DECLINED,
        (_S.AGREED, _E.DECLINE): _S.DECLINED,
        (_S.AGREED, _E.OPEN): _S.OPEN,
        (_S.OPEN, _E.END): _S.RETURNING,
        (_S.RETURNING, _E.FINISH): _S.FINISHED,
        **{(one, _E.WITHDRAW): _S.WITHDRAWN for one in _S if one is not _S.WITHDRAWN},
    },
)

#: Who may bring each event about.
BY: Final[Mapping[ReviewEvent, frozenset[Side]]] = {
    _E.SUBMIT: frozenset({Side.DEVELOPER}),
    _E.AGREE: SIDES,
    _E.CHANGE_TERMS: SIDES,
    _E.OPEN: frozenset({Side.DEVELOPER}),
    _E.END: frozenset({Side.DEVELOPER, Side.OFFICE, Side.CLOCK}),
    _E.FINISH: SIDES,
    _E.DECLINE: frozenset({Side.OFFICE}),
    _E.WITHDRAW: frozenset({Side.DEVELOPER}),
}


def after(state: ReviewState, event: ReviewEvent, *, by: Side) -> ReviewState:
    """The state that follows what a side does.

    Raises :class:`Refused` where the state does not allow it, and where it is the other's to do.
    """
    if by not in BY[event]:
        whose = " or ".join(sorted(one.value for one in BY[event]))
        raise Refused(f"{event.value} is for the {whose} to do, not for the {by.value}")
    return REVIEW.after(state, event)


def is_seen_by_others(state: ReviewState) -> bool:
    """Whether anybody but the developer learns that the review is there."""
    return state not in (ReviewState.DRAFTED, ReviewState.WITHDRAWN)
