"""The office's book keeps what a gateway relies on: each lot within the budget, each step once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from clearhouse.errors import Conflict
from clearhouse.office.access import actions, queries
from clearhouse.office.access.book import OfficeBook
from clearhouse.office.access.models import (
    AccessGrant,
    AccessUse,
    GatewayJournal,
    JournalLines,
    Loan,
)
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.protocol.access import Entry, Returned, Settled, Settlement, first_link, link
from clearhouse.protocol.grants import Amounts, Lot, Rates, Refusal, Why
from clearhouse.protocol.unusual_use import Consequence, Rule
from tests.office.access.people import NOW, Sides, issued, sides, terms

pytestmark = pytest.mark.django_db
MOST = Amounts(1, 100, 100)


@pytest.fixture
def people() -> Sides:
    return sides()


def granted(people: Sides, *, rules: dict[Rule, Consequence] | None = None, **changed: Any) -> str:
    """A grant on a new endpoint."""
    owner = people.developer.acting_for()
    opened = actions.open_endpoint(
        people.developer, owner, terms(consequences=rules or {}, hours=[11, 12]), now=NOW
    )
    return issued(people.developer, opened.name, **changed).grant.name


class Written:
    """A journal as a gateway writes it."""

    def __init__(self, grant: str, name: str = "J-1") -> None:
        self.name, self.grant = name, grant
        self.head, self.number, self.step, self.uses = first_link(name), 0, 0, 0

    def line(self, document: dict[str, object]) -> Entry:
        raw = json.dumps(document).encode()
        self.head, self.number = link(self.head, raw), self.number + 1
        return Entry(self.number, raw, self.head)

    def settlement(self, uses: int, *, returned: tuple[Returned, ...] = ()) -> Settlement:
        """A step with so many uses."""
        entries, settled = [], []
        for _ in range(uses):
            self.uses += 1
            use = f"U-{self.name}-{self.uses}"
            entries.append(self.line(
                {"t": "begin", "use": use, "grant": self.grant, "most": [1, 100, 100],
                 "request": "ab"}
            ))  # fmt: skip
            entries.append(self.line(
                {"t": "end", "use": use, "spent": [1, 10, 20], "outcome": "answered"}
            ))  # fmt: skip
            settled.append(
                Settled(use, self.grant, NOW, NOW, Amounts(1, 10, 20), "messages", "m",
                        "answered", "ab", "cd", "127.0.0.1")
            )  # fmt: skip
        self.step += 1
        return Settlement(self.name, self.step, entries, settled, returned)


def lent(journal: str, grant: str, *, most: Amounts = MOST, streams: int = 0) -> Lot:
    found = OfficeBook().lease(journal, grant, most, streams, NOW)
    assert isinstance(found, Lot)
    return found


def test_lots_never_come_to_more_than_the_budget(people: Sides) -> None:
    name = granted(people, budget=Amounts(20, 10**6, 10**6))
    total = 0
    for number in range(100):
        found = OfficeBook().lease(f"J-{number % 3}", name, MOST, 0, NOW)
        if isinstance(found, Refusal):
            assert found.why is Why.REQUESTS
            break
        total += found.amounts.requests
    assert total == 20


def test_rates_are_of_one_minute_for_all_processes(people: Sides) -> None:
    name = granted(people, rates=Rates(3, 10**6, 1))
    book = OfficeBook()
    for number in range(3):
        lent(f"J-{number}", name)
    no = book.lease("J-9", name, MOST, 0, NOW)
    assert isinstance(no, Refusal)
    assert no.why is Why.REQUESTS_RATE
    assert isinstance(book.lease("J-9", name, MOST, 0, NOW + timedelta(minutes=1)), Lot)
    lent("J-1", name, streams=1, most=Amounts())
    full = book.lease("J-2", name, Amounts(), 1, NOW)
    assert isinstance(full, Refusal)
    assert full.why is Why.STREAMS


def test_a_clock_that_is_put_back_gives_nothing_back(people: Sides) -> None:
    name = granted(people)
    book = OfficeBook()
    over = NOW + timedelta(days=2)
    assert isinstance(book.lease("J-1", name, MOST, 0, over), Refusal)
    no = book.lease("J-1", name, MOST, 0, NOW)
    assert isinstance(no, Refusal)
    assert no.why is Why.ENDED


def test_a_step_is_taken_once_and_what_was_lent_is_spent(people: Sides) -> None:
    name = granted(people)
    book, written = OfficeBook(), Written(name)
    lot = lent(written.name, name)
    step = written.settlement(3)
    for _ in range(2):
        book.settle(step, NOW)
    row = AccessGrant.objects.get(name=name)
    assert (row.spent_requests, row.spent_tokens, row.spent_micros) == (3, 30, 60)
    loan = Loan.objects.get()
    assert loan.requests == lot.amounts.requests - 3
    assert loan.tokens == lot.amounts.tokens - 30
    assert book.position(written.name) == 6
    left = Returned(name, lot.amounts - Amounts(3, 30, 60), 0, lot.minute)
    book.settle(written.settlement(0, returned=(left,)), NOW)
    loan.refresh_from_db()
    assert (loan.requests, loan.tokens, loan.micros) == (0, 0, 0)
    row.refresh_from_db()
    assert row.minute_requests == 3
    seen, _ = queries.uses(people.party, name)
    assert [one.row.outcome for one in seen] == ["answered"] * 3
    assert list(contradictions()) == []


def test_the_rest_of_a_dead_process_is_taken_once_and_its_loans_end(people: Sides) -> None:
    name = granted(people)
    book, written = OfficeBook(), Written(name)
    lent(written.name, name)
    book.settle(written.settlement(2), NOW)
    rest = written.settlement(1)
    for _ in range(2):
        book.close(Settlement(written.name, 0, rest.entries, rest.settled), NOW)
    assert AccessUse.objects.count() == 3
    assert Loan.objects.count() == 0
    assert AccessGrant.objects.get(name=name).spent_requests == 3
    assert GatewayJournal.objects.get().noted == 6
    assert list(contradictions()) == []


def test_lines_that_do_not_continue_are_not_taken(people: Sides) -> None:
    written = Written(granted(people))
    written.settlement(1)
    with pytest.raises(Conflict):
        OfficeBook().settle(written.settlement(1), NOW)
    assert AccessUse.objects.count() == 0


def test_unusual_use_is_told_to_both_sides_and_cuts_where_the_developer_said_so(
    people: Sides,
) -> None:
    told = granted(people)
    cut = granted(people, rules={Rule.CANARY: Consequence.CUT})
    book = OfficeBook()
    for name in (told, cut):
        book.alert(name, Rule.CANARY, "a planted text stands in an answer", NOW)
    for viewer in (people.developer, people.party, people.office):
        assert {(one.grant.name, one.cut) for one in queries.alerts(viewer)} == {
            (told, False), (cut, True)
        }  # fmt: skip
    assert queries.alerts(people.other) == []
    rows = {one.name: one.paused_at for one in AccessGrant.objects.all()}
    assert rows == {told: None, cut: NOW}
    assert list(contradictions()) == []


def test_use_outside_of_the_agreed_hours_is_told_once_an_hour(people: Sides) -> None:
    name = granted(people)
    written, book = Written(name), OfficeBook()
    lent(written.name, name)
    late = NOW + timedelta(hours=3)
    for minutes in (0, 1, 61):
        book.settle(written.settlement(1), late + timedelta(minutes=minutes))
    rules = [one.rule for one in queries.alerts(people.developer)]
    assert rules == [Rule.HOURS.value] * 2


ALTERED = [
    (AccessGrant, {"ends_at": NOW + timedelta(days=29)}, "another end"),
    (AccessGrant, {"requests": 10**9}, "other terms"),
    (AccessGrant, {"networks": ["0.0.0.0/0"]}, "other terms"),
    (AccessGrant, {"starts_at": NOW - timedelta(days=9)}, "another start"),
    (AccessGrant, {"revoked_at": NOW}, "without an entry"),
    (AccessGrant, {"paused_at": None}, "an entry says it is paused"),
    (AccessUse, {"tokens": 1}, "says else"),
    (AccessUse, {"request_digest": "ef"}, "says else"),
    (JournalLines, {"first": 9}, "not what was written"),
    (JournalLines, {"raw": b'{"t":"begin","use":"U-9"}\n'}, "gone"),
    (GatewayJournal, {"head": "00"}, "gone"),
]


@pytest.mark.parametrize(("model", "values", "says"), ALTERED)
def test_a_row_that_was_altered_behind_the_ledgers_back_is_found(
    people: Sides, model: type, values: dict[str, object], says: str
) -> None:
    name = granted(people)
    written = Written(name)
    lent(written.name, name)
    OfficeBook().settle(written.settlement(2), NOW)
    actions.pause(people.developer, name, now=NOW)
    assert list(contradictions()) == []
    model.objects.all().update(**values)  # type: ignore[attr-defined]
    found = [str(one) for one in contradictions()]
    assert any(says in one for one in found), found


def test_a_use_that_was_taken_away_is_found(people: Sides) -> None:
    name = granted(people)
    written = Written(name)
    lent(written.name, name)
    OfficeBook().settle(written.settlement(2), NOW)
    AccessUse.objects.first().delete()  # type: ignore[union-attr]
    assert any("it is gone" in str(one) for one in contradictions())
