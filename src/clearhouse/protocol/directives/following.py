"""What an obligation follows: the flaw on the system, and what the directive asks of it by now.

A system is looked at again and again.  :func:`follow` says what has happened to an obligation since
it was looked at last; looked at again without anything new, nothing has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from clearhouse.protocol.directives.directive import Demand, Way
from clearhouse.protocol.directives.events import (
    Accept,
    Event,
    HandIn,
    Lift,
    MoveDue,
    SeenAgain,
    State,
)
from clearhouse.protocol.directives.obligation import Obligation

_ASKS_NO_MORE: Final = "by what is known now, the directive does not ask for it"
_ASKS_AGAIN: Final = "by what is known now, the directive asks for it after all"


@dataclass(frozen=True, slots=True)
class NotShown:
    """Proofs were run on just what is there, and the effect showed nowhere.

    ``since`` is from when it could have been found out: it was asked for, and this was there.
    """

    since: datetime
    said: str


@dataclass(frozen=True, slots=True)
class There:
    """The flaw is on the system, by what is known of the versions there.

    ``is_covered`` is whether the evidence that was accepted speaks of just what is there now, so
    that nothing was seen again.  ``not_shown`` is whether proofs of the flaw were run on just that
    without its effect.
    """

    is_covered: bool = False
    not_shown: NotShown | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The flaw is not on the system, and what that is evidence of.

    ``way`` is None where it was never there by what is known now: a record was corrected.
    """

    way: Way | None
    said: str


def follow(obligation: Obligation, seen: There | Gone, asked: Demand | None) -> tuple[Event, ...]:
    """What happens to an obligation by the newest look at its system.

    1. What is gone is evidence, where the directive takes evidence of that kind; what a rule
    decides is accepted at once.  2. What was never there is lifted, 3. and what the directive does
    not ask for any more.  4. A date that has changed moves.  5. What was met or lifted and is there
    opens it again, unless the evidence speaks of just that.  6. That proofs do not show the flaw on
    just what is there is evidence too.
    """
    match obligation.state:
        case State.OPEN | State.HANDED_IN:
            return _active(obligation, seen, asked)
        case State.COMPLETED:
            if isinstance(seen, Gone) or seen.is_covered or asked is None:
                return ()
            again = SeenAgain(asked.due.at, f"it was seen again; {asked.due.because}")
            return (again, *_not_shown(obligation, seen))  # 5, 6
        case State.LIFTED:
            if isinstance(seen, Gone) or asked is None:
                return ()
            again = SeenAgain(asked.due.at, f"{_ASKS_AGAIN}; {asked.due.because}")
            return (again, *_not_shown(obligation, seen))  # 5, 6
        case State.CLOSED | State.WITHDRAWN:
            return ()
        case _:
            assert_never(obligation.state)


def _active(obligation: Obligation, seen: There | Gone, asked: Demand | None) -> tuple[Event, ...]:
    if isinstance(seen, Gone):
        if seen.way is None:
            return (Lift(seen.said),)  # 2
        if seen.way not in obligation.ways:
            return ()
        if seen.way.is_decided_by_rule:
            return (HandIn(seen.way), Accept(seen.said))  # 1
        return (HandIn(seen.way),) if obligation.state is State.OPEN else ()
    if asked is None:
        return (Lift(_ASKS_NO_MORE),)  # 3
    met = _not_shown(obligation, seen)  # 6
    if asked.due.at != obligation.due:
        return (MoveDue(asked.due.at, asked.due.because), *met)  # 4
    return met


def _not_shown(obligation: Obligation, seen: There) -> tuple[Event, ...]:
    if seen.not_shown is None or Way.PROOF not in obligation.ways:
        return ()
    return (HandIn(Way.PROOF, seen.not_shown.since), Accept(seen.not_shown.said))
