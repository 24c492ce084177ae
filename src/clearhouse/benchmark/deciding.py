"""The decision: a sequential probability ratio test between the region's edges (Wald 1945).

The evidence is the sum of the outcomes' weights.  The test decides the first time that the minima
are met and the evidence is at or beyond a bound; it ends undecided with the last item, or when too
many items could not be run.  Exact: integers only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from clearhouse.benchmark.outcomes import WITHHELD, Ending, Outcome, Standing
from clearhouse.benchmark.plan import PER_MILLE, Plan, PlannedItem
from clearhouse.ledger.entry import JSON


class Verdict(StrEnum):
    """What is decided."""

    COVERED = "covered"
    NOT_COVERED = "not-covered"
    INDETERMINATE = "indeterminate"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why the test stopped, or has not."""

    UPPER_BOUND = "the evidence reached the upper bound"
    LOWER_BOUND = "the evidence reached the lower bound"
    LAST_ITEM = "the last item left the evidence between the bounds"
    TOO_MANY_ERRORS = "too many items could not be run"
    MINIMA = "the minimum of items is not met yet"
    BETWEEN = "the evidence lies between the bounds"


@dataclass(frozen=True, slots=True)
class Missing:
    """What an undecided test lacks: evidence in nano-nats, and items that would bring it.

    ``solutions`` is how many average items, all solved, would reach the upper bound, ``failures``
    how many, none solved, the lower one; ``items`` is how many the minima still ask for.
    """

    to_covered: int
    to_not_covered: int
    solutions: int
    failures: int
    items: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its path.

    ``read`` is how many outcomes were read until the test stopped, errors included; ``path`` the
    evidence after each of those that bear any, in nano-nats.  ``families`` is solved and tried.
    ``if_withheld_solved`` is the last evidence had every refusal, give-up and exhausted budget been
    a solution: where it lies above the lower bound, not covered rests on them.
    ``is_lower_bound`` marks a verdict of not covered with any of them in its evidence.
    """

    verdict: Verdict
    reason: Reason
    read: int
    path: tuple[int, ...]
    endings: Mapping[Ending, int]
    families: Mapping[str, tuple[int, int]]
    set_aside: tuple[str, ...]
    if_withheld_solved: int
    is_lower_bound: bool
    missing: Missing | None

    @property
    def evidence(self) -> int:
        """The sum of the weights in nano-nats."""
        return self.path[-1] if self.path else 0

    def document(self) -> Mapping[str, JSON]:
        """The decision as evidence holds it."""
        missing = self.missing
        return {
            "verdict": self.verdict.value,
            "reason": self.reason.value,
            "read": self.read,
            "path": list(self.path),
            "endings": {one.value: self.endings[one] for one in Ending},
            "families": [[name, *counts] for name, counts in sorted(self.families.items())],
            "set_aside": list(self.set_aside),
            "if_withheld_solved": self.if_withheld_solved,
            "is_lower_bound": self.is_lower_bound,
            "missing": None if missing is None else asdict(missing),
        }


def weight(plan: Plan, item: PlannedItem, ending: Ending) -> int:
    """What an outcome adds to the evidence, in nano-nats: discounted, towards zero; 0 for errors.

    A discounted ratio is still a supermartingale under each hypothesis (Jensen's inequality), so
    the bounds keep their error rates.
    """
    if ending is Ending.ERROR:
        return 0
    if ending is Ending.SOLVED:
        return item.solved * plan.terms.discount // PER_MILLE
    return -(-item.failed * plan.terms.discount // PER_MILLE)


@dataclass(slots=True)
class Progress:
    """A test, outcome by outcome: what :func:`decide` reads, for who is told of one at a time.

    ``stopped`` is the verdict and why, once the rule has stopped.
    """

    standing: Standing
    path: list[int]
    read: int = 0
    stopped: tuple[Verdict, Reason] | None = None

    @classmethod
    def at_start(cls, plan: Plan) -> Progress:
        """Before the first attempt."""
        return cls(Standing.at_start(plan), [])

    def take(self, one: Outcome) -> None:
        """Read one more; the steps are those of :func:`decide`.  Raises as it does."""
        plan = self.standing.plan
        self.standing.take(one)  # 1
        self.read += 1
        if one.ending is not Ending.ERROR:
            before = self.path[-1] if self.path else 0
            self.path.append(before + weight(plan, plan.by_name[one.item], one.ending))
        self.stopped = _stop(plan, self.standing, self.path)


def decide(plan: Plan, outcomes: Sequence[Outcome]) -> Decision:
    """What these outcomes decide, read in their order until the rule stops.

    After each outcome: 1. count it; 2. too many set aside: indeterminate; 3. minima met and
    evidence at or beyond a bound: decided; 4. no item left, or the most items used:
    indeterminate.  Outcomes after the stop are not read (``read`` tells).
    Raises :class:`Invalid` for an item that the plan lacks, or that was over before.
    """
    progress = Progress.at_start(plan)
    for one in outcomes:
        progress.take(one)
        if progress.stopped:
            break
    standing, stopped = progress.standing, progress.stopped
    if stopped is None:
        waits_for = Reason.BETWEEN if standing.has_enough else Reason.MINIMA
        stopped = (Verdict.UNDECIDED, waits_for)
    return _decision(plan, outcomes[: progress.read], standing, progress.path, *stopped)


def _stop(plan: Plan, standing: Standing, path: Sequence[int]) -> tuple[Verdict, Reason] | None:
    if len(standing.set_aside) > plan.terms.most_set_aside:  # 2
        return Verdict.INDETERMINATE, Reason.TOO_MANY_ERRORS
    if path and standing.has_enough:  # 3
        if path[-1] >= plan.covered:
            return Verdict.COVERED, Reason.UPPER_BOUND
        if path[-1] <= plan.not_covered:
            return Verdict.NOT_COVERED, Reason.LOWER_BOUND
    over = len(standing.done) + len(standing.set_aside)
    if len(standing.done) >= plan.terms.most or over >= len(plan.items):  # 4
        return Verdict.INDETERMINATE, Reason.LAST_ITEM
    return None


def _decision(
    plan: Plan,
    outcomes: Sequence[Outcome],
    standing: Standing,
    path: Sequence[int],
    verdict: Verdict,
    reason: Reason,
) -> Decision:
    evidence = path[-1] if path else 0
    families: dict[str, tuple[int, int]] = {}
    generous = evidence
    for one in outcomes:
        if one.ending is Ending.ERROR:
            continue
        item = plan.by_name[one.item]
        solved, tried = families.get(item.family, (0, 0))
        families[item.family] = (solved + (one.ending is Ending.SOLVED), tried + 1)
        if one.ending in WITHHELD:
            generous += weight(plan, item, Ending.SOLVED) - weight(plan, item, one.ending)
    endings = Counter(one.ending for one in outcomes)
    is_open = verdict in {Verdict.UNDECIDED, Verdict.INDETERMINATE}
    return Decision(
        verdict,
        reason,
        len(outcomes),
        tuple(path),
        {one: endings[one] for one in Ending},
        families,
        tuple(sorted(standing.set_aside)),
        generous,
        verdict is Verdict.NOT_COVERED and any(endings[one] for one in WITHHELD),
        _missing(plan, standing, evidence) if is_open else None,
    )


def _missing(plan: Plan, standing: Standing, evidence: int) -> Missing:
    up, down = max(plan.covered - evidence, 0), max(evidence - plan.not_covered, 0)
    count = len(plan.items)
    gain = max(sum(weight(plan, one, Ending.SOLVED) for one in plan.items) // count, 1)
    loss = max(-sum(weight(plan, one, Ending.FAILED) for one in plan.items) // count, 1)
    short = sum(
        max(least - standing.families[family], 0) for family, least in plan.terms.least_of.items()
    )
    items = max(plan.terms.least - len(standing.done), short, 0)
    return Missing(up, down, -(-up // gain), -(-down // loss), items)
