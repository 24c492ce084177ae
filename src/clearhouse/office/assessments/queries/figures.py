"""What was decided by which committed plan: from the ledger alone, and nothing that shows few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Final

from clearhouse.benchmark.deciding import Verdict
from clearhouse.ledger.entry import Entry
from clearhouse.office.assessments.kinds import COUNTED
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.deficit import suppressed
from clearhouse.protocol.evenness import quarter

_VERDICTS: Final = (Verdict.COVERED, Verdict.NOT_COVERED, Verdict.INDETERMINATE)
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Decided:
    """Determinations by one plan in a run of quarters; ``days`` is the median of their length."""

    plan: str
    first: str
    last: str
    days: int
    verdicts: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """How many."""
        return sum(count for _, count in self.verdicts)


def decided_by_plan(*, now: datetime) -> list[Decided]:
    """The figures for everybody."""
    return tallied(entries_of(SYSTEM, (COUNTED,)), until=now)


def tallied(entries: Iterable[Entry], *, until: datetime) -> list[Decided]:
    """Count by plan what was decided in quarters that are over.  Pure.

    As in :func:`clearhouse.protocol.evenness.blocks`: a quarter in which a count would point at
    few is joined with those after it, so that each determination is in one block for good.
    """
    by_plan: dict[str, list[Entry]] = {}
    for one in entries:
        if quarter(one.at) < quarter(until):
            by_plan.setdefault(str(one.facts["plan"]), []).append(one)
    found: list[Decided] = []
    for plan, past in by_plan.items():
        waiting: list[Entry] = []
        for _, some in groupby(past, key=lambda one: quarter(one.at)):
            waiting += some
            counts = _counts(waiting)
            if not any(suppressed(count) for _, count in counts):
                found.append(_block(plan, waiting, counts))
                waiting = []
    return sorted(found, key=lambda one: (one.last, one.plan), reverse=True)


def _counts(some: Sequence[Entry]) -> tuple[tuple[str, int], ...]:
    said = [str(one.facts["verdict"]) for one in some]
    return tuple((one.value, said.count(one.value)) for one in _VERDICTS)


def _block(plan: str, some: Sequence[Entry], counts: tuple[tuple[str, int], ...]) -> Decided:
    hours = median(int(str(one.facts["hours"])) for one in some)
    return Decided(plan, quarter(some[0].at), quarter(some[-1].at), round(hours / _HOURS), counts)
