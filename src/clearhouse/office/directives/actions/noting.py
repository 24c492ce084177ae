"""Keeping what has happened to obligations: rows, evidence, entries, news; all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from clearhouse.ledger.entry import JSON
from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.actions.news import tell_about
from clearhouse.office.directives.models import ACTIVE, Evidence, ObligationRow
from clearhouse.office.directives.stored import COLUMNS, obligation_of, put, time_text
from clearhouse.office.ledgerbook.actions import Decision, record_many
from clearhouse.protocol.directives.events import (
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
from clearhouse.protocol.directives.obligation import Obligation, oblige, step

OPENED: Final = "obligation.opened"
_BATCH: Final = 500
_REASON: Final = 1000
_TRIGGERS: Final[dict[type[Event], Trigger]] = {
    HandIn: Trigger.HAND_IN, Accept: Trigger.ACCEPT, Refuse: Trigger.REFUSE,
    SeenAgain: Trigger.SEEN_AGAIN, Lift: Trigger.LIFT, MoveDue: Trigger.MOVE_DUE,
    End: Trigger.END, Clock: Trigger.CLOCK,
}  # fmt: skip
#: Every kind of entry about an obligation.
KINDS: Final = (
    OPENED, *(f"obligation.{one.value}" for one in Trigger if one is not Trigger.CLOCK),
)  # fmt: skip
_COLUMNS: Final = (
    *COLUMNS, "exposure", "flaw", "ids", "applies", "because", "unanswered", "forensic",
    "changed_at", "entry",
)  # fmt: skip


def keep(changes: Sequence[Change], *, now: datetime) -> None:
    """Store what happens, as part of the caller's transaction.

    1. Each event is a step of the state machine and an entry.  2. What is over is written before
    what is open, so that no two are open for one flaw at any instant.  3. Evidence stands with who
    handed it in and what came of it.
    """
    wanted = [one for one in changes if _is_new(one) or one.events or _differs(one)]
    new = {one for one in wanted if _is_new(one)}
    for one in wanted:
        one.had_evidence = one.row.state == State.HANDED_IN
    moved = [_moved(one, now) for one in wanted]  # 1
    tell_about(wanted, now=now)
    entries = iter(record_many([each for made in moved for _, each in made], now=now))
    noted = [[(event, next(entries).index) for event, _ in made] for made in moved]
    for one, mine in zip(wanted, noted, strict=True):
        if mine:
            one.row.entry = mine[-1][1]
            one.row.changed_at = now
    _save(
        [one.row for one in wanted if one not in new], [one.row for one in wanted if one in new]
    )  # 2
    for one, mine in zip(wanted, noted, strict=True):
        _evidence(one, mine, now)  # 3
    Evidence.objects.bulk_create([each for one in wanted for each in one.came], batch_size=_BATCH)


def _is_new(one: Change) -> bool:
    return not one.row.state


def _moved(one: Change, now: datetime) -> list[tuple[Event | None, Decision]]:
    """What its row holds after each event, and the entries; None is for its beginning."""
    row = one.row
    found: list[tuple[Event | None, Decision]] = []
    if _is_new(one):
        assert one.asked is not None
        begun = oblige(one.directive, one.asked)
        value = begun.obligation
        one.news += begun.news
        facts: dict[str, JSON] = {"directive": row.directive.name, **_facts(value)}
        found.append((None, Decision(OPENED, row.name, facts)))
    else:
        value = obligation_of(row, one.directive)
    for event in one.events:
        made = step(value, event, now)
        value = made.obligation
        one.news += made.news
        if not isinstance(event, Clock):
            trigger = _TRIGGERS[type(event)]
            facts = _facts(value)
            if isinstance(event, HandIn):
                facts["way"] = event.way.value
                if one.document:
                    facts["reference"] = one.reference
            found.append((event, Decision(f"obligation.{trigger.value}", row.name, facts)))
    put(row, value)
    _rest(one)
    return found


def _facts(value: Obligation) -> dict[str, JSON]:
    return {"state": value.state.value, "due": time_text(value.due)}


def _rest(one: Change) -> None:
    """What is told beside the machine: names, whether it applies, why then, what is open."""
    row = one.row
    if one.touching is not None:
        row.exposure_id = one.touching.key
        row.flaw, row.ids = one.touching.flaw, list(one.touching.ids)
    if one.asked is not None:
        row.applies = one.asked.applies.value
        row.because = one.asked.due.because[:500]
        row.unanswered = sorted(one.asked.unanswered | one.asked.due.unanswered)
        row.forensic = one.asked.due.forensic


def _differs(one: Change) -> bool:
    """Whether what is told beside the machine has changed."""
    if one.touching is None or one.asked is None:
        return False
    row = one.row
    before = (
        row.exposure_id, row.flaw, row.ids, row.applies, row.because, row.unanswered, row.forensic,
    )  # fmt: skip
    asked, touching = one.asked, one.touching
    after = (
        touching.key, touching.flaw, list(touching.ids), asked.applies.value,
        asked.due.because[:500], sorted(asked.unanswered | asked.due.unanswered),
        asked.due.forensic,
    )  # fmt: skip
    return before != after


def _save(there: Sequence[ObligationRow], came: Sequence[ObligationRow]) -> None:
    over = [one for one in there if one.state not in ACTIVE]
    ObligationRow.objects.bulk_update(over, _COLUMNS, batch_size=_BATCH)
    active = [one for one in there if one.state in ACTIVE]
    ObligationRow.objects.bulk_update(active, _COLUMNS, batch_size=_BATCH)
    ObligationRow.objects.bulk_create(came, batch_size=_BATCH)


def _evidence(one: Change, entries: Sequence[tuple[Event | None, int]], now: datetime) -> None:
    """What was handed in stands in the change's ``came``; what waited before is answered."""
    for event, entry in entries:
        match event:
            case HandIn(way):
                if way.is_decided_by_rule:
                    _answer(one, verdict=Evidence.Verdict.OVERTAKEN)
                one.came.append(
                    Evidence(
                        obligation=one.row, way=way.value, text=one.text, reference=one.reference,
                        document=one.document, at=now, by=one.by, entry=entry,
                    )
                )  # fmt: skip
            case Accept(reason) | Refuse(reason):
                is_accepted = isinstance(event, Accept)
                verdict = Evidence.Verdict.ACCEPTED if is_accepted else Evidence.Verdict.REFUSED
                _answer(
                    one, verdict=verdict, reason=reason[:_REASON], answered_at=now,
                    answered_by=one.by, answer_entry=entry,
                )  # fmt: skip
            case SeenAgain() | Lift() | End():
                _answer(one, verdict=Evidence.Verdict.OVERTAKEN)
            case _:
                continue


def _answer(one: Change, **columns: object) -> None:
    """What waits is answered, or not examined any more: something else has decided."""
    for each in one.came:
        if each.verdict == Evidence.Verdict.WAITING:
            for name, value in columns.items():
                setattr(each, name, value)
    if one.had_evidence:
        waiting = Evidence.objects.filter(obligation=one.row, verdict=Evidence.Verdict.WAITING)
        waiting.update(**columns)
