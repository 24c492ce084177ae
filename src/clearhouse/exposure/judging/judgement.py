"""How urgent a flaw on a system is: BOD 26-04's timeline, SSVC's priority, severity, what is open.

Each outcome has its inputs, with what it would be without assumptions, and what another answer
would change.  What is not known leaves every outcome possible, and the most urgent one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from clearhouse.exposure.judging.facts import Flaw, Known
from clearhouse.exposure.judging.inputs import Basis, Input, Inputs, inputs
from clearhouse.exposure.judging.rating import Rating, rating
from clearhouse.protocol.bod2604 import Facts, Timeline, timeline
from clearhouse.protocol.ssvc.deriving import Change, asked, possible
from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    IN_KEV,
    PUBLICLY_EXPOSED,
    TECHNICAL_IMPACT,
)
from clearhouse.protocol.ssvc.table import Point, Table
from clearhouse.protocol.ssvc.tables import (
    BOD_26_04,
    CISA_COORDINATOR,
    COORDINATOR_PUBLISH,
    COORDINATOR_TRIAGE,
    DEPLOYER,
    SUPPLIER,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a table says, and on what ground."""

    table: Table
    possible: tuple[str, ...]
    """Keys of the table's outcome, from the least urgent to the most."""
    unassumed: tuple[str, ...]
    """The same without any assumption."""
    inputs: tuple[Input, ...]
    """What it was asked with: published, derived, assumed, unknown."""
    changes: tuple[Change, ...]
    """What each answer that is missing, or other than assumed, would leave possible instead."""
    contradictions: tuple[Change, ...] = ()
    """The same for each answer other than the one that was given."""

    @property
    def worst(self) -> str:
        """The most urgent one that is possible: what has to be planned for."""
        return self.possible[-1]

    @property
    def name(self) -> str:
        """The most urgent one in words."""
        return self.table.outcome.name_of(self.worst)

    @property
    def missing(self) -> tuple[Input, ...]:
        """What is unknown and would change it."""
        points = {one.point.key for one in self.changes}
        return tuple(
            one for one in self.inputs if one.basis is Basis.UNKNOWN and one.point.key in points
        )

    @property
    def assumed(self) -> tuple[Input, ...]:
        """The assumptions that it rests on."""
        return tuple(one for one in self.inputs if one.basis is Basis.ASSUMED)


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """What to do first: a total order, the most urgent least.

    1. By when, without a date last.  2. SSVC's priority, the most urgent that is possible.
    3. Listed in KEV, unknown, not listed.  4. EPSS from the most likely; what nobody estimated
    before.  5. The CVSS score from the highest; what nobody scored before.  6. Since when.
    7. The names, so that no two are equal.
    """

    due: datetime
    priority: int
    kev: int
    epss: float
    cvss: float
    detected: datetime
    flaw: str
    system: str

    @property
    def text(self) -> str:
        """The same as text without the names, for a column of a database: compared sign by sign."""
        return "|".join(
            (
                _instant(self.due),
                f"{9 + self.priority}",
                f"{self.kev}",
                f"{round((2 + self.epss) * 1_000_000):07d}",
                f"{round((20 + self.cvss) * 10):03d}",
                _instant(self.detected),
            )
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from what is known of a flaw on a system."""

    known: Known
    inputs: Inputs
    remediation: Outcome
    """CISA BOD 26-04, table of timelines."""
    timeline: Timeline
    """The same with dates."""
    unassumed: Timeline
    """The same without any assumption."""
    priority: Outcome
    """SSVC for deployers: defer, scheduled, out-of-cycle, immediate."""
    rating: Rating | None
    """How severe it is; None where nobody scored it."""

    @property
    def upgrade(self) -> datetime | None:
        """The planned upgrade for which it waits, the first after it came; None where none is."""
        if self.timeline.due is not None:
            return None
        return next((at for at in self.known.system.upgrades if at > self.known.detected), None)

    @property
    def due(self) -> datetime | None:
        """By when, the earlier of the timeline's date and a directive's; None: at an upgrade."""
        obliged = self.known.obliged.value if self.known.obliged else None
        dates = (self.timeline.due, self.upgrade, obliged)
        return min((one for one in dates if one is not None), default=None)

    @property
    def order(self) -> Order:
        """Its place among others."""
        flaw = self.known.flaw
        listed = self.inputs.by_key[IN_KEV.key].values
        ranks = list(self.priority.table.outcome.values)
        return Order(
            due=(self.due or datetime.max.replace(tzinfo=UTC)).astimezone(UTC),
            priority=-ranks.index(self.priority.worst),
            kev=1 if len(listed) > 1 else {"Y": 0, "N": 2}[listed[0]],
            epss=-flaw.epss.value.probability if flaw.epss is not None else -1.1,
            cvss=-self.rating.score if self.rating is not None else -10.1,
            detected=self.known.detected.astimezone(UTC),
            flaw=flaw.id,
            system=self.known.system.id,
        )


@dataclass(frozen=True, slots=True)
class OfficeJudgement:
    """What SSVC says of a flaw to those who coordinate and mend it."""

    supplier: Outcome
    """How soon a fix is developed."""
    triage: Outcome
    """Whether a coordinator takes it."""
    publication: Outcome
    """Whether a coordinator publishes it."""
    levels: Outcome
    """CISA's levels: track, track closely, attend, act."""


def judge(known: Known) -> Judgement:
    """Judge a flaw on a system; everything comes from ``known``, and unknown stays unknown."""
    found = inputs(known.flaw, known.system)
    return Judgement(
        known,
        found,
        _outcome(BOD_26_04, found),
        timeline(facts_of(known, found.answers())),
        timeline(facts_of(known, found.answers(Basis.ASSUMED))),
        _outcome(DEPLOYER, found),
        rating(known.flaw.scores),
    )


def judge_for_office(flaw: Flaw) -> OfficeJudgement:
    """Judge a flaw wherever it is."""
    found = inputs(flaw)
    return OfficeJudgement(
        _outcome(SUPPLIER, found),
        _outcome(COORDINATOR_TRIAGE, found),
        _outcome(COORDINATOR_PUBLISH, found),
        _outcome(CISA_COORDINATOR, found),
    )


def what_first(judgements: Iterable[Judgement]) -> list[Judgement]:
    """In the order in which to act."""
    return sorted(judgements, key=lambda one: one.order)


def _outcome(table: Table, found: Inputs) -> Outcome:
    weighed = _weigh(table, tuple((one.point, one.values, one.basis) for one in found.of(table)))
    return Outcome(
        table,
        weighed.possible,
        weighed.unassumed,
        tuple(found.by_key[point.key] for point in weighed.asked),
        weighed.changes,
        weighed.contradictions,
    )


_Changes: TypeAlias = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Weighed:
    possible: tuple[str, ...]
    unassumed: tuple[str, ...]
    asked: tuple[Point, ...]
    changes: tuple[Change, ...]
    contradictions: tuple[Change, ...]


# What is asked is much the same for the thousands of flaws on a system.
@lru_cache(maxsize=10_000)
def _weigh(table: Table, given: tuple[tuple[Point, tuple[str, ...], Basis], ...]) -> _Weighed:
    found = {point.key: (values, basis) for point, values, basis in given}
    sure = {
        key: values
        for key, (values, basis) in found.items()
        if basis not in (Basis.UNKNOWN, Basis.ASSUMED)
    }
    answers = sure | {key: values for key, (values, b) in found.items() if b is Basis.ASSUMED}
    points = asked(table, answers)
    now = possible(table, answers)

    def changes(others: Callable[[Point, tuple[str, ...], Basis], tuple[str, ...]]) -> _Changes:
        return tuple(
            Change(point, value, left)
            for point in points
            for value in others(point, *found[point.key])
            if (left := possible(table, {**answers, point.key: value})) != now
        )

    return _Weighed(now, possible(table, sure), points, changes(_others), changes(_contrary))


def _others(point: Point, values: tuple[str, ...], basis: Basis) -> tuple[str, ...]:
    """The answers that may still come."""
    if basis is Basis.ASSUMED:
        return tuple(value for value in point.values if value not in values)
    return values if len(values) > 1 else ()


def _contrary(point: Point, values: tuple[str, ...], basis: Basis) -> tuple[str, ...]:
    """The answers that would contradict the one that was given."""
    if basis in (Basis.ASSUMED, Basis.UNKNOWN) or len(values) > 1:
        return ()
    return tuple(value for value in point.values if value not in values)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def facts_of(known: Known, answers: Mapping[str, str | Collection[str]]) -> Facts:
    """What BOD 26-04's table is asked with; ``answers`` by the keys of the decision points."""
    kev = known.flaw.kev
    return Facts(
        known.detected,
        kev.value if kev is not None else None,
        _is(answers, PUBLICLY_EXPOSED.key, "Y"),
        _is(answers, AUTOMATABLE.key, "Y"),
        _is(answers, TECHNICAL_IMPACT.key, "T"),
        looked_up=kev is not None,
    )


def _is(answers: Mapping[str, str | Collection[str]], key: str, value: str) -> bool | None:
    return answers[key] == value if key in answers else None
