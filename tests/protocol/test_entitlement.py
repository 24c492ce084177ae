"""Every order of events of a small model: nobody has access past its end, or before its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol import partners, window
from clearhouse.protocol.entitlement import Facts, has_access, latest_end, part_of
from clearhouse.protocol.partners import Choice, Part
from clearhouse.protocol.review import BY, ReviewEvent, ReviewState, Side, after
from clearhouse.protocol.window import LONGEST, Window
from tests.protocol.test_partners import joined
from tests.protocol.test_window import DAY, DEV, OFFICE, T0, running

#: Steps of the model's clock, and when it stops.
STEP, STOP = 10 * DAY, T0 + 50 * DAY
NOTHING = Window()


@dataclass(frozen=True)
class World:
    """A review with one partner at a moment; ``cut_at`` is when somebody ended something.

    What is counted beside the rules: when the window started, and the earliest end of the
    government's and of the partner's access.
    """

    now: datetime = T0
    state: ReviewState = ReviewState.DRAFTED
    window: Window = NOTHING
    choice: Choice | None = None
    started: datetime | None = None
    cut_at: datetime | None = None
    partner_cut: bool = False

    def government(self, now: datetime) -> bool:
        return has_access(Facts(self.state, self.window, True), now)

    def partner(self, now: datetime) -> bool:
        if self.choice is None:
            return False
        return has_access(Facts(self.state, self.window, True, self.choice), now)


Step = Callable[[World], World]


def steps() -> Iterator[Step]:
    """Everything that can happen."""
    yield lambda w: replace(w, now=w.now + STEP)
    for event, sides in BY.items():
        if event not in (ReviewEvent.OPEN, ReviewEvent.END):
            for side in sorted(sides - {Side.CLOCK}):
                yield _moves(event, side)
    for side in (DEV, OFFICE):
        for days in (20, 30):
            yield lambda w, s=side, d=days: replace(  # type: ignore[misc] # bound at once
                w, window=window.propose(w.window, d * DAY, by=s)
            )
        yield lambda w, s=side: replace(w, window=window.agree(w.window, by=s))  # type: ignore[misc]
        yield lambda w, s=side: replace(w, window=window.pause(w.window, by=s, now=w.now))  # type: ignore[misc]
        yield lambda w, s=side: replace(w, window=window.resume(w.window, by=s, now=w.now))  # type: ignore[misc]
    yield _starts
    yield lambda w: replace(
        w,
        window=window.shorten(w.window, w.now + STEP / 2, by=DEV, now=w.now),
        cut_at=_earlier(w.cut_at, w.now + STEP / 2),
    )
    yield _ends
    yield lambda w: _fresh(w, partners.propose(Part.PARTNER, by=OFFICE, reason="r", conflicts=""))
    yield lambda w: replace(w, choice=partners.agree(_there(w), by=DEV, reason="r"))
    yield lambda w: replace(w, choice=partners.join(_there(w), conflicts="", now=w.now))
    yield lambda w: replace(w, choice=partners.revoke(_there(w)), partner_cut=True)


def _moves(event: ReviewEvent, side: Side) -> Step:
    def step(w: World) -> World:
        return replace(w, state=after(w.state, event, by=side))

    return step


def _starts(w: World) -> World:
    begun = window.start(w.window, now=w.now)
    state = after(w.state, ReviewEvent.OPEN, by=DEV)
    assert w.started is None
    return replace(w, state=state, window=begun, started=w.now)


def _ends(w: World) -> World:
    ended = window.end(w.window, now=w.now)
    return replace(w, window=ended, cut_at=_earlier(w.cut_at, w.now))


def _there(w: World) -> Choice:
    if w.choice is None:
        raise Refused("nobody")
    return w.choice


def _fresh(w: World, choice: Choice) -> World:
    if w.choice is not None:
        raise Refused("one is enough")
    return replace(w, choice=choice)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def test_no_order_of_events_gives_access_past_its_end_or_to_a_partner_first() -> None:
    every = list(steps())
    seen, left = {World()}, [World()]
    opened = shared = 0
    while left:
        here = left.pop()
        _hold(here)
        opened += here.government(here.now)
        shared += here.partner(here.now)
        for step in every:
            try:
                there = step(here)
            except (Refused, Invalid):
                continue
            if there not in seen and there.now <= STOP:
                seen.add(there)
                left.append(there)
    assert opened > 100, "the model does reach open windows"
    assert shared > 100, "and partners with access"


def _hold(w: World) -> None:
    """What has to be true of every world that can be reached, now and later."""
    for moment in (w.now, w.now + STEP / 2, w.now + STEP, w.now + 3 * STEP):
        if w.government(moment):
            assert w.started is not None
            assert w.started <= moment < w.started + LONGEST
            assert w.cut_at is None or moment < w.cut_at
            assert w.state is ReviewState.OPEN
            assert w.window.agreed_by == {DEV, OFFICE}
            assert latest_end(w.window) is not None
        if w.partner(moment):
            assert w.government(moment), "nobody has access that the government has not"
            assert w.started is not None
            assert moment > w.started
            assert not w.partner_cut
            assert _there(w).agreed_by == {DEV, OFFICE}
    if w.state is not ReviewState.WITHDRAWN:  # voluntary: one step, from everywhere
        gone = replace(w, state=after(w.state, ReviewEvent.WITHDRAW, by=DEV))
        assert not gone.government(w.now)
        assert not gone.partner(w.now)


def test_who_is_not_bound_by_the_terms_has_no_access() -> None:
    for choice in (None, joined()):
        facts = Facts(ReviewState.OPEN, running(), False, choice)
        assert not has_access(facts, T0 + DAY)
        assert has_access(replace(facts, is_bound=True), T0 + DAY)


def test_the_latest_end_is_known_once_it_started() -> None:
    assert latest_end(Window()) is None
    assert latest_end(running(7)) == T0 + 7 * DAY


def test_each_kind_of_party_has_a_name() -> None:
    assessor = replace(joined(), part=Part.ASSESSOR)
    assert {part_of(one) for one in (None, joined(), assessor)} == {
        "the government", "trusted partner", "third-party assessor",
    }  # fmt: skip
