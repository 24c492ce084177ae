"""Any sequence of inventories, statements, evidence, answers, time and killed jobs.

What is stored equals what the pure machine says of the same events; looked at again nothing
happens; a job that was killed leaves nothing, and is made up for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearhouse.errors import ClearhouseError, Conflict, Refused
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.actions.clock import remind
from clearhouse.office.directives.actions.deriving import DERIVE, derive, mark
from clearhouse.office.directives.actions.evidence import answer, hand_in
from clearhouse.office.directives.actions.issuing import end
from clearhouse.office.directives.models import DirectiveRow, Evidence, ObligationRow
from clearhouse.office.directives.stored import directive_of, obligation_of
from clearhouse.office.inventories.actions.stating import hand_in_statements, withdraw_statements
from clearhouse.office.inventories.models import OwnStatements, System
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.queue.models import Job
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.deadlines import Due
from clearhouse.protocol.directives.directive import Demand, Way
from clearhouse.protocol.directives.events import (
    Accept,
    Clock,
    End,
    Event,
    HandIn,
    Refuse,
    SeenAgain,
    State,
)
from clearhouse.protocol.directives.obligation import Obligation, oblige, step
from clearhouse.protocol.directives.selection import Applies
from tests.office.directives.made import (
    DAY,
    NOW,
    a_system,
    agency,
    hospital,
    in_force,
    installed,
    kev,
    known,
    record,
    vex,
)
from tests.office.directives.proved import CVE, published, ran, work_off
from tests.office.rolled_back import rolled_back

pytestmark = pytest.mark.django_db

_VECTOR: Final = "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:H/I:H/A:H"
#: What BOD 26-04 gives for it on a system that the internet reaches.
_GIVEN: Final = 14 * DAY
_DEEDS: Final = (
    "affected", "affected", "fixed", "fixed", "state", "withdraw", "removed", "accepted",
    "accept", "refuse", "week", "again", "killed", "end", "proved", "proved",
)  # fmt: skip


@dataclass
class Told:
    """The pure side: what is there, and the obligation by the machine alone."""

    issued: datetime
    affected: bool = False
    detected: datetime = NOW
    installed_at: datetime = NOW
    proved_at: datetime | None = None
    is_stated: bool = False
    is_over: bool = False
    obligation: Obligation | None = None
    row: DirectiveRow | None = field(default=None, repr=False)

    def does(self, event: Event, now: datetime) -> None:
        assert self.obligation is not None
        self.obligation = step(self.obligation, event, now).obligation

    def looks(self, now: datetime) -> None:
        """What the newest look at the system makes of it."""
        due = max(self.detected, self.issued) + _GIVEN
        there = self.affected and not self.is_stated
        if self.obligation is None:
            if there and not self.is_over:
                assert self.row is not None
                asked = Demand(Applies.YES, frozenset(), Due(due, due - _GIVEN, "because"))
                self.obligation = oblige(directive_of(self.row), asked).obligation
            return
        state, way = self.obligation.state, self.obligation.way
        if state in (State.OPEN, State.HANDED_IN) and not there:
            self.does(HandIn(Way.VEX if self.affected else Way.INVENTORY), now)
            self.does(Accept("by rule"), now)
        elif state in (State.OPEN, State.HANDED_IN):
            self._is_proved(now)
        elif state is State.COMPLETED and there and self._sees_again(way):
            self.does(SeenAgain(due, "seen again"), now)
            self._is_proved(now)

    def _is_proved(self, now: datetime) -> None:
        """What proofs did not show on the affected version once, they are known not to show."""
        if self.proved_at is not None:
            self.does(HandIn(Way.PROOF, max(self.proved_at, self.installed_at)), now)
            self.does(Accept("by rule"), now)

    def _sees_again(self, way: Way | None) -> bool:
        assert self.obligation is not None
        handed_in = self.obligation.handed_in_at
        if way is Way.REMOVED:
            return handed_in is not None and self.installed_at > handed_in
        return way not in (Way.ACCEPTED, Way.PROOF)


@dataclass
class Office:
    """The stored side."""

    deployer: Viewer
    authority: Viewer
    system: System
    row: DirectiveRow

    def obligation(self) -> ObligationRow | None:
        return ObligationRow.objects.first()


def begun() -> tuple[Office, Told]:
    deployer, authority = hospital(), agency()
    system = a_system(deployer)
    severity = [{"type": "CVSS_V3", "score": _VECTOR}]
    known(record("PYSEC-1", "ecdsa", aliases=[CVE], severity=severity), kev())
    row = in_force(authority)
    return Office(deployer, authority, system, row), Told(directive_of(row).issued, row=row)


def done(office: Office, told: Told, deed: str, now: datetime) -> None:
    """Do it on both sides; what is refused on one is refused on the other."""
    row = office.obligation()
    match deed:
        case "affected" | "fixed":
            is_affected = deed == "affected"
            version = "1.0" if is_affected else "2.0"
            installed(office.deployer, office.system, f"ecdsa=={version}", now=now)
            if is_affected and not told.affected:
                told.detected = now
            told.affected, told.installed_at = is_affected, now
        case "state" if not told.is_stated:
            raw = vex(CVE, "ecdsa", "1.0")
            hand_in_statements(office.deployer, office.system.name, raw, file="v.json", now=now)
            told.is_stated = True
        case "withdraw" if told.is_stated:
            name = OwnStatements.objects.get(withdrawn_at=None).name
            withdraw_statements(office.deployer, name, now=now)
            told.is_stated = False
        case "removed" | "accepted" if row is not None:
            both(lambda: hand_in(office.deployer, row.name, deed, "So it is.", now=now),
                 lambda: told.does(HandIn(Way(deed)), now))  # fmt: skip
        case "accept" | "refuse" if row is not None:
            event = Accept("Because.") if deed == "accept" else Refuse("Because.")
            both(lambda: answer(office.authority, row.name, deed, "Because.", now=now),
                 lambda: told.does(event, now))  # fmt: skip
        case "proved" if row is not None:
            try:
                with transaction.atomic():
                    run = proving.ask(office.deployer, row.name, now=now)
            except (Refused, Conflict):
                return
            told.proved_at = now
            ran(run, now)
        case "end" if not told.is_over:
            end(office.authority, office.row.name, "It is over.", now=now)
            told.is_over = True
        case "killed":
            mark([office.system.pk], now=now)
            with rolled_back():
                derive(office.system.pk, now=now)
        case _:
            mark([office.system.pk], now=now)


def both(stored: object, pure: object) -> None:
    """Either both go through, or both are refused."""
    said = []
    for act in (stored, pure):
        assert callable(act)
        try:
            with transaction.atomic():
                act()
        except Refused as error:
            said.append(str(error))
        else:
            said.append("")
    assert bool(said[0]) is bool(said[1]), said


def compare(told: Told) -> None:
    rows = list(ObligationRow.objects.all())
    if told.obligation is None:
        assert not rows
        return
    [row] = rows
    stored = obligation_of(row, directive_of(DirectiveRow.objects.get()))
    pairs = [[(one.before, one.after) for one in each.moves] for each in (stored, told.obligation)]
    assert pairs[0] == pairs[1]
    assert replace(stored, moves=()) == replace(told.obligation, moves=())


@pytest.mark.slow
@given(st.lists(st.sampled_from(_DEEDS), min_size=3, max_size=9))
@example(["removed", "accept", "again", "affected"])
@example(["removed", "accept", "fixed", "affected", "week", "end"])
@example(["accepted", "accept", "fixed", "affected", "end"])
@example(["proved", "fixed", "affected", "removed", "end"])
@example(["fixed", "affected", "removed", "proved", "state", "withdraw"])
@example(["fixed", "affected", "proved", "fixed", "affected", "end"])
@example(["removed", "refuse", "state", "withdraw", "killed", "fixed"])
@settings(max_examples=20)
def test_what_is_stored_is_what_the_machine_says(deeds: list[str]) -> None:
    with rolled_back():
        office, told = begun()
        published()
        now = NOW
        for deed in ("affected", *deeds):
            now += 7 * DAY if deed == "week" else DAY
            done(office, told, deed, now)
            work_off(now)
            told.looks(now)
            if told.is_over and told.obligation is not None:
                try:
                    told.does(End("It is over."), now)
                except ClearhouseError:
                    assert told.obligation.state in (State.CLOSED, State.WITHDRAWN)
            remind(now)
            if told.obligation is not None:
                told.does(Clock(), now)
            compare(told)
        entries, handed_in = LedgerEntry.objects.count(), Evidence.objects.count()
        mark([office.system.pk], now=now)
        work_off(now)
        assert (LedgerEntry.objects.count(), Evidence.objects.count()) == (entries, handed_in)
        assert not Job.objects.filter(kind=DERIVE).exclude(state=Job.State.DONE).exists()
        assert not list(contradictions())
