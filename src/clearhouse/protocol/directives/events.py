"""What can happen to an obligation, and what becomes of it: the states, the events, the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.machine import Machine


class State(StrEnum):
    """Where an obligation stands; overdue is not a state but what the clock makes of one."""

    OPEN = "open"
    HANDED_IN = "evidence-handed-in"
    COMPLETED = "completed"
    CLOSED = "closed"  # completed, and the directive asks no more
    LIFTED = "lifted"  # it turned out that it does not apply
    WITHDRAWN = "withdrawn"  # not completed, and the directive asks no more


class Trigger(StrEnum):
    """What happens to it."""

    HAND_IN = "hand-in"
    ACCEPT = "accept"
    REFUSE = "refuse"
    SEEN_AGAIN = "seen-again"
    LIFT = "lift"
    MOVE_DUE = "move-due"
    END = "end"
    CLOCK = "clock"


_S, _T = State, Trigger
OBLIGATION: Final = Machine(
    "the obligation",
    _S.OPEN,
    {
        (_S.OPEN, _T.HAND_IN): _S.HANDED_IN,
        (_S.HANDED_IN, _T.HAND_IN): _S.HANDED_IN,  # more of it
        (_S.HANDED_IN, _T.ACCEPT): _S.COMPLETED,
        (_S.HANDED_IN, _T.REFUSE): _S.OPEN,
        (_S.HANDED_IN, _T.SEEN_AGAIN): _S.OPEN,  # an inventory says otherwise
        (_S.COMPLETED, _T.SEEN_AGAIN): _S.OPEN,
        (_S.LIFTED, _T.SEEN_AGAIN): _S.OPEN,  # it applies after all
        (_S.OPEN, _T.LIFT): _S.LIFTED,
        (_S.HANDED_IN, _T.LIFT): _S.LIFTED,
        (_S.OPEN, _T.MOVE_DUE): _S.OPEN,
        (_S.HANDED_IN, _T.MOVE_DUE): _S.HANDED_IN,
        (_S.OPEN, _T.END): _S.WITHDRAWN,
        (_S.HANDED_IN, _T.END): _S.WITHDRAWN,
        (_S.LIFTED, _T.END): _S.WITHDRAWN,
        (_S.COMPLETED, _T.END): _S.CLOSED,
        **{(one, _T.CLOCK): one for one in _S},
    },
)


@dataclass(frozen=True, slots=True)
class HandIn:
    """The deployer hands in evidence.

    ``since`` is when it asked for what is handed in, where finding that out took time.
    """

    way: Way
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """The evidence holds.

    By a rule, where ``Way.is_decided_by_rule``; otherwise by a person of the authority, whose
    reason is needed where it agrees to leave the flaw.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The evidence does not hold."""

    reason: str


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """An inventory has the affected version again, or still, or it applies after all.

    ``due`` is by when from now on.
    """

    due: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Lift:
    """It is known by now that the directive does not apply."""

    reason: str


@dataclass(frozen=True, slots=True)
class MoveDue:
    """Another date, because the facts changed or the authority gives more time."""

    due: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """The directive ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Time has passed."""


Event: TypeAlias = HandIn | Accept | Refuse | SeenAgain | Lift | MoveDue | End | Clock
