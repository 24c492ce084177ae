"""The vulnerability deficit in numbers: how many findings pass each milestone, and how fast.

Two layers.  :func:`counts`, :func:`series` and :func:`intervals` are exact and for those who may
see every finding.  :func:`published` and :func:`published_intervals` are for everybody: they show
no count from 1 to ``least - 1``, because a small count points at a finding (Hundepool et al.,
Statistical Disclosure Control, Wiley 2012, chapter 5: threshold rule and cell suppression).  The
rule, for each milestone:

1. Only periods that are over count.  A passage is counted when it is recorded and never back-dated,
   so what was published once does not change, and the difference of two publications is what came
   after the first.
2. A period with none, or with ``least`` or more, is shown alone, unless it is joined by 3.
3. A smaller one is not shown.  It is joined with the periods after it, whatever they have, until
   there are ``least`` together; then their sum is shown and nothing inside it.  This takes the
   place of complementary suppression: every total is a sum of figures that are shown.
4. What is left at the end, fewer than ``least``, is withheld and in no total.

So every figure, every sum of figures and every difference between publications is 0 or at least
``least``, and each period that is not shown alone can have several values, for somebody who knows
the rule too.  ``least`` is 3 or more: with 2, a hidden count could only be 1.  All publications use
one ``every``, ``since`` and ``least``; another division of the same time could be subtracted from
the first.  Milestones are judged each for itself: what somebody knows of how they hang together
(that nothing is proven that was not received) can bound a withheld count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Final

from clearhouse.errors import Invalid

#: Counts below are not shown, except 0: a customary threshold of official statistics is 3 to 10.
LEAST: Final = 5


class Milestone(StrEnum):
    """What a finding passes on its way."""

    RECEIVED = "received"
    PROVEN = "proven"
    REFUSED = "refused"
    JOINED = "joined"
    DISCLOSED = "disclosed"
    PATCHED = "patched"
    PUBLISHED = "published"


#: The way of a finding that is not refused; intervals are between neighbours on it.
WAY: Final = tuple(one for one in Milestone if one is not Milestone.REFUSED)


class Every(StrEnum):
    """How long the periods of a series are, in UTC."""

    WEEK = "week"
    MONTH = "month"

    def period(self, at: datetime) -> str:
        """The period of a moment: ``2026-W05`` (ISO 8601 week) or ``2026-02``."""
        day = _zoned(at).astimezone(UTC)
        if self is Every.MONTH:
            return f"{day.year:04}-{day.month:02}"
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"

    def between(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """The periods from that of ``since`` to before that of ``until``, none left out."""
        last = self.period(until)
        day = _zoned(since).astimezone(UTC)
        found: dict[str, None] = {}
        while (period := self.period(day)) < last:
            found[period] = None
            day += timedelta(days=7 if self is Every.WEEK else 28)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Passage:
    """That a finding passed a milestone, and when that was recorded; the time has a zone."""

    subject: str
    milestone: Milestone
    at: datetime


@dataclass(frozen=True, slots=True)
class Interval:
    """How long findings took from one milestone to the next; None where none passed both."""

    start: Milestone
    end: Milestone
    count: int
    median: timedelta | None


@dataclass(frozen=True, slots=True)
class Figure:
    """How many passed a milestone from the period ``first`` to ``last``; None if withheld."""

    milestone: Milestone
    first: str
    last: str
    count: int | None


@dataclass(frozen=True, slots=True)
class IntervalFigure:
    """The median of the findings of a run of periods, in whole days; None if withheld.

    ``at_least`` is how many there were, rounded down to a multiple of the threshold: beside the
    counts of :class:`Figure`, the exact number would tell how many few lack the first milestone.
    """

    start: Milestone
    end: Milestone
    first: str
    last: str
    at_least: int | None
    days: int | None


def suppressed(count: int, *, least: int = LEAST) -> bool:
    """Whether a count is too small to be shown; 0 points at nobody."""
    return 0 < count < least


def counts(passages: Iterable[Passage]) -> Mapping[Milestone, int]:
    """How many findings passed each milestone; one that passed twice counts once."""
    found = Counter(milestone for _, milestone in _firsts(passages))
    return {milestone: found[milestone] for milestone in Milestone}


def series(
    passages: Iterable[Passage], *, every: Every, since: datetime, until: datetime
) -> Mapping[str, Mapping[Milestone, int]]:
    """The counts of each period from ``since`` to before that of ``until``, zeros included."""
    found = Counter(
        (every.period(at), milestone) for (_, milestone), at in _firsts(passages).items()
    )
    return {
        period: {milestone: found[period, milestone] for milestone in Milestone}
        for period in every.between(since, until)
    }


def intervals(passages: Iterable[Passage]) -> tuple[Interval, ...]:
    """The median time between neighbours on the way, over the findings that passed both.

    It is negative where most passed them the other way round, as patches sometimes come first.
    """
    firsts = _firsts(passages)
    subjects = {subject for subject, _ in firsts}
    found = []
    for start, end in pairwise(WAY):
        spans = _spans(firsts, subjects, start, end)
        found.append(Interval(start, end, len(spans), _median(spans) if spans else None))
    return tuple(found)


def published(
    passages: Iterable[Passage],
    *,
    every: Every,
    since: datetime,
    until: datetime,
    least: int = LEAST,
) -> tuple[Figure, ...]:
    """What everybody may see of the series: the figures of each milestone, in order of time.

    ``since`` is when the office began, not when its first finding came: that would tell of it.
    Raises :class:`Invalid` for a ``least`` below 3.
    """
    exact = series(passages, every=every, since=since, until=until)
    return tuple(
        figure
        for milestone in Milestone
        for figure in _figures(
            milestone, [(period, row[milestone]) for period, row in exact.items()], least
        )
    )


def totals(figures: Iterable[Figure]) -> Mapping[Milestone, int]:
    """The sum of what is shown of each milestone; what is withheld is not in it."""
    found = dict.fromkeys(Milestone, 0)
    for figure in figures:
        found[figure.milestone] += figure.count or 0
    return found


def published_intervals(
    passages: Iterable[Passage],
    *,
    every: Every,
    since: datetime,
    until: datetime,
    least: int = LEAST,
) -> tuple[IntervalFigure, ...]:
    """What everybody may see of how long it takes: a median for each run of periods.

    The runs are made like those of :func:`published`, from the findings that passed both
    milestones, by the later of the two.  Each finding is in one run for good, so that no two
    medians differ by a few findings.
    """
    firsts = _firsts(passages)
    subjects = {subject for subject, _ in firsts}
    found: list[IntervalFigure] = []
    for start, end in pairwise(WAY):
        spans: dict[str, list[timedelta]] = {one: [] for one in every.between(since, until)}
        for subject in subjects:
            both = firsts.get((subject, start)), firsts.get((subject, end))
            if both[0] is None or both[1] is None:
                continue
            period = every.period(max(both[0], both[1]))
            if period in spans:
                spans[period].append(both[1] - both[0])
        for run in _figures(end, [(period, len(mine)) for period, mine in spans.items()], least):
            mine = [
                span
                for period, those in spans.items()
                if run.first <= period <= run.last
                for span in those
            ]
            days = round(_median(mine) / timedelta(days=1)) if run.count else None
            number = None if run.count is None else run.count - run.count % least
            found.append(IntervalFigure(start, end, run.first, run.last, number, days))
    return tuple(found)


def _figures(milestone: Milestone, column: list[tuple[str, int]], least: int) -> list[Figure]:
    """Steps 2 to 4 of the rule, for one milestone's counts in order of time."""
    if least < 3:
        raise Invalid("expected 3 or more: a hidden count below 2 is known to be 1", key="least")
    found: list[Figure] = []
    begun: str | None = None
    gathered = 0
    for period, count in column:
        gathered += count
        if suppressed(gathered, least=least):
            begun = begun or period  # 3
            continue
        found.append(Figure(milestone, begun or period, period, gathered))  # 2, 3
        begun, gathered = None, 0
    if begun:
        found.append(Figure(milestone, begun, column[-1][0], None))  # 4
    return found


def _firsts(passages: Iterable[Passage]) -> dict[tuple[str, Milestone], datetime]:
    """When each finding first passed each milestone."""
    found: dict[tuple[str, Milestone], datetime] = {}
    for one in passages:
        at = _zoned(one.at)
        found[one.subject, one.milestone] = min(at, found.get((one.subject, one.milestone), at))
    return found


def _spans(
    firsts: Mapping[tuple[str, Milestone], datetime],
    subjects: Iterable[str],
    start: Milestone,
    end: Milestone,
) -> list[timedelta]:
    return [
        firsts[subject, end] - firsts[subject, start]
        for subject in subjects
        if (subject, start) in firsts and (subject, end) in firsts
    ]


def _median(spans: Iterable[timedelta]) -> timedelta:
    return timedelta(seconds=median(span.total_seconds() for span in spans))


def _zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise Invalid("a time without a zone: say which, 14:00+00:00 for example")
    return at
