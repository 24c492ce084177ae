"""A book in memory: the port's rules without a database, for tests of what stands on them."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from clearhouse.errors import Unavailable
from clearhouse.protocol import grants
from clearhouse.protocol.access import Access, Changes, Keyed, Settled, Settlement, Upstream
from clearhouse.protocol.grants import Amounts, Call, Grant, Lot, Rates, Refusal, Use, Window
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule, consequence

CREDENTIAL = "sk-developers-own-0123456789"
PLENTY = 10**9


def a_grant(name: str = "G-1", **changed: object) -> Grant:
    """A grant that allows a lot, for a day."""
    start = datetime.now(UTC) - timedelta(hours=1)
    whole = Grant(
        name,
        "party",
        frozenset({"m"}),
        frozenset(Call),
        Window(start, start + timedelta(days=1)),
        Amounts(PLENTY, PLENTY, PLENTY),
        Rates(PLENTY, PLENTY, PLENTY),
        (ip_network("127.0.0.0/8"),),
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


def an_upstream(address: str, **changed: object) -> Upstream:
    """A developer's endpoint at that address."""
    prices = {"m": Price(read=1_000_000, written=2_000_000, longest=1000)}
    whole = Upstream("E-1", address, Keyed.BEARER, CREDENTIAL, prices)
    return replace(whole, **changed)  # type: ignore[arg-type]


@dataclass
class Account:
    """What of a grant is gone."""

    spent: Amounts = field(default_factory=Amounts)
    lent: dict[str, Amounts] = field(default_factory=lambda: defaultdict(Amounts))
    slots: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    minute: int = 0
    in_minute: Amounts = field(default_factory=Amounts)


class MemoryBook:
    """All of it under one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.number = 0
        self.rows: dict[str, tuple[int, Access]] = {}
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.settled: list[Settled] = []
        self.steps: dict[str, int] = defaultdict(int)
        self.positions: dict[str, int] = defaultdict(int)
        self.closed: set[str] = set()
        self.alerts: list[tuple[str, Rule, str]] = []
        self.leases = 0
        self.out_of_order = False

    def put(self, grant: Grant, upstream: Upstream, token: str) -> None:
        """Issue a grant, or change it."""
        with self.lock:
            self.number += 1
            access = Access(grant, self.token_digest(token), upstream, datetime.now(UTC))
            self.rows[grant.name] = self.number, access

    def change(self, name: str, how: Callable[[Grant], Grant]) -> None:
        """Change a grant."""
        with self.lock:
            self.number += 1
            access = self.rows[name][1]
            self.rows[name] = self.number, replace(access, grant=how(access.grant))

    def token_digest(self, token: str) -> bytes:
        return hashlib.sha256(token.encode()).digest()

    def changes(self, since: int) -> Changes:
        self._works()
        with self.lock:
            new = [access for number, access in self.rows.values() if number > since]
            return Changes(self.number, new)

    def lease(
        self, journal: str, grant: str, most: Amounts, streams: int, now: datetime
    ) -> Lot | Refusal:
        self._works()
        with self.lock:
            self.leases += 1
            one, account = self.rows[grant][1].grant, self.accounts[grant]
            if account.minute != grants.minute_of(now):
                account.minute, account.in_minute = grants.minute_of(now), Amounts()
            gone = sum(account.lent.values(), account.spent)
            used = Use(gone, account.in_minute, sum(account.slots.values()), now)
            lent = grants.lot(one, most, streams, used, now)
            if isinstance(lent, Lot):
                account.lent[journal] += lent.amounts
                account.slots[journal] += lent.streams
                account.in_minute += lent.amounts
            return lent

    def settle(self, settlement: Settlement, now: datetime) -> None:
        self._works()
        with self.lock:
            if settlement.step <= self.steps[settlement.journal]:
                return
            self.steps[settlement.journal] = settlement.step
            self._take(settlement)
            for back in settlement.returned:
                account = self.accounts[back.grant]
                account.lent[settlement.journal] -= back.amounts
                account.slots[settlement.journal] -= back.streams
                if back.minute == account.minute:
                    account.in_minute -= back.amounts

    def _take(self, settlement: Settlement) -> None:
        there = {one.use for one in self.settled}
        for one in settlement.settled:
            if one.use not in there:
                self.settled.append(one)
                account = self.accounts[one.grant]
                account.spent += one.spent
                account.lent[settlement.journal] -= one.spent
        for entry in settlement.entries:
            assert entry.number == self.positions[settlement.journal] + 1
            self.positions[settlement.journal] = entry.number

    def position(self, journal: str) -> int:
        self._works()
        return self.positions[journal]

    def close(self, settlement: Settlement, now: datetime) -> None:
        self._works()
        with self.lock:
            if settlement.journal not in self.closed:
                self._take(settlement)
                self.closed.add(settlement.journal)
                for account in self.accounts.values():
                    account.lent.pop(settlement.journal, None)
                    account.slots.pop(settlement.journal, None)

    def alert(self, grant: str, rule: Rule, says: str, now: datetime) -> None:
        self._works()
        with self.lock:
            self.alerts.append((grant, rule, says))
            chosen = self.rows[grant][1].upstream.consequences
            if consequence(chosen, rule) is Consequence.CUT:
                self.change(grant, lambda one: grants.paused(one, now))

    def _works(self) -> None:
        if self.out_of_order:
            raise Unavailable("the book is out of order")
