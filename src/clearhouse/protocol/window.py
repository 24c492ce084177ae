"""The access window: agreed by both sides, 30 calendar days at most, and over by itself.

A window is a value.  Each function makes the next one from it, and :func:`is_open` says whether
there is access at a moment: nobody has to do anything for a window to end.  The end is set when the
window starts, in UTC, and moves only towards the present; a pause uses up time like any other day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol.machine import Machine
from clearhouse.protocol.review import SIDES, Side

#: Executive Order, section 3(b): access for up to 30 days.
LONGEST: Final = timedelta(days=30)


class WindowState(StrEnum):
    """Where a window stands.  Time may have ended one that still says running or paused."""

    NONE = "none"
    PROPOSED = "proposed"
    AGREED = "agreed"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class WindowEvent(StrEnum):
    """What happens to a window."""

    PROPOSE = "propose"
    AGREE = "agree"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SHORTEN = "shorten"
    END = "end"


_S, _E = WindowState, WindowEvent
WINDOW: Final = Machine(
    "the window",
    _S.NONE,
    {
        (_S.NONE, _E.PROPOSE): _S.PROPOSED,
        (_S.PROPOSED, _E.PROPOSE): _S.PROPOSED,
        (_S.PROPOSED, _E.AGREE): _S.AGREED,
        (_S.AGREED, _E.PROPOSE): _S.PROPOSED,
        (_S.AGREED, _E.START): _S.RUNNING,
        (_S.RUNNING, _E.PAUSE): _S.PAUSED,
        (_S.PAUSED, _E.PAUSE): _S.PAUSED,  # the other side pauses as well
        (_S.PAUSED, _E.RESUME): _S.RUNNING,
        (_S.RUNNING, _E.SHORTEN): _S.RUNNING,
        (_S.PAUSED, _E.SHORTEN): _S.PAUSED,
        (_S.NONE, _E.END): _S.ENDED,
        (_S.PROPOSED, _E.END): _S.ENDED,
        (_S.AGREED, _E.END): _S.ENDED,
        (_S.RUNNING, _E.END): _S.ENDED,
        (_S.PAUSED, _E.END): _S.ENDED,
    },
)


@dataclass(frozen=True, slots=True)
class Window:
    """A window at a moment.

    ``length`` is what was proposed, ``agreed_by`` the sides that agreed to it, ``paused_by`` those
    that pause it.  ``ends_at`` is set with ``starts_at``.  All times have a zone.
    """

    state: WindowState = WindowState.NONE
    length: timedelta = LONGEST
    agreed_by: frozenset[Side] = frozenset()
    paused_by: frozenset[Side] = frozenset()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def propose(window: Window, length: timedelta, *, by: Side) -> Window:
    """Propose how long it is to be; whoever proposes agrees.

    Raises :class:`Refused` once it has started: there is no extension, and no second window.
    """
    if not timedelta(0) < length <= LONGEST:
        raise Invalid(f"expected at most {LONGEST.days} days, and more than none", key="days")
    state = WINDOW.after(window.state, WindowEvent.PROPOSE)
    return replace(window, state=state, length=length, agreed_by=frozenset({_side(by)}))


def agree(window: Window, *, by: Side) -> Window:
    """Agree to what the other side proposed."""
    agreed = window.agreed_by | {_side(by)}
    if window.state is WindowState.PROPOSED and agreed < SIDES:
        raise Refused("the other side has to agree to what you proposed")
    state = WINDOW.after(window.state, WindowEvent.AGREE)
    return replace(window, state=state, agreed_by=agreed)


def start(window: Window, *, now: datetime, first_started_at: datetime | None = None) -> Window:
    """Start it now; the end is set for good.

    ``first_started_at`` is when an earlier window on the same model started, if one did: the 30
    days count from there, so that a second window is no extension.  Raises :class:`Refused` where
    they are over.
    """
    begins = _zoned(now)
    first = begins if first_started_at is None else min(_zoned(first_started_at), begins)
    ends = min(begins + window.length, first + LONGEST)
    state = WINDOW.after(window.state, WindowEvent.START)
    if ends <= begins:
        raise Refused(
            f"access to this model began on {first:%Y-%m-%d}: its {LONGEST.days} days are over"
        )
    return replace(window, state=state, starts_at=begins, ends_at=ends)


def pause(window: Window, *, by: Side, now: datetime) -> Window:
    """No access until it is resumed; the end stays where it is."""
    _must_run(window, now)
    state = WINDOW.after(window.state, WindowEvent.PAUSE)
    return replace(window, state=state, paused_by=window.paused_by | {_side(by)})


def resume(window: Window, *, by: Side, now: datetime) -> Window:
    """Take one's own pause back; the other side's stands."""
    _must_run(window, now)
    if window.state is WindowState.PAUSED and by not in window.paused_by:
        raise Refused("the other side has paused it, and resumes it")
    state = WINDOW.after(window.state, WindowEvent.RESUME)
    still = window.paused_by - {_side(by)}
    return replace(window, state=WindowState.PAUSED if still else state, paused_by=still)


def shorten(window: Window, ends_at: datetime, *, by: Side, now: datetime) -> Window:
    """Bring the end forward, to the present at the earliest.  Either side may, alone."""
    _side(by)
    _must_run(window, now)
    state = WINDOW.after(window.state, WindowEvent.SHORTEN)
    wanted = _zoned(ends_at)
    if window.ends_at is None or wanted >= window.ends_at:
        raise Refused("a window is made shorter, never longer")
    return replace(window, state=state, ends_at=max(wanted, _zoned(now)))


def end(window: Window, *, now: datetime) -> Window:
    """End it now, or note that it has ended: the end never moves to a later time."""
    state = WINDOW.after(window.state, WindowEvent.END)
    ends = window.ends_at
    if ends is not None:
        ends = min(ends, _zoned(now))
    return replace(window, state=state, ends_at=ends, paused_by=frozenset())


def is_open(window: Window, now: datetime) -> bool:
    """Whether there is access at a moment.

    1. It was started by agreement of both.  2. It is not paused and not ended.  3. The moment lies
    from its start to before its end, 4. and within 30 days of its start, whatever else is stored.
    """
    if window.starts_at is None or window.ends_at is None or not window.agreed_by >= SIDES:  # 1
        return False
    if window.state is not WindowState.RUNNING or window.paused_by:  # 2
        return False
    begins = _zoned(window.starts_at)
    return begins <= _zoned(now) < min(_zoned(window.ends_at), begins + LONGEST)  # 3, 4


def is_over(window: Window, now: datetime) -> bool:
    """Whether its end has come, noted or not."""
    if window.state is WindowState.ENDED:
        return True
    return window.ends_at is not None and _zoned(now) >= window.ends_at


def remaining(window: Window, now: datetime) -> timedelta:
    """How long until its end, paused or not; none before its start and after its end."""
    if window.ends_at is None or is_over(window, now):
        return timedelta(0)
    return window.ends_at - _zoned(now)


def _must_run(window: Window, now: datetime) -> None:
    if is_over(window, now):
        raise Refused("the window is over")


def _side(by: Side) -> Side:
    if by not in SIDES:
        raise Refused(f"that is for the developer or the office to do, not for the {by.value}")
    return by


def _zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example")
    return at.astimezone(UTC)
