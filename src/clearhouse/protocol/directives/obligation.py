"""An obligation: one directive, one organisation, one vulnerability, one system, until it is met.

A state machine without a clock of its own: :func:`step` takes the state, what happened and the
time, and returns what it is now and who has to be told.  Time reminds and makes overdue; it never
completes anything.  A date moves later only with a reason, and every move is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.directives.deadlines import zoned
from clearhouse.protocol.directives.directive import STAGES, Demand, Directive, Stage, To, Way
from clearhouse.protocol.directives.events import (
    OBLIGATION,
    Accept,
    Clock,
    End,
    Event,
    HandIn,
    Lift,
    MoveDue,
    Refuse,
    SeenAgain,
    State,
    Trigger,
)


@dataclass(frozen=True, slots=True)
class Move:
    """A date that changed; None is a date that nobody set."""

    at: datetime
    before: datetime | None
    after: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Obligation:
    """An obligation at a moment.  All times have a zone."""

    start: datetime
    """From when its time runs."""
    due: datetime | None
    """None where no date is set: at the next upgrade."""
    ways: frozenset[Way]
    stages: tuple[Stage, ...] = STAGES
    state: State = State.OPEN
    handed_in_at: datetime | None = None
    """When the evidence that stands came in."""
    way: Way | None = None
    reminded: frozenset[str] = frozenset()
    """Keys of the stages that people were told of, or that no longer matter."""
    moves: tuple[Move, ...] = ()

    def __post_init__(self) -> None:
        zoned(self.start, "start")
        if self.due is not None:
            zoned(self.due, "due")


@dataclass(frozen=True, slots=True)
class News:
    """Something that people have to be told: what, to whom, and the words that go with it."""

    what: str
    """``opened``, a trigger's value, or ``reminder:`` and the key of the stage."""
    to: frozenset[To]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What an obligation is after an event, and the news."""

    obligation: Obligation
    news: tuple[News, ...] = ()


class Standing(StrEnum):
    """How an obligation looks at a moment, to those who read lists."""

    OPEN = "open"
    OVERDUE = "overdue"
    EXAMINED = "being-examined"
    EXAMINED_LATE = "being-examined-late"
    COMPLETED = "completed"
    COMPLETED_LATE = "completed-late"
    LIFTED = "lifted"
    WITHDRAWN = "withdrawn"


def oblige(directive: Directive, demand: Demand) -> Step:
    """The obligation that a demand becomes, and the news of it."""
    found = Obligation(demand.due.start, demand.due.at, directive.ways, directive.stages)
    return Step(found, (News("opened", frozenset({To.DEPLOYER}), demand.due.because),))


def standing(obligation: Obligation, now: datetime) -> Standing:
    """How it stands: what was handed in by the date is in time, however long examining takes."""
    late_at = obligation.handed_in_at or now
    late = obligation.due is not None and late_at > obligation.due
    match obligation.state:
        case State.OPEN:
            return Standing.OVERDUE if _is_past(obligation.due, now) else Standing.OPEN
        case State.HANDED_IN:
            return Standing.EXAMINED_LATE if late else Standing.EXAMINED
        case State.COMPLETED | State.CLOSED:
            return Standing.COMPLETED_LATE if late else Standing.COMPLETED
        case State.LIFTED:
            return Standing.LIFTED
        case State.WITHDRAWN:
            return Standing.WITHDRAWN
        case _:
            assert_never(obligation.state)


def step(obligation: Obligation, event: Event, now: datetime) -> Step:
    """What follows from an event at a moment.

    Raises :class:`Refused` where the state does not allow it, and :class:`Invalid` for a missing
    reason or a time without zone.
    """
    zoned(now, "now")
    match event:
        case HandIn(way, since):
            return _hand_in(obligation, way, now if since is None else zoned(since, "since"), now)
        case Accept(reason):
            if obligation.way is Way.ACCEPTED:
                _reason(reason)
            return _over(obligation, Trigger.ACCEPT, reason)
        case Refuse(reason):
            return _back(obligation, Trigger.REFUSE, obligation.due, reason, now)
        case SeenAgain(due, reason):
            return _back(obligation, Trigger.SEEN_AGAIN, due, reason, now)
        case MoveDue(due, reason):
            state = OBLIGATION.after(obligation.state, Trigger.MOVE_DUE)
            moved = _moved(replace(obligation, state=state), due, reason, now)
            return Step(moved, (_news(Trigger.MOVE_DUE, To.DEPLOYER, reason),))
        case Lift(reason):
            return _over(obligation, Trigger.LIFT, _reason(reason))
        case End(reason):
            return _over(obligation, Trigger.END, _reason(reason))
        case Clock():
            return _remind(obligation, now)
        case _:
            assert_never(event)


def next_reminder(obligation: Obligation) -> datetime | None:
    """When time alone makes news again; None where it does not."""
    ahead = [at for at, _ in _ahead(obligation)]
    return min(ahead, default=None) if obligation.state is State.OPEN else None


def _hand_in(obligation: Obligation, way: Way, since: datetime, now: datetime) -> Step:
    """Evidence counts from when it was asked for, but not from before what it is evidence of."""
    state = OBLIGATION.after(obligation.state, Trigger.HAND_IN)
    if way not in obligation.ways:
        allowed = ", or ".join(one.meaning for one in Way if one in obligation.ways)
        raise Refused(f"this directive is not met by {way.meaning}, but by {allowed}")
    first = obligation.handed_in_at or min(now, max(since, obligation.start))
    found = replace(obligation, state=state, handed_in_at=first, way=way)
    return Step(found, (_news(Trigger.HAND_IN, To.AUTHORITY, way.meaning),))


def _over(obligation: Obligation, trigger: Trigger, said: str) -> Step:
    """Nothing is asked any more."""
    state = OBLIGATION.after(obligation.state, trigger)
    return Step(replace(obligation, state=state), (_news(trigger, To.DEPLOYER, said),))


def _back(
    obligation: Obligation, trigger: Trigger, due: datetime | None, reason: str, now: datetime
) -> Step:
    """Open again: what was handed in does not count, and it is due at ``due``."""
    state = OBLIGATION.after(obligation.state, trigger)
    found = replace(obligation, state=state, handed_in_at=None, way=None)
    moved = _moved(found, due, reason, now)
    if trigger is Trigger.SEEN_AGAIN:
        moved = replace(moved, start=max(now, obligation.start), reminded=frozenset())
        moved = replace(moved, reminded=_passed(moved, now))
    return Step(moved, (_news(trigger, To.DEPLOYER, reason),))


def _moved(obligation: Obligation, due: datetime | None, reason: str, now: datetime) -> Obligation:
    """With another date; what lies ahead of now is told of again."""
    said = _reason(reason)
    if due == obligation.due:
        return obligation
    moves = (*obligation.moves, Move(now, obligation.due, due, said))
    found = replace(obligation, due=due, moves=moves)
    ahead = {stage.key for at, stage in _all(found) if at > now}
    return replace(found, reminded=found.reminded - ahead)


def _remind(obligation: Obligation, now: datetime) -> Step:
    """News of the last stage that was reached and not told of; earlier ones are skipped."""
    state = OBLIGATION.after(obligation.state, Trigger.CLOCK)
    found = replace(obligation, state=state)
    reached = [(at, stage) for at, stage in _ahead(found) if at <= now]
    if found.state is not State.OPEN or not reached:
        return Step(found)
    at = max(at for at, _ in reached)
    last = [stage for there, stage in reached if there == at][-1]
    told = found.reminded | {stage.key for _, stage in reached}
    news = News(f"reminder:{last.key}", last.to)
    return Step(replace(found, reminded=told), (news,))


def _all(obligation: Obligation) -> list[tuple[datetime, Stage]]:
    due = obligation.due
    if due is None:
        return []
    return [(one.at(min(obligation.start, due), due), one) for one in obligation.stages]


def _ahead(obligation: Obligation) -> list[tuple[datetime, Stage]]:
    return [(at, one) for at, one in _all(obligation) if one.key not in obligation.reminded]


def _passed(obligation: Obligation, now: datetime) -> frozenset[str]:
    return frozenset(stage.key for at, stage in _all(obligation) if at <= now)


def _is_past(due: datetime | None, now: datetime) -> bool:
    return due is not None and now > due


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid("say why", key="reason")
    return reason.strip()


def _news(trigger: Trigger, to: To, said: str = "") -> News:
    return News(trigger.value, frozenset({to}), said)
