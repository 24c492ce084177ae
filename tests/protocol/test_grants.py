"""Grants: what is empty allows nothing, and no sequence of events gives access past its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clearhouse.errors import Invalid, Refused
from clearhouse.protocol import grants
from clearhouse.protocol.grants import (
    LONGEST,
    Admitted,
    Amounts,
    Ask,
    Call,
    Grant,
    Lot,
    Rates,
    Refusal,
    Seen,
    Use,
    Why,
    Window,
    admit,
    lot,
    stands,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = Amounts()
ZONES = st.sampled_from(
    [UTC, *(ZoneInfo(one) for one in ("Europe/Berlin", "America/New_York", "Pacific/Apia"))]
)
EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
TIMES = st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=ZONES)


def whole(**changed: object) -> Grant:
    """A grant that allows something of everything."""
    one = Grant(
        "G-1", "party", frozenset({"m"}), frozenset({Call.CHAT_COMPLETIONS}),
        Window(START, START + LONGEST), Amounts(10, 1000, 1000), Rates(5, 500, 2),
        (ip_network("192.0.2.0/24"),),
    )  # fmt: skip
    return replace(one, **changed)  # type: ignore[arg-type]


def unused(seen: datetime = START) -> Use:
    return Use(NOTHING, NOTHING, 0, seen)


ASK = Ask(Call.CHAT_COMPLETIONS, "m", ip_address("192.0.2.1"), Amounts(1, 100, 100), 1)


@given(TIMES, TIMES)
def test_no_window_is_longer_than_thirty_days_in_any_zone(start: datetime, end: datetime) -> None:
    try:
        window = Window(start, end)
    except Invalid:
        return
    # Elapsed time, as seconds since 1970 count it.
    assert 0 < window.end.timestamp() - window.start.timestamp() <= LONGEST.total_seconds()


def test_a_change_of_hours_makes_no_window_longer() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 1, tzinfo=berlin)
    assert start + LONGEST - start == LONGEST
    with pytest.raises(Invalid, match="30 days"):
        Window(start, start + LONGEST)  # an hour more than 30 days: clocks went back


@given(TIMES, st.timedeltas(timedelta(microseconds=1), LONGEST), st.lists(TIMES, max_size=5))
def test_a_window_only_gets_shorter(
    start: datetime, length: timedelta, ends: list[datetime]
) -> None:
    try:
        window = first = Window(start, start.astimezone(UTC) + length)
    except (Invalid, OverflowError):
        return
    for end in ends:
        try:
            window = window.shortened(end)
        except (Refused, OverflowError):
            continue
        assert window.start == first.start
        assert window.end <= first.end


@pytest.mark.parametrize(
    ("changed", "ask", "used", "why"),
    [
        ({"revoked_at": START}, {}, {}, Why.REVOKED),
        ({"withdrawn_at": START}, {}, {}, Why.WITHDRAWN),
        ({"window": Window(START + timedelta(days=1), START + LONGEST)}, {}, {}, Why.NOT_BEGUN),
        ({}, {}, {"seen": START + LONGEST}, Why.ENDED),
        ({"paused_at": START}, {}, {}, Why.PAUSED),
        ({"networks": ()}, {}, {}, Why.ADDRESS),
        ({}, {"address": ip_address("198.51.100.1")}, {}, Why.ADDRESS),
        ({}, {"address": ip_address("::1")}, {}, Why.ADDRESS),
        ({"calls": frozenset()}, {}, {}, Why.CALL),
        ({"models": frozenset()}, {}, {}, Why.MODEL),
        ({}, {"model": "M"}, {}, Why.MODEL),
        ({}, {"model": None}, {}, Why.MODEL),
        ({"rates": Rates()}, {}, {}, Why.STREAMS),
        ({"rates": Rates(0, 500, 2)}, {}, {}, Why.REQUESTS_RATE),
        ({"rates": Rates(5, 99, 2)}, {}, {}, Why.TOKENS_RATE),
        ({}, {}, {"streams": 2}, Why.STREAMS),
        ({}, {}, {"minute": Amounts(5)}, Why.REQUESTS_RATE),
        ({}, {}, {"minute": Amounts(0, 401)}, Why.TOKENS_RATE),
        ({"budget": Amounts()}, {}, {}, Why.REQUESTS),
        ({}, {}, {"spent": Amounts(10)}, Why.REQUESTS),
        ({}, {}, {"spent": Amounts(0, 901)}, Why.TOKENS),
        ({}, {}, {"spent": Amounts(0, 0, 901)}, Why.MONEY),
    ],
)
def test_each_rule_refuses_by_itself(
    changed: dict[str, object], ask: dict[str, object], used: dict[str, object], why: Why
) -> None:
    asked = replace(ASK, **ask)  # type: ignore[arg-type]
    gone = replace(unused(), **used)  # type: ignore[arg-type]
    assert isinstance(admit(whole(), ASK, unused(), START), Admitted)
    no = admit(whole(**changed), asked, gone, START)
    assert isinstance(no, Refusal)
    assert no.why is why
    assert no.says


AMOUNTS = st.builds(Amounts, *(st.integers(0, 300) for _ in range(3)))


@given(AMOUNTS, AMOUNTS, st.integers(0, 3), AMOUNTS)
def test_a_lot_stays_within_what_is_left_and_lets_its_request_in(
    budget: Amounts, spent: Amounts, streams: int, most: Amounts
) -> None:
    grant = whole(budget=budget)
    used = Use(spent, NOTHING, streams, START)
    lent = lot(grant, most, 1, used, START)
    decided = admit(grant, replace(ASK, most=most), used, START)
    assert isinstance(lent, Lot) is isinstance(decided, Admitted)
    if isinstance(lent, Lot):
        gone = spent + lent.amounts
        assert gone.requests <= budget.requests
        assert gone.tokens <= budget.tokens
        assert gone.micros <= budget.micros
        assert lent.amounts.requests >= most.requests
        assert lent.streams + streams <= grant.rates.streams


def test_values_from_outside_are_checked() -> None:
    good = {"models": ["m"], "budget": Amounts(), "rates": Rates(), "networks": ["10.0.0.0/8"]}
    assert grants.checked(**good) == (ip_network("10.0.0.0/8"),)  # type: ignore[arg-type]
    for bad in (
        {"budget": Amounts(-1)},
        {"rates": Rates(2**60)},
        {"networks": ["10.0.0.1/8"]},
        {"models": [""]},
    ):
        with pytest.raises(Invalid):
            grants.checked(**{**good, **bad})  # type: ignore[arg-type]


class Access(RuleBasedStateMachine):
    """Everything that can happen to a grant, with a clock that lies and a time that does not.

    ``true`` is the time that really passes; ``wall`` is what the clock shows, right at first and
    then put back or forward at will.  A grant is looked at through :class:`Seen`, as a gateway
    process does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.true = START
        self.off = timedelta()
        self.grant = whole(budget=Amounts(10**6, 10**9, 10**9), rates=Rates(10**6, 10**9, 10))
        self.last_end = self.grant.window.end
        self.seen = Seen(START, 0.0)
        self.ended = False
        self.finally_ended = False

    def now(self) -> datetime:
        seconds = (self.true - START).total_seconds()
        at = self.seen.now(self.true + self.off, seconds)
        self.seen = Seen(at, seconds)
        return at

    @rule(hours=st.integers(0, 24 * 8))
    def time_passes(self, hours: int) -> None:
        self.true += timedelta(hours=hours)

    @rule(hours=st.integers(-24 * 60, 24 * 60))
    def the_clock_is_put_elsewhere(self, hours: int) -> None:
        self.off = timedelta(hours=hours)

    @rule()
    def it_is_paused(self) -> None:
        self.grant = grants.paused(self.grant, self.now())

    @rule()
    def it_is_resumed(self) -> None:
        self.grant = grants.resumed(self.grant)

    @rule(hours=st.integers(-24 * 40, 24 * 40))
    def somebody_moves_its_end(self, hours: int) -> None:
        end = self.true + timedelta(hours=hours)
        try:
            self.grant = grants.shortened(self.grant, end)
        except Refused:
            assert end > self.last_end
        else:
            assert self.grant.window.end <= self.last_end
            self.last_end = self.grant.window.end

    @precondition(lambda self: not self.finally_ended)
    @rule(how=st.sampled_from([grants.revoked, grants.withdrawn]))
    def it_is_ended_for_good(self, how: object) -> None:
        self.grant = how(self.grant, self.now())  # type: ignore[operator]
        self.finally_ended = True

    @invariant()
    def nothing_gives_access_past_the_end(self) -> None:
        now = self.now()
        decided = admit(self.grant, ASK, unused(self.seen.at), now)
        running = stands(self.grant, now)
        assert isinstance(decided, Admitted) is (running is None)
        if isinstance(decided, Admitted):
            assert decided.until == self.last_end
            assert self.true < self.last_end <= START + LONGEST
            assert not self.finally_ended
            assert not self.ended
            assert self.grant.paused_at is None
        elif running is not None and running.why in (Why.ENDED, Why.REVOKED, Why.WITHDRAWN):
            self.ended = True  # for good, whatever the clock shows later

    @invariant()
    def what_has_ended_is_lent_nothing(self) -> None:
        lent = lot(self.grant, Amounts(1), 0, unused(self.seen.at), self.now())
        assert isinstance(lent, Lot) is (stands(self.grant, self.seen.at) is None)


TestAccess = Access.TestCase
