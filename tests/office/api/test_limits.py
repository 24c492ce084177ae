"""How often somebody may ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.office.api import gate, limits
from clearhouse.office.api.limits import (
    ANYBODY,
    Counter,
    Policy,
    TooMany,
    filled,
    network_of,
    take_lot,
)
from clearhouse.office.api.models import Allowance
from clearhouse.protocol.roles import Role
from tests.office.api.caller import caller, said

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SMALL = Policy("small", burst=50, per_second=2.0)


def _taken(counters: list[Counter], times: int, *, now: datetime) -> int:
    count = 0
    for number in range(times):
        try:
            counters[number % len(counters)].take("somebody", SMALL, now=now)
        except TooMany:
            continue
        count += 1
    return count


@given(tokens=st.floats(0, 50), first=st.floats(-100, 100), second=st.floats(0, 100))
def test_a_bucket_never_holds_more_than_it_can_and_never_loses(
    tokens: float, first: float, second: float
) -> None:
    once = filled(tokens, timedelta(seconds=first), SMALL)
    assert tokens <= once <= SMALL.burst
    assert filled(once, timedelta(seconds=second), SMALL) >= once


@pytest.mark.django_db
@pytest.mark.parametrize("processes", [1, 2, 5])
def test_all_processes_together_give_no_more_than_the_bucket_has(processes: int) -> None:
    counters = [Counter() for _ in range(processes)]
    assert _taken(counters, 400, now=NOW) == SMALL.burst
    assert _taken(counters, 400, now=NOW + timedelta(seconds=10)) == 20


@pytest.mark.django_db
def test_most_requests_cost_no_write(django_assert_max_num_queries: object) -> None:
    counter = Counter()
    counter.take("somebody", SMALL, now=NOW)
    with django_assert_max_num_queries(0):  # type: ignore[operator]
        for _ in range(19):
            counter.take("somebody", SMALL, now=NOW)


@pytest.mark.django_db
def test_who_is_told_to_wait_gets_in_after_that_time() -> None:
    counter = Counter()
    _taken([counter], 60, now=NOW)
    with pytest.raises(TooMany) as told:
        counter.take("somebody", SMALL, now=NOW)
    assert counter.take("somebody", SMALL, now=NOW + timedelta(seconds=told.value.wait)).tokens >= 0


@pytest.mark.django_db
def test_one_that_asks_too_often_holds_up_nobody_else() -> None:
    counter = Counter()
    _taken([counter], 60, now=NOW)
    assert counter.take("another", SMALL, now=NOW).tokens == SMALL.burst - 1


@pytest.mark.django_db
def test_answers_say_what_is_left_and_when_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Client().get("/api/ledger/entries?subject=x")
    assert found.headers["RateLimit-Policy"] == '"address";q=240;w=60'
    assert found.headers["RateLimit"].startswith('"address";r=239;')
    while found.status_code == 200:
        found = Client().get("/api/ledger/entries?subject=x")
    problem = said(found, 429)
    assert 1 <= int(found.headers["Retry-After"]) <= 60
    assert "seconds" in problem["detail"]
    finder = caller("hexfind", Role.FINDER)
    assert finder.get("/findings").headers["RateLimit-Policy"] == '"organisation";q=1200;w=60'


@pytest.mark.slow
@pytest.mark.django_db
def test_guesses_at_keys_are_counted_by_address() -> None:
    guess = {"Authorization": "Bearer chk_guess"}
    found = [
        Client().get("/api/findings", headers=guess).status_code for _ in range(2 * ANYBODY.burst)
    ]
    assert found[: ANYBODY.burst] == [401] * ANYBODY.burst
    assert 429 in found


@pytest.mark.django_db
def test_the_database_does_not_say_who_asked() -> None:
    Client().get("/api/ledger/entries?subject=x", REMOTE_ADDR="192.0.2.7")
    [row] = Allowance.objects.all()
    assert "192.0.2.7" not in row.who
    assert limits.forget(now=row.at + timedelta(hours=1)) == 1


@pytest.mark.django_db
def test_a_bucket_gives_what_it_has_and_no_more() -> None:
    given_out = [take_lot("w", SMALL, now=NOW)[0] for _ in range(4)]
    assert given_out == [20, 20, 10, 0]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_is_counted_by_what_one_has_of_it(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_policies_are_generous_for_members() -> None:
    assert limits.MEMBERS.burst > ANYBODY.burst
    assert isinstance(gate._counter, Counter)
